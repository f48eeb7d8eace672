"""Cancel a batch job. (`POST /batches/{batch_id}/cancel`)"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...models.batch import Batch
from ...status import status_error
from ...types import RawResponse, Request, Response, parse_json, segment

if TYPE_CHECKING:
    from ...client import Client


def build_request(*, batch_id: str) -> Request:
    """Cancel a job with the status `validating` or `in_progress`; jobs with another status can't
    be cancelled. The job is then `cancelling` for up to ten minutes. Its output file has the
    lines that were finished, and its error file has the others.

    Args:
        batch_id: Id of the job.

    Returns:
        The request, which can be sent to any base URL.
    """
    return Request(
        operation="cancel_batch", method="POST", path=f"/batches/{segment(batch_id)}/cancel"
    )


def parse_response(response: RawResponse) -> Batch:
    """Read the response to a request of this operation.

    Args:
        response: Any object with `status_code`, `headers` and `content`.

    Returns:
        The job, with the status `cancelling`.

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
