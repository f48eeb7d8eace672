"""Reading the bodies of requests, of which none takes more memory or time than it may.

What the API takes at most nobody has recorded. A body is refused as soon as it is larger than what
the operation's models could take, by the limits of the catalogue.
"""

from __future__ import annotations

import contextlib
from http import HTTPStatus
from typing import TYPE_CHECKING

from python_multipart.exceptions import FormParserError
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request

from .responses import ApiError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable, Mapping

    from starlette.datastructures import UploadFile
    from starlette.types import Message
    from voyageai_rest.catalogue import Model

__all__ = [
    "MAX_UPLOAD",
    "Form",
    "is_small",
    "max_body",
    "read_form",
    "read_whole",
    "too_large",
]

TOKEN = 32
"""Bytes of a body for each token: few have over 5 characters, which JSON may write as 6 each."""
FILES = 2
"""Pictures or videos of the largest size for which there is room beside the tokens."""
LEAST = 1_048_576
"""Bytes that a body may have at any operation."""
SMALL = 16_384
"""Bytes of a body that is looked at although there is no right key."""
MAX_UPLOAD = 1_073_741_824
"""Bytes of an uploaded file: 1 GB, as third parties say and the API's documentation does not."""
AROUND = 65_536
"""Bytes of a form around its file."""
FIELDS = 16
"""Fields of a form beside its file."""

Form = dict[str, "str | UploadFile"]


def max_body(models: Iterable[Model]) -> int:
    """Bytes of the largest body for one of some models, with slack.

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
    return LEAST + tokens * TOKEN + FILES * (file * 4 // 3)


def is_small(headers: Mapping[str, str]) -> bool:
    """Whether a body is so small that reading it costs nothing, and is on its way already."""
    waits = "expect" in headers or "transfer-encoding" in headers
    return not waits and _told(headers) <= SMALL


async def read_whole(request: Request, limit: int) -> bytes:
    """The body of a request.

    Raises:
        ApiError: It is too large.
    """
    if _told(request.headers) > limit:
        raise too_large(limit)
    parts, size = list[bytes](), 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise too_large(limit)
        parts.append(part)
    return b"".join(parts)


@contextlib.asynccontextmanager
async def read_form(request: Request) -> AsyncGenerator[Form]:
    """The fields of a multipart body; a file among them is on disk if it is not small.

    Raises:
        ApiError: It is too large.
    """
    limit = MAX_UPLOAD + AROUND
    if _told(request.headers) > limit:
        raise too_large(MAX_UPLOAD)
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
        form = await counted.form(max_files=1, max_fields=FIELDS)
    except (FormParserError, HTTPException) as broken:  # below 1.8 the first gets through
        if size > limit:
            raise too_large(MAX_UPLOAD) from None
        raise ApiError(getattr(broken, "detail", str(broken)), HTTPStatus.BAD_REQUEST) from None
    try:
        yield dict(form)
    finally:
        await form.close()


def too_large(limit: int) -> ApiError:
    """The refusal of what has more bytes than a limit."""
    return ApiError(
        f"The request is too large: the emulator takes up to {limit} bytes.",
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    )


def _told(headers: Mapping[str, str]) -> int:
    """Bytes of a body by its headers; 0 if they do not say."""
    return int(headers.get("content-length", "0"))
