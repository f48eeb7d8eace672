"""Voyage AI embeddings and reranking for Python.

    import voyageai

    vo = voyageai.Client()  # finds the key in VOYAGE_API_KEY
    result = vo.embed(["hello world"], model="voyage-4", input_type="document")

Importing this package loads nothing else: names are bound when they are first used.
"""

from __future__ import annotations

from .version import VERSION

# typing.TYPE_CHECKING, for type checkers; importing typing would double what this import costs.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from . import client, client_async, emulator, error, object, prompts, quantization
    from .client import Client
    from .client_async import AsyncClient
    from .ratelimit import RateLimit, RateLimiter
    from .retry import RetryPolicy

__version__ = VERSION

# What users set. Clients read these when they are made.
api_key: str | None = None
"""The API key, if it is not given to the client."""
api_key_path: str | None = None
"""Path of a file with the API key."""

proxy: str | Mapping[str, str] | None = None
"""URL of a proxy, or URLs by scheme, if it is not given to the client."""
app_info: Mapping[str, str] | None = None
"""Name, version and url of the program, for the User-Agent."""
log: str | None = None
"""`info` or `debug` to print a line per attempt; without it VOYAGE_LOG says so."""

# The official client's defaults, for code that relies on them.
VOYAGE_EMBED_BATCH_SIZE = 128
VOYAGE_EMBED_DEFAULT_MODEL = "voyage-2"

_CLASSES = {
    "Client": "client",
    "AsyncClient": "client_async",
    "RateLimit": "ratelimit",
    "RateLimiter": "ratelimit",
    "RetryPolicy": "retry",
}
_MODULES = ("client", "client_async", "emulator", "error", "object", "prompts", "quantization")

__all__ = [
    "VERSION",
    "VOYAGE_EMBED_BATCH_SIZE",
    "VOYAGE_EMBED_DEFAULT_MODEL",
    "AsyncClient",
    "Client",
    "RateLimit",
    "RateLimiter",
    "RetryPolicy",
    "__version__",
    "api_key",
    "api_key_path",
    "app_info",
    "client",
    "client_async",
    "emulator",
    "error",
    "log",
    "object",
    "prompts",
    "proxy",
    "quantization",
]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _CLASSES:
        value = getattr(import_module(f".{_CLASSES[name]}", __name__), name)
    elif name in _MODULES:
        value = import_module(f".{name}", __name__)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
