"""List batch jobs. (`GET /batches`)"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...models.batch_list import BatchList
from ...status import status_error
from ...types import UNSET, RawResponse, Request, Response, Unset, parse_json

if TYPE_CHECKING:
    from ...client import Client


def build_request(*, limit: int | Unset = UNSET, after: str | Unset = UNSET) -> Request:
    """Return one page of the project's jobs.

    Args:
        limit: Maximum number of jobs per page. The server's default is 20.
        after: Id of the last job of the previous page, its `last_id`; the page starts after
            this job.

    Returns:
        The request, which can be sent to any base URL.
    """
    params: dict[str, Any] = {"limit": limit, "after": after}
    return Request(
        operation="list_batches",
        method="GET",
        path="/batches",
        params={name: value for name, value in params.items() if value is not UNSET},
    )


def parse_response(response: RawResponse) -> BatchList:
    """Read the response to a request of this operation.

    Args:
        response: Any object with `status_code`, `headers` and `content`.

    Returns:
        A page of jobs.

    Raises:
        StatusError: The status is not a success.
        MalformedResponse: The body is not what the contract says.
    """
    if response.status_code == 200:
        return parse_json(response, BatchList.from_dict)
    raise status_error(response)


def send(
    *, client: Client, limit: int | Unset = UNSET, after: str | Unset = UNSET
) -> Response[BatchList]:
    """Build the request, send it, and read the response.

    Raises:
        StatusError: The status is not a success.
        MalformedResponse: The body is not what the contract says.
        httpx2.HTTPError: No response is received.
    """
    response = client.send(build_request(limit=limit, after=after))
    return Response(
        status_code=response.status_code, headers=response.headers, parsed=parse_response(response)
    )


async def send_async(
    *, client: Client, limit: int | Unset = UNSET, after: str | Unset = UNSET
) -> Response[BatchList]:
    """Send without blocking: like `send`, with the same result and the same errors."""
    response = await client.send_async(build_request(limit=limit, after=after))
    return Response(
        status_code=response.status_code, headers=response.headers, parsed=parse_response(response)
    )
