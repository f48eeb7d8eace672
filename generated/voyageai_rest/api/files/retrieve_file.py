"""Retrieve a file's metadata. (`GET /files/{file_id}`)"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...models.file_object import FileObject
from ...status import status_error
from ...types import RawResponse, Request, Response, parse_json, segment

if TYPE_CHECKING:
    from ...client import Client


def build_request(*, file_id: str) -> Request:
    """Return the size, name, purpose and timestamps of a stored file, without its content.

    Args:
        file_id: Id of the file.

    Returns:
        The request, which can be sent to any base URL.
    """
    return Request(operation="retrieve_file", method="GET", path=f"/files/{segment(file_id)}")


def parse_response(response: RawResponse) -> FileObject:
    """Read the response to a request of this operation.

    Args:
        response: Any object with `status_code`, `headers` and `content`.

    Returns:
        The file.

    Raises:
        StatusError: The status is not a success.
        MalformedResponse: The body is not what the contract says.
    """
    if response.status_code == 200:
        return parse_json(response, FileObject.from_dict)
    raise status_error(response)


def send(*, client: Client, file_id: str) -> Response[FileObject]:
    """Build the request, send it, and read the response.

    Raises:
        StatusError: The status is not a success.
        MalformedResponse: The body is not what the contract says.
        httpx2.HTTPError: No response is received.
    """
    response = client.send(build_request(file_id=file_id))
    return Response(
        status_code=response.status_code, headers=response.headers, parsed=parse_response(response)
    )


async def send_async(*, client: Client, file_id: str) -> Response[FileObject]:
    """Send without blocking: like `send`, with the same result and the same errors."""
    response = await client.send_async(build_request(file_id=file_id))
    return Response(
        status_code=response.status_code, headers=response.headers, parsed=parse_response(response)
    )
