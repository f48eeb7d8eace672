"""Voyage AI embeddings and reranking for Python.

    import voyageai

    vo = voyageai.Client()  # finds the key in VOYAGE_API_KEY
    result = vo.embed(["hello world"], model="voyage-4", input_type="document")

Importing this package loads nothing else: names are bound on first use.
"""

from __future__ import annotations

from .version import VERSION

# Type checkers know this name. Importing it from typing would double the cost of this import, and a
# literal False would hide all names below from Jedi.
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
    from . import object as object  # public, though not in __all__
    from .api_resources import ContextualizedEmbedding, Embedding, MultimodalEmbedding, Reranking
    from .chunking import default_chunk_fn
    from .client import Client
    from .client_async import AsyncClient
    from .embeddings_utils import aget_embedding, aget_embeddings, get_embedding, get_embeddings
    from .media import ImageUrl, VideoUrl
    from .ratelimit import RateLimit, RateLimiter
    from .retry import RetryPolicy

__version__ = VERSION

# Settings for users, read when a client is made.
api_key: str | None = None
"""The API key, for clients without the argument `api_key`."""
api_key_path: str | None = None
"""Path of a file with the API key."""

proxy: str | Mapping[str, str] | None = None
"""URL of a proxy, or URLs by scheme, for clients without the argument `proxy`."""
app_info: Mapping[str, str] | None = None
"""`name`, `version` and `url` of the program, for the User-Agent."""
log: str | None = None
"""`info` to log each failed attempt, `debug` to log each attempt; None for VOYAGE_LOG."""

debug: bool = False
"""Has no effect."""
requestssession: Any = None
"""Has no effect, like `aiosession`; use the client's `http_client`."""
verify_ssl_certs: bool = True
"""Has no effect; use the client's `verify`."""

# The official client's defaults, for code that relies on them.
VOYAGE_EMBED_BATCH_SIZE = 128
VOYAGE_EMBED_DEFAULT_MODEL = "voyage-2"

_LAZY = {
    "client": ("Client",),
    "client_async": ("AsyncClient",),
    "ratelimit": ("RateLimit", "RateLimiter"),
    "retry": ("RetryPolicy",),
    "api_resources": ("ContextualizedEmbedding", "Embedding", "MultimodalEmbedding", "Reranking"),
    "chunking": ("default_chunk_fn",),
    "media": ("ImageUrl", "VideoUrl"),
    "embeddings_utils": ("aget_embedding", "aget_embeddings", "get_embedding", "get_embeddings"),
}
_OWNERS = {name: home for home, names in _LAZY.items() for name in names}
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

# Without the module `object`, which would shadow the builtin after `import *`.
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
    # Without internal modules, which the import system binds here as well.
    own = {name for name in globals() if name.startswith("__")}
    return sorted({*own, *_MODULES, *__all__})
