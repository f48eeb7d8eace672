"""Retrieve a project's rate limits for a group of models. (`GET /api/atlas/v2/groups/{group_id}/aiModelApiClouds/{cloud}/geographies/{geography}/modelGroupNames/{model_group_name}/rateLimits`)"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...models.model_rate_limit import ModelRateLimit
from ...status import status_error
from ...types import RawResponse, Request, Response, parse_json, segment

if TYPE_CHECKING:
    from ...client import Client


def build_request(*, group_id: str, cloud: str, geography: str, model_group_name: str) -> Request:
    """Return the limits of one group, cloud and geography.

    Args:
        group_id: Id of the project.
        cloud: Cloud that the limits apply to. `ANY`, the only value today, means no specific
            cloud.
        geography: Geography that the limits apply to. `ANY` means no specific geography.
        model_group_name: Name of the group of models, from the list of limits.

    Returns:
        The request, which can be sent to any base URL.
    """
    return Request(
        operation="get_group_rate_limits",
        method="GET",
        path=f"/api/atlas/v2/groups/{segment(group_id)}/aiModelApiClouds/{segment(cloud)}/geographies/{segment(geography)}/modelGroupNames/{segment(model_group_name)}/rateLimits",
        accept="application/vnd.atlas.2025-03-12+json",
    )


def parse_response(response: RawResponse) -> ModelRateLimit:
    """Read the response to a request of this operation.

    Args:
        response: Any object with `status_code`, `headers` and `content`.

    Returns:
        The limits.

    Raises:
        StatusError: The status is not a success.
        MalformedResponse: The body is not what the contract says.
    """
    if response.status_code == 200:
        return parse_json(response, ModelRateLimit.from_dict)
    raise status_error(response)


def send(
    *, client: Client, group_id: str, cloud: str, geography: str, model_group_name: str
) -> Response[ModelRateLimit]:
    """Build the request, send it, and read the response.

    Raises:
        StatusError: The status is not a success.
        MalformedResponse: The body is not what the contract says.
        httpx2.HTTPError: No response is received.
    """
    response = client.send(
        build_request(
            group_id=group_id, cloud=cloud, geography=geography, model_group_name=model_group_name
        )
    )
    return Response(
        status_code=response.status_code, headers=response.headers, parsed=parse_response(response)
    )


async def send_async(
    *, client: Client, group_id: str, cloud: str, geography: str, model_group_name: str
) -> Response[ModelRateLimit]:
    """Send without blocking: like `send`, with the same result and the same errors."""
    response = await client.send_async(
        build_request(
            group_id=group_id, cloud=cloud, geography=geography, model_group_name=model_group_name
        )
    )
    return Response(
        status_code=response.status_code, headers=response.headers, parsed=parse_response(response)
    )
