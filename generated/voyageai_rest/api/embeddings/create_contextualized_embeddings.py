"""Embed chunks in the context of their documents. (`POST /contextualizedembeddings`)"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...models.contextualized_embeddings_response import ContextualizedEmbeddingsResponse
from ...status import status_error
from ...types import RawResponse, Request, Response, parse_json

if TYPE_CHECKING:
    from ...client import Client
    from ...models.contextualized_embeddings_request import ContextualizedEmbeddingsRequest


def build_request(*, body: ContextualizedEmbeddingsRequest) -> Request:
    """Return one vector for each chunk, which reflects the chunk and the rest of its document.
    Each inner list of `inputs` holds the chunks of one document, in order. With auto-chunking,
    the server splits whole documents into chunks.

    Args:
        body: The JSON to send.

    Returns:
        The request, which can be sent to any base URL.
    """
    return Request(
        operation="create_contextualized_embeddings",
        method="POST",
        path="/contextualizedembeddings",
        json=body.to_dict(),
    )


def parse_response(response: RawResponse) -> ContextualizedEmbeddingsResponse:
    """Read the response to a request of this operation.

    Args:
        response: Any object with `status_code`, `headers` and `content`.

    Returns:
        One entry per document, with one vector per chunk.

    Raises:
        StatusError: The status is not a success.
        MalformedResponse: The body is not what the contract says.
    """
    if response.status_code == 200:
        return parse_json(response, ContextualizedEmbeddingsResponse.from_dict)
    raise status_error(response)


def send(
    *, client: Client, body: ContextualizedEmbeddingsRequest
) -> Response[ContextualizedEmbeddingsResponse]:
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


async def send_async(
    *, client: Client, body: ContextualizedEmbeddingsRequest
) -> Response[ContextualizedEmbeddingsResponse]:
    """Send without blocking: like `send`, with the same result and the same errors."""
    response = await client.send_async(build_request(body=body))
    return Response(
        status_code=response.status_code, headers=response.headers, parsed=parse_response(response)
    )
