"""Read the bodies of requests, with limits on memory and time.

The API's own limits are not known. A body is refused as soon as it is larger than the operation's
models could accept, by the limits of the catalogue.
"""

from __future__ import annotations

import contextlib
import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NoReturn

from python_multipart.exceptions import FormParserError
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from voyageai_rest.catalogue import MODELS

from .error_messages import invalid_json
from .responses import ApiError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable, Mapping

    from starlette.datastructures import UploadFile
    from starlette.types import Message
    from voyageai_rest.catalogue import Model

__all__ = [
    "MAX_UPLOAD",
    "Form",
    "decode",
    "has_too_many_values",
    "is_small",
    "max_body",
    "read_body",
    "read_form",
    "refuse_constant",
    "too_large",
]

BYTES_PER_TOKEN = 32
"""Bytes per token: few tokens have over 5 characters, each of which JSON may escape as 6 bytes."""
MEDIA_FILES = 2
"""Number of pictures or videos of the largest size that a body may have beside its tokens."""
BASE_BYTES = 1_048_576
"""Bytes that a body may have for any operation."""
SMALL_BODY_BYTES = 16_384
"""Bytes of a body that is read before the key is checked."""
MAX_UPLOAD = 1_073_741_824
"""Bytes of an uploaded file: 1 GB, according to third parties; the API's documentation has none."""
FORM_OVERHEAD = 65_536
"""Bytes of a form besides its file."""
MAX_FORM_FIELDS = 16
"""Fields of a form besides its file."""
MAX_VALUES = max(model.max_request_tokens or 0 for model in MODELS.values())
"""JSON values in a body: no model accepts more texts than this, as each has at least one token."""

Form = dict[str, "str | UploadFile"]


def max_body(models: Iterable[Model]) -> int:
    """Return the bytes of the largest valid body for any of the models, rounded up.

    Example:
        >>> from voyageai_rest.catalogue import find
        >>> max_body([find("voyage-4-lite")])
        33048576
    """
    tokens, file = 0, 0
    for model in models:
        tokens = max(tokens, model.max_request_tokens or 0)
        if model.media is not None:
            sizes = (model.media.image_max_bytes, model.media.video_max_bytes)
            file = max(file, *(size or 0 for size in sizes))
    return BASE_BYTES + tokens * BYTES_PER_TOKEN + MEDIA_FILES * (file * 4 // 3)


def is_small(headers: Mapping[str, str]) -> bool:
    """Return whether a body is small, and sent without waiting for 100 Continue."""
    waits = "expect" in headers or "transfer-encoding" in headers
    return not waits and _content_length(headers) <= SMALL_BODY_BYTES


async def read_body(request: Request, limit: int) -> bytes:
    """Read a body of at most `limit` bytes.

    Raises:
        ApiError: The body has more than `limit` bytes.
    """
    if _content_length(request.headers) > limit:
        raise too_large(limit)
    parts, size = list[bytes](), 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise too_large(limit)
        parts.append(part)
    return b"".join(parts)


@contextlib.asynccontextmanager
async def read_form(request: Request, max_file_bytes: int) -> AsyncGenerator[Form]:
    """Read the fields of a multipart body with a file of at most `max_file_bytes`.

    The file is stored on disk unless it is small.

    Raises:
        ApiError: The body is too large, or is not a valid form.
    """
    limit = max_file_bytes + FORM_OVERHEAD
    if _content_length(request.headers) > limit:
        raise too_large(max_file_bytes)
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        yield {}
        return
    size = 0

    async def receive() -> Message:
        nonlocal size
        message = await request.receive()
        size += len(message.get("body", b""))
        if size > limit:  # below 1.8 Starlette closes its files on this exception alone
            raise MultiPartException("The form is too large.")
        return message

    counted = Request(request.scope, receive)
    try:
        form = await counted.form(max_files=1, max_fields=MAX_FORM_FIELDS)
    except (FormParserError, HTTPException) as broken:  # below 1.8 the first gets through
        if size > limit:
            raise too_large(max_file_bytes) from None
        raise ApiError(getattr(broken, "detail", str(broken)), HTTPStatus.BAD_REQUEST) from None
    try:
        yield dict(form)
    finally:
        await form.close()


def too_large(limit: int) -> ApiError:
    """Return the error for a body with more bytes than the limit."""
    return ApiError(
        f"The request is too large: the emulator takes up to {limit} bytes.",
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    )


def _content_length(headers: Mapping[str, str]) -> int:
    """Return the Content-Length; 0 if there is none."""
    return int(headers.get("content-length", "0"))


def decode(raw: bytes) -> Any:
    """Decode JSON.

    Raises:
        ApiError: `raw` is not JSON, or has more than `MAX_VALUES` values.
    """
    if has_too_many_values(raw):
        raise ApiError(
            f"The request is too large: the emulator takes up to {MAX_VALUES} values.",
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        )
    try:
        return json.loads(raw, parse_constant=refuse_constant, parse_float=_number)
    except json.JSONDecodeError as error:
        raise invalid_json(error.pos) from None
    except UnicodeDecodeError as error:
        raise invalid_json(error.start) from None
    except (ValueError, RecursionError):
        # NaN and infinities, which are not JSON; integers and nesting beyond Python's limits.
        raise invalid_json(0) from None


def has_too_many_values(raw: bytes) -> bool:
    """Return whether JSON has more values than `MAX_VALUES`, without decoding it.

    Python decodes 32 MB of texts in a tenth of a second, but as many bytes of empty lists in three
    seconds, during which no other thread runs. So the separators between values are counted;
    separators within strings are excluded only if that could change the result.
    """
    if len(raw) <= MAX_VALUES or _separators(raw) <= MAX_VALUES:
        return False
    bare = raw.replace(b"\\\\", b"").replace(b'\\"', b"")
    if bare.count(b'"') > 2 * MAX_VALUES:
        return True
    return _separators(b"".join(bare.split(b'"')[::2])) > MAX_VALUES


def _separators(raw: bytes) -> int:
    return raw.count(b",") + raw.count(b"[") + raw.count(b"{")


def _number(literal: str) -> int | float:
    """Convert a number; 512.0 becomes an int, as it is an integer in JSON Schema."""
    number = float(literal)
    return int(number) if number.is_integer() else number


def refuse_constant(name: str) -> NoReturn:
    """Refuse NaN and the infinities, which Python's `json` accepts although they are not JSON."""
    raise ValueError(name)
