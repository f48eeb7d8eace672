"""Reset all rate limits of a project. (`POST /api/atlas/v2/groups/{group_id}/aiModelApiRateLimits:reset`)"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...models.model_rate_limit_page import ModelRateLimitPage
from ...status import status_error
from ...types import RawResponse, Request, Response, parse_json, segment

if TYPE_CHECKING:
    from ...client import Client


def build_request(*, group_id: str) -> Request:
    """Reset every limit of the project to the organization's.

    Args:
        group_id: Id of the project.

    Returns:
        The request, which can be sent to any base URL.
    """
    return Request(
        operation="reset_group_rate_limits",
        method="POST",
        path=f"/api/atlas/v2/groups/{segment(group_id)}/aiModelApiRateLimits:reset",
        accept="application/vnd.atlas.2025-03-12+json",
    )


def parse_response(response: RawResponse) -> ModelRateLimitPage:
    """Read the response to a request of this operation.

    Args:
        response: Any object with `status_code`, `headers` and `content`.

    Returns:
        The limits in effect after the change.

    Raises:
        StatusError: The status is not a success.
        MalformedResponse: The body is not what the contract says.
    """
    if response.status_code == 200:
        return parse_json(response, ModelRateLimitPage.from_dict)
    raise status_error(response)


def send(*, client: Client, group_id: str) -> Response[ModelRateLimitPage]:
    """Build the request, send it, and read the response.

    Raises:
        StatusError: The status is not a success.
        MalformedResponse: The body is not what the contract says.
        httpx2.HTTPError: No response is received.
    """
    response = client.send(build_request(group_id=group_id))
    return Response(
        status_code=response.status_code, headers=response.headers, parsed=parse_response(response)
    )


async def send_async(*, client: Client, group_id: str) -> Response[ModelRateLimitPage]:
    """Send without blocking: like `send`, with the same result and the same errors."""
    response = await client.send_async(build_request(group_id=group_id))
    return Response(
        status_code=response.status_code, headers=response.headers, parsed=parse_response(response)
    )
