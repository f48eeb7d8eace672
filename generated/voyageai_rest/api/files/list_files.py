"""List files. (`GET /files`)"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...models.file_list import FileList
from ...status import status_error
from ...types import UNSET, RawResponse, Request, Response, Unset, parse_json

if TYPE_CHECKING:
    from ...client import Client
    from ...models.sort_order import SortOrder


def build_request(
    *,
    purpose: str | Unset = UNSET,
    limit: int | Unset = UNSET,
    order: SortOrder | Unset = UNSET,
    after: str | Unset = UNSET,
) -> Request:
    """Return one page of the project's files, newest first by default.

    Args:
        purpose: Return only files with this purpose.
        limit: Maximum number of files per page. The server's default is 10000.
        order: Sort order, ascending or descending. The server's default is desc.
        after: Id of the last file of the previous page, its `last_id`; the page starts after
            this file.

    Returns:
        The request, which can be sent to any base URL.
    """
    params: dict[str, Any] = {"purpose": purpose, "limit": limit, "order": order, "after": after}
    return Request(
        operation="list_files",
        method="GET",
        path="/files",
        params={name: value for name, value in params.items() if value is not UNSET},
    )


def parse_response(response: RawResponse) -> FileList:
    """Read the response to a request of this operation.

    Args:
        response: Any object with `status_code`, `headers` and `content`.

    Returns:
        A page of files.

    Raises:
        StatusError: The status is not a success.
        MalformedResponse: The body is not what the contract says.
    """
    if response.status_code == 200:
        return parse_json(response, FileList.from_dict)
    raise status_error(response)


def send(
    *,
    client: Client,
    purpose: str | Unset = UNSET,
    limit: int | Unset = UNSET,
    order: SortOrder | Unset = UNSET,
    after: str | Unset = UNSET,
) -> Response[FileList]:
    """Build the request, send it, and read the response.

    Raises:
        StatusError: The status is not a success.
        MalformedResponse: The body is not what the contract says.
        httpx2.HTTPError: No response is received.
    """
    response = client.send(build_request(purpose=purpose, limit=limit, order=order, after=after))
    return Response(
        status_code=response.status_code, headers=response.headers, parsed=parse_response(response)
    )


async def send_async(
    *,
    client: Client,
    purpose: str | Unset = UNSET,
    limit: int | Unset = UNSET,
    order: SortOrder | Unset = UNSET,
    after: str | Unset = UNSET,
) -> Response[FileList]:
    """Send without blocking: like `send`, with the same result and the same errors."""
    response = await client.send_async(
        build_request(purpose=purpose, limit=limit, order=order, after=after)
    )
    return Response(
        status_code=response.status_code, headers=response.headers, parsed=parse_response(response)
    )
