"""Functions of the official client's first releases, superseded by `Client.embed`."""

from __future__ import annotations

import warnings
from typing import Any

from .. import VOYAGE_EMBED_DEFAULT_MODEL
from .._utils import stacklevel
from ..client import Client
from ..client_async import AsyncClient
from ..error import ArgumentError

__all__ = ["aget_embedding", "aget_embeddings", "get_embedding", "get_embeddings"]

MODEL = VOYAGE_EMBED_DEFAULT_MODEL
RETRIES = 5
"""Retries after rate limits and the like, as in the official client."""
NAMED = ("truncation", "output_dtype", "output_dimension")
"""Arguments of `embed`; all others go into the body."""


def get_embedding(
    text: str, model: str = MODEL, input_type: str | None = None, **kwargs: Any
) -> list[float]:
    """Return the embedding of a text. Use `Client.embed` instead.

    Args:
        text: The text.
        model: Name of a text embedding model.
        input_type: `query`, `document` or None.
        **kwargs: `api_key`, `base_url`, `request_timeout`, and further fields of the body.

    Raises:
        ArgumentError: An argument is wrong; nothing was sent.
        VoyageError: The call failed.
    """
    return _embed([text], model, input_type, kwargs)[0]


def get_embeddings(
    list_of_text: list[str], model: str = MODEL, input_type: str | None = None, **kwargs: Any
) -> list[list[float]]:
    """Return the embeddings of texts. Use `Client.embed` instead.

    Args:
        list_of_text: Up to 1,000 texts.
        model, input_type, **kwargs: As in `get_embedding`.

    Raises:
        ArgumentError: An argument is wrong; nothing was sent.
        VoyageError: The call failed.
    """
    return _embed(list_of_text, model, input_type, kwargs)


async def aget_embedding(
    text: str, model: str = MODEL, input_type: str | None = None, **kwargs: Any
) -> list[float]:
    """Return the embedding of a text without blocking, as `get_embedding` does."""
    return (await _aembed([text], model, input_type, kwargs))[0]


async def aget_embeddings(
    list_of_text: list[str], model: str = MODEL, input_type: str | None = None, **kwargs: Any
) -> list[list[float]]:
    """Return the embeddings of texts without blocking, as `get_embeddings` does."""
    return await _aembed(list_of_text, model, input_type, kwargs)


def _embed(
    texts: list[str], model: str, input_type: str | None, kwargs: dict[str, Any]
) -> list[list[float]]:
    settings, arguments = _split("Client", input_type, kwargs)
    with Client(**settings) as client:
        return client.embed(texts, model, **arguments).embeddings


async def _aembed(
    texts: list[str], model: str, input_type: str | None, kwargs: dict[str, Any]
) -> list[list[float]]:
    settings, arguments = _split("AsyncClient", input_type, kwargs)
    async with AsyncClient(**settings) as client:
        return (await client.embed(texts, model, **arguments)).embeddings


def _split(
    client: str, input_type: str | None, kwargs: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Split keyword arguments into settings of the client and arguments of its method."""
    if input_type not in (None, "", "query", "document"):
        raise ArgumentError(
            f"input_type {input_type} is invalid. Options: None, 'query', 'document'.",
            "input_type",
        )
    warnings.warn(
        "This function will be deprecated. "
        f"We recommend using the `embed()` function in `voyageai.{client}`.",
        UserWarning,
        stacklevel=stacklevel(),
    )
    settings = {
        "api_key": kwargs.pop("api_key", None),
        "base_url": kwargs.pop("base_url", None),
        "timeout": kwargs.pop("request_timeout", None),
        "max_retries": RETRIES,
    }
    named = {name: kwargs.pop(name) for name in NAMED if name in kwargs}
    return settings, {"input_type": input_type or None, "extra_body": kwargs, **named}
