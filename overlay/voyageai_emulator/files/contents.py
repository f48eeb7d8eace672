"""Downloads, which can be resumed by asking for a range of bytes."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.responses import Response, StreamingResponse

from ..responses import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..store import FileStore, StoredFile

__all__ = ["send"]

RANGE = re.compile(r"bytes=(?:([0-9]{1,19})-([0-9]{1,19})?|-([0-9]{1,19}))", re.IGNORECASE)
MEDIA_TYPE = "text/plain"


def send(file: StoredFile, files: FileStore, method: str, headers: Mapping[str, str]) -> Response:
    """The content of a file, or the one range of it that the headers ask for.

    Raises:
        ApiError: The range begins beyond the end.
    """
    # The content of an id never changes.
    etag = f'"{file.id}"'
    span = None if headers.get("if-range", etag) != etag else _span(file, headers.get("range", ""))
    start, stop = span or (0, file.bytes)
    about = {
        "accept-ranges": "bytes",
        "etag": etag,
        "content-length": str(stop - start),
        "content-type": MEDIA_TYPE,
    }
    status = HTTPStatus.OK
    if span is not None:
        status = HTTPStatus.PARTIAL_CONTENT
        about["content-range"] = f"bytes {start}-{stop - 1}/{file.bytes}"
    if method == "HEAD":
        return Response(status_code=status, headers=about)
    return StreamingResponse(files.pieces(file.number, start, stop), status, about)


def _span(file: StoredFile, said: str) -> tuple[int, int] | None:
    """Where the range begins and ends; None if a whole file is to be sent."""
    match = RANGE.fullmatch(said.strip())
    if match is None:
        return None  # nothing, several, or other units: all of which may be taken for nothing
    first, last, suffix = match.groups()
    start = int(first) if first else max(file.bytes - int(suffix), 0)
    stop = min(int(last) + 1 if last else file.bytes, file.bytes)
    if first and last and int(last) < int(first):
        return None
    if start >= stop:
        raise ApiError(
            f"The range is not within the {file.bytes} bytes of the file.",
            HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
            headers={"content-range": f"bytes */{file.bytes}"},
        )
    return start, stop
