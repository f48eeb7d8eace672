"""Create a key. (`POST /api/atlas/v2/groups/{group_id}/aiModelApiKeys`)"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...models.model_key import ModelKey
from ...status import status_error
from ...types import RawResponse, Request, Response, parse_json, segment

if TYPE_CHECKING:
    from ...client import Client
    from ...models.create_model_key_request import CreateModelKeyRequest


def build_request(*, group_id: str, body: CreateModelKeyRequest) -> Request:
    """Create a key in a project. Only this response contains the key's secret.

    Args:
        group_id: Id of the project.
        body: The JSON to send.

    Returns:
        The request, which can be sent to any base URL.
    """
    return Request(
        operation="create_group_model_key",
        method="POST",
        path=f"/api/atlas/v2/groups/{segment(group_id)}/aiModelApiKeys",
        accept="application/vnd.atlas.2025-03-12+json",
        content_type="application/vnd.atlas.2025-03-12+json",
        json=body.to_dict(),
    )


def parse_response(response: RawResponse) -> ModelKey:
    """Read the response to a request of this operation.

    Args:
        response: Any object with `status_code`, `headers` and `content`.

    Returns:
        The key, with its secret.

    Raises:
        StatusError: The status is not a success.
        MalformedResponse: The body is not what the contract says.
    """
    if response.status_code == 201:
        return parse_json(response, ModelKey.from_dict)
    raise status_error(response)


def send(*, client: Client, group_id: str, body: CreateModelKeyRequest) -> Response[ModelKey]:
    """Build the request, send it, and read the response.

    Raises:
        StatusError: The status is not a success.
        MalformedResponse: The body is not what the contract says.
        httpx2.HTTPError: No response is received.
    """
    response = client.send(build_request(group_id=group_id, body=body))
    return Response(
        status_code=response.status_code, headers=response.headers, parsed=parse_response(response)
    )


async def send_async(
    *, client: Client, group_id: str, body: CreateModelKeyRequest
) -> Response[ModelKey]:
    """Send without blocking: like `send`, with the same result and the same errors."""
    response = await client.send_async(build_request(group_id=group_id, body=body))
    return Response(
        status_code=response.status_code, headers=response.headers, parsed=parse_response(response)
    )
