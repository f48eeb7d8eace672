"""Create a batch job. (`POST /batches`)"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...models.batch import Batch
from ...status import status_error
from ...types import RawResponse, Request, Response, parse_json

if TYPE_CHECKING:
    from ...client import Client
    from ...models.create_batch_request import CreateBatchRequest


def build_request(*, body: CreateBatchRequest) -> Request:
    """Start a job that processes the lines of an uploaded file.

    Args:
        body: The JSON to send.

    Returns:
        The request, which can be sent to any base URL.
    """
    return Request(operation="create_batch", method="POST", path="/batches", json=body.to_dict())


def parse_response(response: RawResponse) -> Batch:
    """Read the response to a request of this operation.

    Args:
        response: Any object with `status_code`, `headers` and `content`.

    Returns:
        The job, with the status `validating`.

    Raises:
        StatusError: The status is not a success.
        MalformedResponse: The body is not what the contract says.
    """
    if response.status_code == 200:
        return parse_json(response, Batch.from_dict)
    raise status_error(response)


def send(*, client: Client, body: CreateBatchRequest) -> Response[Batch]:
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


async def send_async(*, client: Client, body: CreateBatchRequest) -> Response[Batch]:
    """Send without blocking: like `send`, with the same result and the same errors."""
    response = await client.send_async(build_request(body=body))
    return Response(
        status_code=response.status_code, headers=response.headers, parsed=parse_response(response)
    )
