"""Voyage AI embeddings and reranking for Python.

    import voyageai

    vo = voyageai.Client()  # finds the key in VOYAGE_API_KEY
    result = vo.embed(["hello world"], model="voyage-4", input_type="document")

Importing this package loads nothing else: names are bound when they are first used.
"""

from __future__ import annotations

from .version import VERSION

# Type checkers know this name. Importing it from typing would double what this import costs, and a
# literal False would hide all names below from Jedi, which takes it at its word.
TYPE_CHECKING = bool()  # noqa: UP018
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from . import (
        admin,
        api_resources,
        batches,
        chunking,
        client,
        client_async,
        deployments,
        embeddings_utils,
        emulator,
        error,
        evaluation,
        files,
        local,
        mongodb,
        prompts,
        quantization,
        tables,
        util,
        version,
        video_utils,
    )
    from . import object as object  # not in __all__, but there
    from .api_resources import ContextualizedEmbedding, Embedding, MultimodalEmbedding, Reranking
    from .chunking import default_chunk_fn
    from .client import Client
    from .client_async import AsyncClient
    from .embeddings_utils import aget_embedding, aget_embeddings, get_embedding, get_embeddings
    from .media import ImageUrl, VideoUrl
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
"""`info` to print a line per failed attempt, `debug` one per attempt; else VOYAGE_LOG says."""

debug: bool = False
"""Has no effect."""
requestssession: Any = None
"""Has no effect; the client's `http_client` has. So has `aiosession`."""
verify_ssl_certs: bool = True
"""Has no effect; the client's `verify` has."""

# The official client's defaults, for code that relies on them.
VOYAGE_EMBED_BATCH_SIZE = 128
VOYAGE_EMBED_DEFAULT_MODEL = "voyage-2"

_HOMES = {
    "client": ("Client",),
    "client_async": ("AsyncClient",),
    "ratelimit": ("RateLimit", "RateLimiter"),
    "retry": ("RetryPolicy",),
    "api_resources": ("ContextualizedEmbedding", "Embedding", "MultimodalEmbedding", "Reranking"),
    "chunking": ("default_chunk_fn",),
    "media": ("ImageUrl", "VideoUrl"),
    "embeddings_utils": ("aget_embedding", "aget_embeddings", "get_embedding", "get_embeddings"),
}
_OWNERS = {name: home for home, names in _HOMES.items() for name in names}
_MODULES = (
    *("admin", "api_resources", "batches", "chunking", "client", "client_async"),
    *(
        "deployments",
        "embeddings_utils",
        "emulator",
        "error",
        "evaluation",
        "files",
        "local",
        "mongodb",
        "object",
        "prompts",
        "quantization",
        "tables",
        "util",
        "video_utils",
    ),
)

# Without `object`, a module of this package that would hide the builtin after `import *`.
__all__ = [
    "VERSION",
    "VOYAGE_EMBED_BATCH_SIZE",
    "VOYAGE_EMBED_DEFAULT_MODEL",
    "AsyncClient",
    "Client",
    "ContextualizedEmbedding",
    "Embedding",
    "ImageUrl",
    "MultimodalEmbedding",
    "RateLimit",
    "RateLimiter",
    "Reranking",
    "RetryPolicy",
    "VideoUrl",
    "__version__",
    "admin",
    "aget_embedding",
    "aget_embeddings",
    "api_key",
    "api_key_path",
    "api_resources",
    "app_info",
    "batches",
    "chunking",
    "client",
    "client_async",
    "debug",
    "default_chunk_fn",
    "deployments",
    "embeddings_utils",
    "emulator",
    "error",
    "evaluation",
    "files",
    "get_embedding",
    "get_embeddings",
    "local",
    "log",
    "mongodb",
    "prompts",
    "proxy",
    "quantization",
    "tables",
    "util",
    "verify_ssl_certs",
    "version",
    "video_utils",
]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _OWNERS:
        value = getattr(import_module(f".{_OWNERS[name]}", __name__), name)
    elif name == "HAS_LOCAL":
        value = import_module(".local", __name__)._is_local_available()
    elif name == "aiosession":
        from contextvars import ContextVar

        value = ContextVar("aiohttp-session", default=None)
    elif name in _MODULES:
        value = import_module(f".{name}", __name__)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    # Not the modules within, which are no interface, nor what they have left here.
    own = {name for name in globals() if name.startswith("__")}
    return sorted({*own, *_MODULES, *__all__})
