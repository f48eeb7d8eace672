"""Rerank documents by their relevance to a query. (`POST /rerank`)"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...models.rerank_response import RerankResponse
from ...status import status_error
from ...types import RawResponse, Request, Response, parse_json

if TYPE_CHECKING:
    from ...client import Client
    from ...models.rerank_request import RerankRequest


def build_request(*, body: RerankRequest) -> Request:
    """Score each document against the query, and return the scores in descending order.

    Args:
        body: The JSON to send.

    Returns:
        The request, which can be sent to any base URL.
    """
    return Request(operation="rerank", method="POST", path="/rerank", json=body.to_dict())


def parse_response(response: RawResponse) -> RerankResponse:
    """Read the response to a request of this operation.

    Args:
        response: Any object with `status_code`, `headers` and `content`.

    Returns:
        One score per document, highest first, with the index of the document in the request.

    Raises:
        StatusError: The status is not a success.
        MalformedResponse: The body is not what the contract says.
    """
    if response.status_code == 200:
        return parse_json(response, RerankResponse.from_dict)
    raise status_error(response)


def send(*, client: Client, body: RerankRequest) -> Response[RerankResponse]:
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


async def send_async(*, client: Client, body: RerankRequest) -> Response[RerankResponse]:
    """Send without blocking: like `send`, with the same result and the same errors."""
    response = await client.send_async(build_request(body=body))
    return Response(
        status_code=response.status_code, headers=response.headers, parsed=parse_response(response)
    )
