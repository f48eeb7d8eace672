"""Download a file. (`GET /files/{file_id}/content`)"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...status import status_error
from ...types import RawResponse, Request, Response, segment

if TYPE_CHECKING:
    from ...client import Client


def build_request(*, file_id: str) -> Request:
    """Return the content of a file as bytes. It is JSON Lines for all known purposes.

    Args:
        file_id: Id of the file.

    Returns:
        The request, which can be sent to any base URL.
    """
    return Request(
        operation="retrieve_file_content", method="GET", path=f"/files/{segment(file_id)}/content"
    )


def parse_response(response: RawResponse) -> bytes:
    """Read the response to a request of this operation.

    Args:
        response: Any object with `status_code`, `headers` and `content`.

    Returns:
        The content of the file.

    Raises:
        StatusError: The status is not a success.
        MalformedResponse: The body is not what the contract says.
    """
    if response.status_code == 200:
        return response.content
    raise status_error(response)


def send(*, client: Client, file_id: str) -> Response[bytes]:
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


async def send_async(*, client: Client, file_id: str) -> Response[bytes]:
    """Send without blocking: like `send`, with the same result and the same errors."""
    response = await client.send_async(build_request(file_id=file_id))
    return Response(
        status_code=response.status_code, headers=response.headers, parsed=parse_response(response)
    )
