"""Voyage AI embedding and reranking API: a typed client, generated from its OpenAPI description.

    from voyageai_rest import Client
    from voyageai_rest.api.embeddings import create_embeddings
    from voyageai_rest.models import EmbeddingsRequest

    with Client(api_key="<your API key>") as client:
        request = EmbeddingsRequest(input=["hello"], model="voyage-4", input_type="document")
        answer = create_embeddings.send(client=client, body=request)
    print(answer.parsed.usage.total_tokens)

Each module under `api` is one operation: `build_request` and `parse_response` do no I/O, and
`send` and `send_async` do both with a client. Importing this package loads no HTTP library.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .client import Client

__all__ = ("Client",)


def __getattr__(name: str) -> object:
    if name == "Client":
        from .client import Client

        return Client
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
