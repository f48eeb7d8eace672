"""Reading the bodies of requests, of which none takes more memory than it may.

What the API takes at most nobody has recorded. A body is refused as soon as it is too large.
"""

from __future__ import annotations

import contextlib
from http import HTTPStatus
from typing import TYPE_CHECKING

from python_multipart.exceptions import FormParserError
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request

from .refusal import Refused

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from starlette.datastructures import UploadFile
    from starlette.types import Message

__all__ = ["MAX_BODY", "MAX_UPLOAD", "Form", "read_form", "read_whole", "too_large"]

MAX_BODY = 67_108_864
"""Bytes of a body that is read into memory. Chosen: room for several pictures."""
MAX_UPLOAD = 1_073_741_824
"""Bytes of an uploaded file: 1 GB, as third parties say and the API's documentation does not."""
AROUND = 65_536
"""Bytes of a form around its file."""
FIELDS = 16
"""Fields of a form beside its file."""

Form = dict[str, "str | UploadFile"]


async def read_whole(request: Request) -> bytes:
    """The body of a request.

    Raises:
        Refused: It is too large.
    """
    if _told(request.headers) > MAX_BODY:
        raise too_large(MAX_BODY)
    parts, size = list[bytes](), 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_BODY:
            raise too_large(MAX_BODY)
        parts.append(part)
    return b"".join(parts)


@contextlib.asynccontextmanager
async def read_form(request: Request) -> AsyncGenerator[Form]:
    """The fields of a multipart body; a file among them is on disk if it is not small.

    Raises:
        Refused: It is too large.
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
        raise Refused(getattr(broken, "detail", str(broken)), HTTPStatus.BAD_REQUEST) from None
    try:
        yield dict(form)
    finally:
        await form.close()


def too_large(limit: int) -> Refused:
    """The refusal of what has more bytes than a limit."""
    return Refused(
        f"The request is too large: the emulator takes up to {limit} bytes.",
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    )


def _told(headers: Mapping[str, str]) -> int:
    """Bytes of a body by its headers; 0 if they do not say."""
    return int(headers.get("content-length", "0"))
