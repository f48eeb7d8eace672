"""The helper functions of the official client."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Mapping
from typing import Any

from voyageai_rest.dtypes import DTYPES
from voyageai_rest.errors import printable

from ..error import AuthenticationError
from ..keys import base_url, conceal, find_key, usable, variables
from ..vectors import Vectors

__all__ = [
    "decode_base64_embedding",
    "default_api_key",
    "log_debug",
    "log_info",
    "log_warn",
    "logfmt",
]

VOYAGE_LOG = os.environ.get("VOYAGE_LOG")
logger = logging.getLogger("voyage")


def decode_base64_embedding(embedding: str | bytes, dtype: str | None = None) -> list[float]:
    """Decode a vector that the API has encoded.

    Args:
        embedding: Base64 of the little-endian numbers.
        dtype: `float` (the default), `int8`, `uint8`, `binary` or `ubinary`.

    Raises:
        ValueError: The dtype is unknown.
        ShapeError: `embedding` is not base64 of numbers of the dtype.

    Example:
        >>> decode_base64_embedding("AAAAPwAAgD8=")
        [0.5, 1.0]
    """
    if dtype is not None and dtype not in DTYPES:
        raise ValueError(f"Unknown dtype {dtype}")
    text = embedding.decode("latin-1") if isinstance(embedding, bytes) else embedding
    return Vectors.decode([text], dtype).tolist()[0]


def default_api_key() -> str:
    """Return the API key that a client would use.

    Raises:
        AuthenticationError: No key is found; the message says where keys are looked for.
    """
    import voyageai  # for settings on the module

    key = find_key(
        None,
        module_path=voyageai.api_key_path,
        module_key=conceal(voyageai.api_key),
        environment=variables(),
    )
    if key is None:
        raise AuthenticationError(
            "No API key provided. You can set your API key in code using "
            "'voyageai.api_key = <API-KEY>', or set the environment variable "
            "VOYAGE_API_KEY=<API-KEY>, or keep it in a file named by 'voyageai.api_key_path' or "
            "VOYAGE_API_KEY_PATH."
        )
    return key


def api_key_to_header(key: str) -> dict[str, str]:
    """Return the header with an API key.

    Raises:
        AuthenticationError: The key can't be one.
    """
    key = conceal(key)
    return {"Authorization": f"Bearer {usable(key, 'the argument key') or ''}"}


def get_default_base_url(api_key: str) -> str:
    """Return the base URL of the host that a key belongs to."""
    return base_url(None, api_key, {})


def logfmt(props: Mapping[str, Any]) -> str:
    """Format pairs as `key=value`, sorted by key, quoted where they contain spaces."""
    return " ".join(f"{_shown(key)}={_shown(value)}" for key, value in sorted(props.items()))


def log_debug(message: str, **params: Any) -> None:
    """Log a message for debugging."""
    _log(logging.DEBUG, message, params)


def log_info(message: str, **params: Any) -> None:
    """Log a message."""
    _log(logging.INFO, message, params)


def log_warn(message: str, **params: Any) -> None:
    """Log a warning."""
    _log(logging.WARNING, message, params)


def _log(level: int, message: str, params: Mapping[str, Any]) -> None:
    if logger.isEnabledFor(level):
        logger.log(level, "%s", logfmt({"message": message, **params}))


def _shown(value: object) -> str:
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return repr(text) if re.search(r"\s", text) else printable(text, limit=None)
