"""Conversion of arguments into the calls about files, without I/O."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import IO, TYPE_CHECKING, Any, TypedDict, TypeVar, cast

from voyageai_rest.errors import REQUEST_ID, printable
from voyageai_rest.status import status_error
from voyageai_rest.types import UNSET, File, RawResponse, Unset

from ..argument_checks import check_value
from ..calls import Call
from ..error import ArgumentError, NotDeletedError
from .objects import FileObject, Page, is_id, or_none

if TYPE_CHECKING:
    from voyageai_rest.models import SortOrder, UploadPurpose

    from ..transport.streams import Stream
    from .sources import Source

V = TypeVar("V")

SHOWN = 80
"""Characters of a wrong id that errors show."""

MEDIA_TYPE = "application/octet-stream"
"""Media type of uploads; guessing it from the name would read files of the operating system."""
UPLOAD_DOUBT = (
    "the file may have been stored; look for its name and size with files.list() before you upload "
    "it again"
)


class PageParams(TypedDict):
    """Parameters of a page of a list."""

    limit: int | Unset
    after: str | Unset


def upload(
    source: Source,
    purpose: UploadPurpose,
    progress: Callable[[int, int], object] | None,
) -> Call[FileObject]:
    """Return the call of `Files.upload`."""
    from voyageai_rest.api.files import upload_file
    from voyageai_rest.models.upload_file_request import UploadFileRequest

    reported: int | None = None

    def report() -> None:
        nonlocal reported
        if progress is not None and reported != source.position:
            reported = source.position
            progress(reported, source.size)

    content = cast("IO[bytes]", source)  # has the methods that are needed
    file = File(content=content, name=source.filename, media_type=MEDIA_TYPE)
    return Call(
        upload_file.build_request(body=UploadFileRequest(file=file, purpose=purpose)),
        partial(_file, upload_file.parse_response),
        repeatable=False,
        doubt=UPLOAD_DOUBT,
        method="upload",
        on_sent=report,
    )


def check_purpose(purpose: object) -> None:
    """Check the purpose of an upload.

    Raises:
        ArgumentError: The API takes no uploads for this purpose.
    """
    check_value("UploadFileRequest", "purpose", purpose)


def retrieve(file_id: str) -> Call[FileObject]:
    """Return the call of `Files.retrieve`."""
    from voyageai_rest.api.files import retrieve_file

    request = retrieve_file.build_request(file_id=check_id("file_id", file_id))
    return Call(request, partial(_file, retrieve_file.parse_response), method="retrieve")


def list_page(
    purpose: str | None, order: SortOrder | None, limit: int | None, after: str | None
) -> Call[Page[FileObject]]:
    """Return the call for a page of `Files.list`."""
    from voyageai_rest.api.files import list_files

    if purpose is not None and not isinstance(purpose, str):  # pyright: ignore[reportUnnecessaryIsInstance]  # given by a user
        raise ArgumentError(f"purpose must be a string or None, not {purpose!r}", "purpose")

    def read(response: RawResponse) -> Page[FileObject]:
        found = list_files.parse_response(response)
        return Page[FileObject].of([FileObject.of(file) for file in found.data], found, after)

    return Call(
        list_files.build_request(
            purpose=_unset(purpose), order=_unset(order), **page_of(limit, after)
        ),
        read,
    )


def check_order(order: object) -> None:
    """Check the order of a list.

    Raises:
        ArgumentError: `order` is not one of the API's.
    """
    from voyageai_rest.models.sort_order import SORT_ORDER_VALUES

    if order is not None and order not in SORT_ORDER_VALUES:
        values = ", ".join(map(repr, SORT_ORDER_VALUES))
        raise ArgumentError(f"order must be one of {values} or None, not {order!r}", "order")


def delete(file_id: str) -> Call[None]:
    """Return the call of `Files.delete`."""
    from voyageai_rest.api.files import delete_file

    def read(response: RawResponse) -> None:
        if not delete_file.parse_response(response).deleted:
            raise _not_deleted([file_id], response)

    request = delete_file.build_request(file_id=check_id("file_id", file_id))
    return Call(request, read, method="delete")


def delete_many(file_ids: Sequence[str]) -> Call[None]:
    """Return the call of `Files.delete_many`."""
    from voyageai_rest.api.files import delete_files
    from voyageai_rest.models.delete_files_request import DeleteFilesRequest

    if isinstance(file_ids, str) or not isinstance(file_ids, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance]  # given by a user
        raise ArgumentError("file_ids must be a list of ids; delete() takes one", "file_ids")
    ids = [check_id(f"file_ids[{place}]", id) for place, id in enumerate(file_ids)]

    def read(response: RawResponse) -> None:
        answer = delete_files.parse_response(response)
        if not answer.success:
            raise _not_deleted(or_none(answer.error_file_ids) or [], response)

    request = delete_files.build_request(body=DeleteFilesRequest(file_ids=ids))
    return Call(request, read, method="delete_many")


def content(file_id: str, *, whole: bool) -> Call[Stream]:
    """Return the call that opens the content of a file.

    Args:
        file_id: Id of the file.
        whole: True if the deadline of the call is for the whole content.
    """
    from voyageai_rest.api.files import retrieve_file_content

    request = retrieve_file_content.build_request(file_id=check_id("file_id", file_id))
    return Call(request, _opened, streamed=True, bounded=whole)


def check_id(argument: str, id: object) -> str:
    """Return a possible id of a file or a batch unchanged.

    Raises:
        ArgumentError: `id` is no string that is a single segment of a path.
    """
    if not is_id(id):
        shown = printable(repr(id), SHOWN)
        raise ArgumentError(
            f"{argument} must be an id, as the server gave it, not {shown}", argument
        )
    return cast("str", id)


def page_of(limit: int | None, after: str | None) -> PageParams:
    """Return the parameters of a page of a list.

    Raises:
        ArgumentError: `limit` is not an integer from 1, or `after` is not an id.
    """
    if limit is not None and (type(limit) is not int or limit < 1):
        raise ArgumentError(
            f"limit must be a whole number, 1 or more, or None, not {limit!r}", "limit"
        )
    if after is not None:
        check_id("after", after)
    return {"limit": _unset(limit), "after": _unset(after)}


def _opened(response: RawResponse) -> Stream:
    if response.status_code not in (200, 206):
        raise status_error(response)
    return cast("Stream", response)  # streamed calls get a Stream


def _file(parse: Callable[[RawResponse], Any], response: RawResponse) -> FileObject:
    return FileObject.of(parse(response), response.headers.get(REQUEST_ID))


def _not_deleted(file_ids: Sequence[str], response: RawResponse) -> NotDeletedError:
    raised = NotDeletedError(
        f"No file was deleted, as these can't be: {', '.join(file_ids) or 'the server names none'}",
        response.content,
        response.status_code,
        json.loads(response.content),
        response.headers,
    )
    raised.file_ids = tuple(file_ids)
    return raised


def _unset(value: V | None) -> V | Unset:
    return UNSET if value is None else value
