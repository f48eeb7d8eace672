"""Retrieve a batch job. (`GET /batches/{batch_id}`)"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...models.batch import Batch
from ...status import status_error
from ...types import RawResponse, Request, Response, parse_json, segment

if TYPE_CHECKING:
    from ...client import Client


def build_request(*, batch_id: str) -> Request:
    """Return the status of a job, its request counts, and the ids of its files.

    Args:
        batch_id: Id of the job.

    Returns:
        The request, which can be sent to any base URL.
    """
    return Request(operation="retrieve_batch", method="GET", path=f"/batches/{segment(batch_id)}")


def parse_response(response: RawResponse) -> Batch:
    """Read the response to a request of this operation.

    Args:
        response: Any object with `status_code`, `headers` and `content`.

    Returns:
        The job.

    Raises:
        StatusError: The status is not a success.
        MalformedResponse: The body is not what the contract says.
    """
    if response.status_code == 200:
        return parse_json(response, Batch.from_dict)
    raise status_error(response)


def send(*, client: Client, batch_id: str) -> Response[Batch]:
    """Build the request, send it, and read the response.

    Raises:
        StatusError: The status is not a success.
        MalformedResponse: The body is not what the contract says.
        httpx2.HTTPError: No response is received.
    """
    response = client.send(build_request(batch_id=batch_id))
    return Response(
        status_code=response.status_code, headers=response.headers, parsed=parse_response(response)
    )


async def send_async(*, client: Client, batch_id: str) -> Response[Batch]:
    """Send without blocking: like `send`, with the same result and the same errors."""
    response = await client.send_async(build_request(batch_id=batch_id))
    return Response(
        status_code=response.status_code, headers=response.headers, parsed=parse_response(response)
    )
