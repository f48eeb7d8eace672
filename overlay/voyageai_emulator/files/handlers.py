"""Answers about files.

A file that a job in flight reads cannot be deleted, as half of the job would be lost with it; how
the API takes that nobody has recorded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.datastructures import UploadFile
from voyageai_rest.models import (
    DeletedFile,
    DeleteFilesRequest,
    DeleteFilesResponse,
    FileList,
    FileObject,
)

from .. import bodies
from ..error_messages import invalid_argument
from ..responses import ApiError
from ..store import PIECE_SIZE, CursorNotFoundError, StoredFile
from .contents import send
from .objects import RETENTION, as_file_object, no_file

if TYPE_CHECKING:
    from starlette.responses import Response

    from ..handlers import CheckedRequest
    from ..state import EmulatorState

__all__ = [
    "delete_file",
    "delete_files",
    "list_files",
    "retrieve_content",
    "retrieve_file",
    "upload_file",
]

ENDING = ".jsonl"


def upload_file(asked: CheckedRequest, world: EmulatorState) -> FileObject:
    """Store an uploaded file. Its lines are looked at when a job reads them."""
    upload = asked.body["file"]
    if not isinstance(upload, UploadFile):
        raise invalid_argument("file", "the file must be sent as a file, with a filename")
    filename = upload.filename or ""
    if not filename.lower().endswith(ENDING):
        raise invalid_argument("file", f"the name of the file must end in {ENDING}")
    if not upload.size:
        raise invalid_argument("file", "the file is empty")
    if upload.size > bodies.MAX_UPLOAD:
        raise bodies.too_large(bodies.MAX_UPLOAD)
    files = world.store.files
    files.drop_expired(world.now())
    number = files.begin(asked.owner, filename, asked.body["purpose"])
    try:
        while piece := upload.file.read(PIECE_SIZE):
            files.append(number, piece)
        now = world.now()
        return as_file_object(files.publish(number, now, now + RETENTION))
    except BaseException:
        files.discard(number)
        raise


def list_files(asked: CheckedRequest, world: EmulatorState) -> FileList:
    """One page of files."""
    query = asked.query
    try:
        page = world.store.files.page(
            asked.owner,
            world.now(),
            limit=query["limit"],
            ascending=query["order"] == "asc",
            after=query.get("after"),
            purpose=query.get("purpose"),
        )
    except CursorNotFoundError as missing:
        raise no_file(str(missing)) from None
    files = [as_file_object(file) for file in page.items]
    return FileList(
        object="list",
        data=files,
        first_id=files[0].id if files else None,
        last_id=files[-1].id if files else None,
        has_more=page.has_more,
    )


def retrieve_file(asked: CheckedRequest, world: EmulatorState) -> FileObject:
    """What there is to know of a file."""
    return as_file_object(_find(asked, world))


def retrieve_content(asked: CheckedRequest, world: EmulatorState) -> Response:
    """The bytes of a file."""
    return send(_find(asked, world), world.store.files, asked.method, asked.headers)


def delete_file(asked: CheckedRequest, world: EmulatorState) -> DeletedFile:
    """Delete a file."""
    with world.store.transaction():
        file = _find(asked, world)
        if world.store.files.in_use(file.number):
            raise ApiError(f"File '{file.id}' is used by a batch that is in flight.")
        world.store.files.discard(file.number)
    return DeletedFile(id=file.id, object="file", deleted=True)


def delete_files(asked: CheckedRequest, world: EmulatorState) -> DeleteFilesResponse:
    """Delete several files, or none if one of them cannot be deleted."""
    ids = list(dict.fromkeys(DeleteFilesRequest.from_dict(asked.body).file_ids))
    files, now = world.store.files, world.now()
    with world.store.transaction():
        found = {id: files.find(id, asked.owner, now) for id in ids}
        errors = [id for id, file in found.items() if file is None or files.in_use(file.number)]
        if errors:
            return DeleteFilesResponse(success=False, error_file_ids=errors)
        for file in found.values():
            if file is not None:
                files.discard(file.number)
    return DeleteFilesResponse(success=True)


def _find(asked: CheckedRequest, world: EmulatorState) -> StoredFile:
    id = asked.path["file_id"]
    file = world.store.files.find(id, asked.owner, world.now())
    if file is None:
        raise no_file(id)
    return file
