"""Retrieve a key of a project. (`GET /api/atlas/v2/groups/{group_id}/aiModelApiKeys/{api_key_id}`)"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...models.model_key import ModelKey
from ...status import status_error
from ...types import RawResponse, Request, Response, parse_json, segment

if TYPE_CHECKING:
    from ...client import Client


def build_request(*, group_id: str, api_key_id: str) -> Request:
    """Return a key, without its secret.

    Args:
        group_id: Id of the project.
        api_key_id: Id of the key, from a previous response.

    Returns:
        The request, which can be sent to any base URL.
    """
    return Request(
        operation="get_group_model_key",
        method="GET",
        path=f"/api/atlas/v2/groups/{segment(group_id)}/aiModelApiKeys/{segment(api_key_id)}",
        accept="application/vnd.atlas.2025-03-12+json",
    )


def parse_response(response: RawResponse) -> ModelKey:
    """Read the response to a request of this operation.

    Args:
        response: Any object with `status_code`, `headers` and `content`.

    Returns:
        The key.

    Raises:
        StatusError: The status is not a success.
        MalformedResponse: The body is not what the contract says.
    """
    if response.status_code == 200:
        return parse_json(response, ModelKey.from_dict)
    raise status_error(response)


def send(*, client: Client, group_id: str, api_key_id: str) -> Response[ModelKey]:
    """Build the request, send it, and read the response.

    Raises:
        StatusError: The status is not a success.
        MalformedResponse: The body is not what the contract says.
        httpx2.HTTPError: No response is received.
    """
    response = client.send(build_request(group_id=group_id, api_key_id=api_key_id))
    return Response(
        status_code=response.status_code, headers=response.headers, parsed=parse_response(response)
    )


async def send_async(*, client: Client, group_id: str, api_key_id: str) -> Response[ModelKey]:
    """Send without blocking: like `send`, with the same result and the same errors."""
    response = await client.send_async(build_request(group_id=group_id, api_key_id=api_key_id))
    return Response(
        status_code=response.status_code, headers=response.headers, parsed=parse_response(response)
    )
