"""The operations on files, which batch jobs read and write.

A file that a job in flight reads cannot be deleted, as the job needs it. It is not known how the
API handles this.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.datastructures import UploadFile
from starlette.responses import Response, StreamingResponse
from voyageai_rest.catalogue import BATCH
from voyageai_rest.models import (
    DeletedFile,
    DeleteFilesRequest,
    DeleteFilesResponse,
    FileList,
    FileObject,
)

from .bodies import too_large
from .error_messages import invalid_argument
from .responses import ApiError
from .store import PIECE_SIZE, CursorNotFoundError, StoredFile, as_datetime, microseconds

if TYPE_CHECKING:
    from .handlers import CheckedRequest
    from .state import EmulatorState

__all__ = ["RETENTION", "FileEndpoints", "as_file_object", "file_not_found"]

RETENTION = microseconds(BATCH.file_retention_days * 86_400)
"""Time until a file expires, in microseconds."""
SUFFIX = ".jsonl"
MEDIA_TYPE = "text/plain"
RANGE = re.compile(r"bytes=(?:([0-9]{1,19})-([0-9]{1,19})?|-([0-9]{1,19}))", re.IGNORECASE)


class FileEndpoints:
    """The handlers of the operations on files."""

    def __init__(self, state: EmulatorState) -> None:
        self._state = state

    def upload(self, request: CheckedRequest) -> FileObject:
        """Store an uploaded file. Its lines are checked when a job reads them."""
        upload = request.body["file"]
        if not isinstance(upload, UploadFile):
            raise invalid_argument("file", "the file must be sent as a file, with a filename")
        filename = upload.filename or ""
        if not filename.lower().endswith(SUFFIX):
            raise invalid_argument("file", f"the name of the file must end in {SUFFIX}")
        if not upload.size:
            raise invalid_argument("file", "the file is empty")
        max_bytes = self._state.batch_limits.max_file_bytes
        if upload.size > max_bytes:
            raise too_large(max_bytes)
        files = self._state.store.files
        files.drop_expired(self._state.now())
        number = files.begin(request.owner, filename, request.body["purpose"])
        try:
            while piece := upload.file.read(PIECE_SIZE):
                files.append(number, piece)
            now = self._state.now()
            return as_file_object(files.publish(number, now, now + RETENTION))
        except BaseException:
            files.discard(number)
            raise

    def list(self, request: CheckedRequest) -> FileList:
        """Return one page of files."""
        query = request.query
        try:
            page = self._state.store.files.page(
                request.owner,
                self._state.now(),
                limit=query["limit"],
                ascending=query["order"] == "asc",
                after=query.get("after"),
                purpose=query.get("purpose"),
            )
        except CursorNotFoundError as missing:
            raise file_not_found(str(missing)) from None
        files = [as_file_object(file) for file in page.items]
        return FileList(
            object="list",
            data=files,
            first_id=files[0].id if files else None,
            last_id=files[-1].id if files else None,
            has_more=page.has_more,
        )

    def retrieve(self, request: CheckedRequest) -> FileObject:
        """Return a file's metadata."""
        return as_file_object(self._find(request))

    def content(self, request: CheckedRequest) -> Response:
        """Return a file's content, or the range of it that the headers request."""
        file = self._find(request)
        # The content of an id never changes.
        etag = f'"{file.id}"'
        wanted = request.headers.get("range", "")
        span = _span(file, wanted) if request.headers.get("if-range", etag) == etag else None
        start, stop = span or (0, file.bytes)
        headers = {
            "accept-ranges": "bytes",
            "etag": etag,
            "content-length": str(stop - start),
            "content-type": MEDIA_TYPE,
        }
        status = HTTPStatus.OK
        if span is not None:
            status = HTTPStatus.PARTIAL_CONTENT
            headers["content-range"] = f"bytes {start}-{stop - 1}/{file.bytes}"
        if request.method == "HEAD":
            return Response(status_code=status, headers=headers)
        pieces = self._state.store.files.pieces(file.number, start, stop)
        return StreamingResponse(pieces, status, headers)

    def delete(self, request: CheckedRequest) -> DeletedFile:
        """Delete a file."""
        files = self._state.store.files
        with self._state.store.transaction():
            file = self._find(request)
            if files.in_use(file.number):
                raise ApiError(f"File '{file.id}' is used by a batch that is in flight.")
            files.discard(file.number)
        return DeletedFile(id=file.id, object="file", deleted=True)

    def delete_several(self, request: CheckedRequest) -> DeleteFilesResponse:
        """Delete several files, or none if one of them cannot be deleted."""
        ids = [*dict.fromkeys(DeleteFilesRequest.from_dict(request.body).file_ids)]
        files, now = self._state.store.files, self._state.now()
        with self._state.store.transaction():
            found = {id: files.find(id, request.owner, now) for id in ids}
            errors = [id for id, file in found.items() if file is None or files.in_use(file.number)]
            if errors:
                return DeleteFilesResponse(success=False, error_file_ids=errors)
            for file in found.values():
                if file is not None:
                    files.discard(file.number)
        return DeleteFilesResponse(success=True)

    def _find(self, request: CheckedRequest) -> StoredFile:
        id = request.path["file_id"]
        file = self._state.store.files.find(id, request.owner, self._state.now())
        if file is None:
            raise file_not_found(id)
        return file


def as_file_object(file: StoredFile) -> FileObject:
    """Return a file as the API represents it."""
    return FileObject(
        id=file.id,
        object="file",
        bytes=file.bytes,
        created_at=as_datetime(file.created_at),
        expires_at=as_datetime(file.expires_at),
        filename=file.filename,
        purpose=file.purpose,
    )


def file_not_found(id: str) -> ApiError:
    """Return the error for a file that does not exist, or is not the caller's."""
    return ApiError(f"File '{id}' not found.", HTTPStatus.NOT_FOUND)


def _span(file: StoredFile, wanted: str) -> tuple[int, int] | None:
    """Return the start and the stop of a Range header's bytes; None for the whole file.

    Raises:
        ApiError: The range begins after the end of the file.
    """
    match = RANGE.fullmatch(wanted.strip())
    if match is None:
        return None  # no range, several ranges, or other units, all of which a server may ignore
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
