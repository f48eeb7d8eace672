"""Methods about batch jobs that give the answer as it came."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..files.raw import RawResource, raw, raw_async
from .resource import Batches
from .resource_async import AsyncBatches

if TYPE_CHECKING:
    from ..client import Client
    from ..client_async import AsyncClient


class RawBatches(RawResource[Batches]):
    """The methods of `Batches` that make one call, with answers as they came.

    Example:
        >>> file = vo.files.upload([{"custom_id": "a", "body": {"input": ["Rain."]}}])
        >>> answer = vo.batches.with_raw_response.create(
        ...     "/v1/embeddings", file.id, {"model": "voyage-4"}
        ... )
        >>> answer.status_code, answer.parse().status
        (200, 'validating')
    """

    def __init__(self, client: Client) -> None:
        super().__init__(Batches(client), client)

    create = raw(Batches.create, "create")
    retrieve = raw(Batches.retrieve, "retrieve")
    cancel = raw(Batches.cancel, "cancel")


class AsyncRawBatches(RawResource[AsyncBatches]):
    """The methods of `AsyncBatches` that make one call, with answers as they came."""

    def __init__(self, client: AsyncClient) -> None:
        super().__init__(AsyncBatches(client), client)

    create = raw_async(AsyncBatches.create, "create")
    retrieve = raw_async(AsyncBatches.retrieve, "retrieve")
    cancel = raw_async(AsyncBatches.cancel, "cancel")
