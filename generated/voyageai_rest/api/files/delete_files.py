"""Delete several files. (`POST /files/delete`)"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...models.delete_files_response import DeleteFilesResponse
from ...status import status_error
from ...types import RawResponse, Request, Response, parse_json

if TYPE_CHECKING:
    from ...client import Client
    from ...models.delete_files_request import DeleteFilesRequest


def build_request(*, body: DeleteFilesRequest) -> Request:
    """Delete all of the files or, if one of them can't be deleted, none.

    Args:
        body: The JSON to send.

    Returns:
        The request, which can be sent to any base URL.
    """
    return Request(
        operation="delete_files", method="POST", path="/files/delete", json=body.to_dict()
    )


def parse_response(response: RawResponse) -> DeleteFilesResponse:
    """Read the response to a request of this operation.

    Args:
        response: Any object with `status_code`, `headers` and `content`.

    Returns:
        Whether the files were deleted and, if not, which ones could not be.

    Raises:
        StatusError: The status is not a success.
        MalformedResponse: The body is not what the contract says.
    """
    if response.status_code == 200:
        return parse_json(response, DeleteFilesResponse.from_dict)
    raise status_error(response)


def send(*, client: Client, body: DeleteFilesRequest) -> Response[DeleteFilesResponse]:
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


async def send_async(*, client: Client, body: DeleteFilesRequest) -> Response[DeleteFilesResponse]:
    """Send without blocking: like `send`, with the same result and the same errors."""
    response = await client.send_async(build_request(body=body))
    return Response(
        status_code=response.status_code, headers=response.headers, parsed=parse_response(response)
    )
