"""Atlas model API keys and rate limits: a typed client, generated from its OpenAPI description.

    from voyageai_admin_rest import Client
    from voyageai_admin_rest.api.keys import list_group_model_keys
    from voyageai_admin_rest.client import ClientCredentials

    with Client(auth=ClientCredentials("<your client id>", "<its secret>")) as client:
        answer = list_group_model_keys.send(client=client, group_id="<id of your project>")
    print([key.name for key in answer.parsed.results])

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
