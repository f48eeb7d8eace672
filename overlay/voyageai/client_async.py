"""The client for code that does other things while it waits for its answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, Unpack, cast

from ._base import _BaseClient  # pyright: ignore[reportPrivateUsage]  # of this package
from .raw import Raw, asked, raw_async

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer
    from voyageai_rest.catalogue import (
        ContextualizedEmbeddingsModel,
        EmbeddingsModel,
        MultimodalEmbeddingsModel,
        RerankModel,
    )
    from voyageai_rest.models import InputType, OutputDtype

    from .batches import AsyncBatches
    from .calls import Call
    from .files import AsyncFiles
    from .options import (
        CallOptions,
        ContextualizedEmbedOptions,
        EmbedOptions,
        MultimodalEmbedOptions,
        RerankOptions,
    )
    from .results import (
        ContextualizedEmbeddingsObject,
        EmbeddingsObject,
        MultimodalEmbeddingsObject,
        RerankingObject,
    )

T = TypeVar("T")


class AsyncClient(_BaseClient):
    """The same as `Client`, without blocking.

    Takes the same arguments. It holds one pool of connections per event loop: use it as an
    asynchronous context manager, or call `aclose`.

    Warning: As with `Client`, a pickled one holds its API key in plain text.

    Example:
        >>> async def first_vector():
        ...     async with voyageai.AsyncClient() as vo:
        ...         return (await vo.embed(["hello world"], model="voyage-4")).embeddings[0]
        >>> len(asyncio.run(first_vector()))
        1024
    """

    def _open(self, wire: Any, http: Any) -> None:
        from .transport import AsyncTransport

        self._transport = AsyncTransport(wire, http)

    async def embed(
        self,
        texts: str | Sequence[str],
        model: EmbeddingsModel | str | None = None,
        input_type: InputType | str | None = None,
        truncation: bool | None = True,
        output_dtype: OutputDtype | str | None = None,
        output_dimension: int | None = None,
        **options: Unpack[EmbedOptions],
    ) -> EmbeddingsObject:
        """See `Client.embed`."""
        from . import calls
        from .local.helpers import embed_local, is_local_model

        model, role = calls.default_model(model), self._input_type("embed", input_type)
        if is_local_model(model):
            return await asyncio.to_thread(
                embed_local,
                texts,
                model,
                role,
                truncation is not False,
                output_dtype,
                output_dimension,
            )
        return await self._send(
            calls.embed(texts, model, role, truncation, output_dtype, output_dimension), options
        )

    async def embed_query(
        self,
        text: str | Sequence[str],
        model: EmbeddingsModel | str,
        truncation: bool | None = True,
        output_dtype: OutputDtype | str | None = None,
        output_dimension: int | None = None,
        **options: Unpack[EmbedOptions],
    ) -> EmbeddingsObject:
        """See `Client.embed_query`."""
        from .limits import check_model

        return await self.embed(
            text,
            model=check_model(model),
            input_type="query",
            truncation=truncation,
            output_dtype=output_dtype,
            output_dimension=output_dimension,
            **options,
        )

    async def embed_documents(
        self,
        texts: str | Sequence[str],
        model: EmbeddingsModel | str,
        truncation: bool | None = True,
        output_dtype: OutputDtype | str | None = None,
        output_dimension: int | None = None,
        **options: Unpack[EmbedOptions],
    ) -> EmbeddingsObject:
        """See `Client.embed_documents`."""
        from .limits import check_model

        return await self.embed(
            texts,
            model=check_model(model),
            input_type="document",
            truncation=truncation,
            output_dtype=output_dtype,
            output_dimension=output_dimension,
            **options,
        )

    async def contextualized_embed(
        self,
        inputs: Sequence[Sequence[str]] | Sequence[str],
        model: ContextualizedEmbeddingsModel | str,
        input_type: InputType | str | None = None,
        output_dtype: OutputDtype | str | None = None,
        output_dimension: int | None = None,
        chunk_fn: Callable[[str], list[str]] | None = None,
        enable_auto_chunking: bool = False,
        chunk_size: int | None = None,
        chunk_overlap: int | None = None,
        **options: Unpack[ContextualizedEmbedOptions],
    ) -> ContextualizedEmbeddingsObject:
        """See `Client.contextualized_embed`."""
        from . import calls

        return await self._send(
            calls.contextualized_embed(
                inputs,
                model,
                self._input_type("contextualized_embed", input_type),
                output_dtype,
                output_dimension,
                chunk_fn,
                enable_auto_chunking,
                chunk_size,
                chunk_overlap,
            ),
            options,
        )

    async def contextualized_embed_query(
        self,
        text: str | Sequence[str],
        model: ContextualizedEmbeddingsModel | str,
        output_dtype: OutputDtype | str | None = None,
        output_dimension: int | None = None,
        **options: Unpack[ContextualizedEmbedOptions],
    ) -> ContextualizedEmbeddingsObject:
        """See `Client.contextualized_embed_query`."""
        queries = [text] if isinstance(text, str) else text
        return await self.contextualized_embed(
            queries,
            model=model,
            input_type="query",
            output_dtype=output_dtype,
            output_dimension=output_dimension,
            **options,
        )

    async def contextualized_embed_documents(
        self,
        documents: Sequence[Sequence[str]] | Sequence[str],
        model: ContextualizedEmbeddingsModel | str,
        output_dtype: OutputDtype | str | None = None,
        output_dimension: int | None = None,
        chunk_fn: Callable[[str], list[str]] | None = None,
        enable_auto_chunking: bool = False,
        chunk_size: int | None = None,
        chunk_overlap: int | None = None,
        **options: Unpack[ContextualizedEmbedOptions],
    ) -> ContextualizedEmbeddingsObject:
        """See `Client.contextualized_embed_documents`."""
        return await self.contextualized_embed(
            documents,
            model=model,
            input_type="document",
            output_dtype=output_dtype,
            output_dimension=output_dimension,
            chunk_fn=chunk_fn,
            enable_auto_chunking=enable_auto_chunking,
            chunk_size=chunk_size,
            chunk_overlap=chunk_overlap,
            **options,
        )

    async def multimodal_embed(
        self,
        inputs: Sequence[Any],
        model: MultimodalEmbeddingsModel | str,
        input_type: InputType | str | None = None,
        truncation: bool | None = True,
        output_dtype: OutputDtype | str | None = None,
        output_dimension: int | None = None,
        **options: Unpack[MultimodalEmbedOptions],
    ) -> MultimodalEmbeddingsObject:
        """See `Client.multimodal_embed`."""
        from . import calls

        return await self._send(
            calls.multimodal_embed(
                await _prepared(inputs, model),
                model,
                self._input_type("multimodal_embed", input_type),
                truncation,
                output_dtype,
                output_dimension,
            ),
            options,
        )

    async def multimodal_embed_query(
        self,
        inputs: Sequence[Any],
        model: MultimodalEmbeddingsModel | str,
        truncation: bool | None = True,
        output_dtype: OutputDtype | str | None = None,
        output_dimension: int | None = None,
        **options: Unpack[MultimodalEmbedOptions],
    ) -> MultimodalEmbeddingsObject:
        """See `Client.multimodal_embed_query`."""
        return await self.multimodal_embed(
            inputs,
            model=model,
            input_type="query",
            truncation=truncation,
            output_dtype=output_dtype,
            output_dimension=output_dimension,
            **options,
        )

    async def multimodal_embed_documents(
        self,
        inputs: Sequence[Any],
        model: MultimodalEmbeddingsModel | str,
        truncation: bool | None = True,
        output_dtype: OutputDtype | str | None = None,
        output_dimension: int | None = None,
        **options: Unpack[MultimodalEmbedOptions],
    ) -> MultimodalEmbeddingsObject:
        """See `Client.multimodal_embed_documents`."""
        return await self.multimodal_embed(
            inputs,
            model=model,
            input_type="document",
            truncation=truncation,
            output_dtype=output_dtype,
            output_dimension=output_dimension,
            **options,
        )

    async def rerank(
        self,
        query: str,
        documents: Sequence[str],
        model: RerankModel | str,
        top_k: int | None = None,
        truncation: bool | None = True,
        **options: Unpack[RerankOptions],
    ) -> RerankingObject:
        """See `Client.rerank`."""
        from . import calls

        return await self._send(calls.rerank(query, documents, model, top_k, truncation), options)

    async def atokenizer(self, model: str) -> Tokenizer:
        """See `Client.tokenizer`."""
        return await asyncio.to_thread(self.tokenizer, model)

    async def atokenize(self, texts: Sequence[str], model: str | None = None) -> list[Encoding]:
        """See `Client.tokenize`."""
        return await asyncio.to_thread(self.tokenize, texts, model)

    async def acount_tokens(self, texts: Sequence[str], model: str | None = None) -> int:
        """See `Client.count_tokens`."""
        return await asyncio.to_thread(self.count_tokens, texts, model)

    async def acount_usage(self, inputs: Sequence[Any], model: str) -> dict[str, int]:
        """See `Client.count_usage`."""
        return await asyncio.to_thread(self.count_usage, inputs, model)

    @property
    def files(self) -> AsyncFiles:
        """See `Client.files`."""
        from .files import AsyncFiles

        return AsyncFiles(self)

    @property
    def batches(self) -> AsyncBatches:
        """See `Client.batches`."""
        from .batches import AsyncBatches

        return AsyncBatches(self)

    @property
    def with_raw_response(self) -> AsyncWithRawResponse:
        """See `Client.with_raw_response`."""
        return AsyncWithRawResponse(self)

    async def aclose(self) -> None:
        """Close the connections that were opened on this event loop."""
        if self._owner:
            await self._transport.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def _send(self, call: Call[T], options: CallOptions) -> T:
        raw = asked(self._transport, call.method)
        return cast("T", await self._transport.run(call, *self._ready(options, call.body), raw=raw))


async def _prepared(inputs: Any, model: str) -> Any:
    """Inputs whose pictures and videos are encoded, which takes long, in a thread."""
    from .media import has_media, prepare

    return await asyncio.to_thread(prepare, inputs, model) if has_media(inputs) else inputs


class AsyncWithRawResponse(Raw[AsyncClient]):
    """The methods of `AsyncClient`, with answers as they came."""

    embed = raw_async(AsyncClient.embed)
    embed_query = raw_async(AsyncClient.embed_query)
    embed_documents = raw_async(AsyncClient.embed_documents)
    contextualized_embed = raw_async(AsyncClient.contextualized_embed)
    contextualized_embed_query = raw_async(AsyncClient.contextualized_embed_query)
    contextualized_embed_documents = raw_async(AsyncClient.contextualized_embed_documents)
    multimodal_embed = raw_async(AsyncClient.multimodal_embed)
    multimodal_embed_query = raw_async(AsyncClient.multimodal_embed_query)
    multimodal_embed_documents = raw_async(AsyncClient.multimodal_embed_documents)
    rerank = raw_async(AsyncClient.rerank)
