"""List the rate limits of a project. (`GET /api/atlas/v2/groups/{group_id}/aiModelApiRateLimits`)"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...models.model_rate_limit_page import ModelRateLimitPage
from ...status import status_error
from ...types import UNSET, RawResponse, Request, Response, Unset, parse_json, segment

if TYPE_CHECKING:
    from ...client import Client


def build_request(
    *, group_id: str, items_per_page: int | Unset = UNSET, page_num: int | Unset = UNSET
) -> Request:
    """Return one page of limits, with an entry per group of models, cloud and geography.

    Args:
        group_id: Id of the project.
        items_per_page: Maximum number of items per page. The server's default is 100.
        page_num: Number of the page, from 1. The server's default is 1.

    Returns:
        The request, which can be sent to any base URL.
    """
    params: dict[str, Any] = {"itemsPerPage": items_per_page, "pageNum": page_num}
    return Request(
        operation="get_group_model_limits",
        method="GET",
        path=f"/api/atlas/v2/groups/{segment(group_id)}/aiModelApiRateLimits",
        params={name: value for name, value in params.items() if value is not UNSET},
        accept="application/vnd.atlas.2025-03-12+json",
    )


def parse_response(response: RawResponse) -> ModelRateLimitPage:
    """Read the response to a request of this operation.

    Args:
        response: Any object with `status_code`, `headers` and `content`.

    Returns:
        One page of limits.

    Raises:
        StatusError: The status is not a success.
        MalformedResponse: The body is not what the contract says.
    """
    if response.status_code == 200:
        return parse_json(response, ModelRateLimitPage.from_dict)
    raise status_error(response)


def send(
    *,
    client: Client,
    group_id: str,
    items_per_page: int | Unset = UNSET,
    page_num: int | Unset = UNSET,
) -> Response[ModelRateLimitPage]:
    """Build the request, send it, and read the response.

    Raises:
        StatusError: The status is not a success.
        MalformedResponse: The body is not what the contract says.
        httpx2.HTTPError: No response is received.
    """
    response = client.send(
        build_request(group_id=group_id, items_per_page=items_per_page, page_num=page_num)
    )
    return Response(
        status_code=response.status_code, headers=response.headers, parsed=parse_response(response)
    )


async def send_async(
    *,
    client: Client,
    group_id: str,
    items_per_page: int | Unset = UNSET,
    page_num: int | Unset = UNSET,
) -> Response[ModelRateLimitPage]:
    """Send without blocking: like `send`, with the same result and the same errors."""
    response = await client.send_async(
        build_request(group_id=group_id, items_per_page=items_per_page, page_num=page_num)
    )
    return Response(
        status_code=response.status_code, headers=response.headers, parsed=parse_response(response)
    )
