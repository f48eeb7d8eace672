"""Upload a file. (`POST /files`)"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...models.file_object import FileObject
from ...status import status_error
from ...types import RawResponse, Request, Response, parse_json

if TYPE_CHECKING:
    from ...client import Client
    from ...models.upload_file_request import UploadFileRequest


def build_request(*, body: UploadFileRequest) -> Request:
    """Store a JSON Lines file for a batch job. The server keeps it for 30 days.

    Args:
        body: The parts to send.

    Returns:
        The request, which can be sent to any base URL.
    """
    return Request(operation="upload_file", method="POST", path="/files", parts=body.to_parts())


def parse_response(response: RawResponse) -> FileObject:
    """Read the response to a request of this operation.

    Args:
        response: Any object with `status_code`, `headers` and `content`.

    Returns:
        The stored file.

    Raises:
        StatusError: The status is not a success.
        MalformedResponse: The body is not what the contract says.
    """
    if response.status_code == 200:
        return parse_json(response, FileObject.from_dict)
    raise status_error(response)


def send(*, client: Client, body: UploadFileRequest) -> Response[FileObject]:
    """Build the request, send it, and read the response.

    Raises:
        StatusError: The status is not a success.
        MalformedResponse: The body is not what the contract says.
        httpx2.HTTPError: No response is received.
    """
    response = client.send(build_request(body=body))
    return Response(
        status_code=response.status_code, headers=response.headers, parsed=parse_response(response)
    )


async def send_async(*, client: Client, body: UploadFileRequest) -> Response[FileObject]:
    """Send without blocking: like `send`, with the same result and the same errors."""
    response = await client.send_async(build_request(body=body))
    return Response(
        status_code=response.status_code, headers=response.headers, parsed=parse_response(response)
    )
