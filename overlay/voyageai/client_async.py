"""The asynchronous client."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, Unpack, cast

from ._base import BaseSender, _BaseClient
from .results.raw import Raw, raw_async, returns_raw

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
    from .flow import Environment
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
    from .tables.resource_async import AsyncTables

# pyright: reportPrivateUsage=false
# Senders belong to the clients that they send for.

T = TypeVar("T")


class AsyncClient(_BaseClient):
    """An asynchronous client of the Voyage AI API, with the arguments of `Client`.

    It holds a pool of connections per event loop: use it as an asynchronous context manager, or
    call `aclose`.

    Warning: As with `Client`, a pickled client holds its API key in plain text.

    Example:
        >>> async def first_vector():
        ...     async with voyageai.AsyncClient() as vo:
        ...         return (await vo.embed(["hello world"], model="voyage-4")).embeddings[0]
        >>> len(asyncio.run(first_vector()))
        1024
    """

    def _open(self, config: Any, http: Any) -> None:
        from .transport import AsyncTransport

        self._transport = AsyncTransport(config, http)

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
        """Embed texts.

        Args:
            texts: A list of texts, or a single text. A request takes up to 1,000, and the model
                limits their tokens.
            model: Name of a text embedding model.
            input_type: `query` for search queries, `document` for the texts to be searched, None
                for no prompt before the texts. `voyageai.prompts` shows the prompts.
            truncation: True, the default, to truncate texts to the context length; False to raise
                for longer ones.
            output_dtype: `float` (the default), `int8`, `uint8`, `binary` or `ubinary`.
            output_dimension: Dimension of the vectors, one of the model's; None for its default.

        Returns:
            One vector per text, in the order of the texts.

        Raises:
            ArgumentError: An argument is wrong; nothing was sent.
            VoyageError: The call failed.

        Example:
            >>> texts = ["Where are the keys?"]
            >>> async def main():
            ...     async with voyageai.AsyncClient() as vo:
            ...         result = await vo.embed(texts, model="voyage-4", input_type="query")
            ...         return len(result.embeddings), result.total_tokens > 0
            >>> asyncio.run(main())
            (1, True)

        Source: https://docs.voyageai.com/reference/embeddings-api
        """
        from . import calls
        from .local.helpers import embed_local
        from .local.model_registry import SUPPORTED_MODELS

        fields, own = self._arguments(
            "embed",
            options,
            input_type=input_type,
            truncation=truncation,
            output_dtype=output_dtype,
            output_dimension=output_dimension,
        )
        if model is None:
            model = calls.default_model() if self._kind is None else self._model(None)
        if model in SUPPORTED_MODELS:
            return await asyncio.to_thread(embed_local, texts, model, **calls.for_local(fields))
        return await self._send(calls.embed(texts, model, fields), own)

    async def embed_query(
        self,
        text: str | Sequence[str],
        model: EmbeddingsModel | str | None = None,
        truncation: bool | None = True,
        output_dtype: OutputDtype | str | None = None,
        output_dimension: int | None = None,
        **options: Unpack[EmbedOptions],
    ) -> EmbeddingsObject:
        """Embed search queries: `embed` with `input_type="query"`.

        Args:
            text: A query, or a list of queries.
            model, truncation, output_dtype, output_dimension: As in `embed`.

        Returns:
            One vector per query.

        Raises:
            ArgumentError: An argument is wrong; nothing was sent.
            VoyageError: The call failed.

        Example:
            >>> async def main():
            ...     async with voyageai.AsyncClient() as vo:
            ...         query = await vo.embed_query("Where are the keys?", model="voyage-4")
            ...         return len(query)
            >>> asyncio.run(main())
            1
        """
        from .calls import text_or_texts

        model = self._model(model)
        text_or_texts(text, "text")  # checked here, as `embed` names the argument differently
        return await self.embed(
            text,
            model=model,
            input_type="query",
            truncation=truncation,
            output_dtype=output_dtype,
            output_dimension=output_dimension,
            **options,
        )

    async def embed_documents(
        self,
        texts: str | Sequence[str],
        model: EmbeddingsModel | str | None = None,
        truncation: bool | None = True,
        output_dtype: OutputDtype | str | None = None,
        output_dimension: int | None = None,
        **options: Unpack[EmbedOptions],
    ) -> EmbeddingsObject:
        """Embed documents to be searched: `embed` with `input_type="document"`.

        Args:
            texts: A list of texts, or a single text.
            model, truncation, output_dtype, output_dimension: As in `embed`.

        Returns:
            One vector per text, in the order of the texts.

        Raises:
            ArgumentError: An argument is wrong; nothing was sent.
            VoyageError: The call failed.

        Example:
            >>> texts = ["On the table.", "It rains."]
            >>> async def main():
            ...     async with voyageai.AsyncClient() as vo:
            ...         documents = await vo.embed_documents(texts, model="voyage-4")
            ...         return len(documents)
            >>> asyncio.run(main())
            2
        """
        return await self.embed(
            texts,
            model=self._model(model),
            input_type="document",
            truncation=truncation,
            output_dtype=output_dtype,
            output_dimension=output_dimension,
            **options,
        )

    async def contextualized_embed(
        self,
        inputs: Sequence[Sequence[str]] | Sequence[str],
        model: ContextualizedEmbeddingsModel | str | None = None,
        input_type: InputType | str | None = None,
        output_dtype: OutputDtype | str | None = None,
        output_dimension: int | None = None,
        chunk_fn: Callable[[str], list[str]] | None = None,
        enable_auto_chunking: bool = False,
        chunk_size: int | None = None,
        chunk_overlap: int | None = None,
        **options: Unpack[ContextualizedEmbedOptions],
    ) -> ContextualizedEmbeddingsObject:
        """Embed chunks in the context of their documents.

        Args:
            inputs: Documents, each a list of its chunks in order; or a flat list of texts, with
                `input_type="query"` or auto-chunking.
            model: Name of a contextualized embedding model.
            input_type: `query`, `document` or None, as in `embed`.
            output_dtype: As in `embed`.
            output_dimension: As in `embed`.
            chunk_fn: A function that splits a text into chunks before they are sent.
            enable_auto_chunking: True to let the server split the documents; needs
                `input_type="document"`.
            chunk_size: Most tokens of a chunk, with auto-chunking.
            chunk_overlap: Tokens that neighbouring chunks share, with auto-chunking.

        Returns:
            One result per document, with one vector per chunk.

        Raises:
            ArgumentError: An argument is wrong; nothing was sent.
            VoyageError: The call failed.

        Example:
            >>> async def main():
            ...     async with voyageai.AsyncClient() as vo:
            ...         result = await vo.contextualized_embed(
            ...             [["The river rose.", "It fell in May."]], model="voyage-context-4"
            ...         )
            ...         return len(result.results[0].embeddings)
            >>> asyncio.run(main())
            2

        Source: https://docs.voyageai.com/docs/contextualized-chunk-embeddings
        """
        from . import calls

        fields, own = self._arguments(
            "contextualized_embed",
            options,
            input_type=input_type,
            output_dtype=output_dtype,
            output_dimension=output_dimension,
            enable_auto_chunking=enable_auto_chunking,
            chunk_size=chunk_size,
            chunk_overlap=chunk_overlap,
        )
        call = calls.contextualized_embed(inputs, self._model(model), chunk_fn, fields)
        return await self._send(call, own)

    async def contextualized_embed_query(
        self,
        text: str | Sequence[str],
        model: ContextualizedEmbeddingsModel | str | None = None,
        output_dtype: OutputDtype | str | None = None,
        output_dimension: int | None = None,
        **options: Unpack[ContextualizedEmbedOptions],
    ) -> ContextualizedEmbeddingsObject:
        """Embed search queries: `contextualized_embed` with `input_type="query"`.

        Args:
            text: A query, or a list of queries.
            model, output_dtype, output_dimension: As in `contextualized_embed`.

        Returns:
            One result per query, with one vector.

        Raises:
            ArgumentError: An argument is wrong; nothing was sent.
            VoyageError: The call failed.

        Example:
            >>> async def main():
            ...     async with voyageai.AsyncClient() as vo:
            ...         query = await vo.contextualized_embed_query("When?", "voyage-context-4")
            ...         return len(query.results[0].embeddings)
            >>> asyncio.run(main())
            1
        """
        from .calls import text_or_texts

        queries = [text] if isinstance(text, str) else text
        if isinstance(text, str):
            text_or_texts(text, "text")  # checked here, as `embed` names the argument differently
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
        model: ContextualizedEmbeddingsModel | str | None = None,
        output_dtype: OutputDtype | str | None = None,
        output_dimension: int | None = None,
        chunk_fn: Callable[[str], list[str]] | None = None,
        enable_auto_chunking: bool = False,
        chunk_size: int | None = None,
        chunk_overlap: int | None = None,
        **options: Unpack[ContextualizedEmbedOptions],
    ) -> ContextualizedEmbeddingsObject:
        """Embed documents to be searched: `contextualized_embed` with `input_type="document"`.

        Args:
            documents: Documents, each a list of its chunks; or whole texts with auto-chunking.
            model, output_dtype, output_dimension: As in `contextualized_embed`.
            chunk_fn, enable_auto_chunking, chunk_size, chunk_overlap: As in
                `contextualized_embed`.

        Returns:
            One result per document, with one vector per chunk.

        Raises:
            ArgumentError: An argument is wrong; nothing was sent.
            VoyageError: The call failed.

        Example:
            >>> async def main():
            ...     async with voyageai.AsyncClient() as vo:
            ...         result = await vo.contextualized_embed_documents(
            ...             ["The river rose. It fell in May."],
            ...             model="voyage-context-4",
            ...             enable_auto_chunking=True,
            ...         )
            ...         return result.chunk_texts
            >>> asyncio.run(main())
            [['The river rose. It fell in May.']]
        """
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
        model: MultimodalEmbeddingsModel | str | None = None,
        input_type: InputType | str | None = None,
        truncation: bool | None = True,
        output_dtype: OutputDtype | str | None = None,
        output_dimension: int | None = None,
        **options: Unpack[MultimodalEmbedOptions],
    ) -> MultimodalEmbeddingsObject:
        """Embed sequences of texts, images and videos.

        Args:
            inputs: A list of lists of texts, images and videos, or of dicts such as
                `{"content": [{"type": "text", "text": "A cat."}, {"type": "image_url",
                "image_url": "https://..."}]}` with parts of type `text`, `image_url`,
                `image_base64`, `video_url` or `video_base64`, where base64 means a data URL. An
                image is bytes, a path, a binary file, a Pillow image, an array of bytes of shape
                (height, width) or (height, width, 3 or 4), or a `voyageai.ImageUrl`; a video is a
                `voyageai.video_utils.Video` or a `voyageai.VideoUrl`. Images need the extra
                `images`: they are rotated upright, put on white where transparent, and sent without
                loss.
            model: Name of a multimodal embedding model.
            input_type: `query`, `document` or None, as in `embed`.
            truncation: True, the default, to truncate inputs to the context length, which drops an
                image as a whole; False to raise for longer ones.
            output_dtype: As in `embed`.
            output_dimension: As in `embed`.

        Returns:
            One vector per input, in the order of the inputs.

        Raises:
            ArgumentError: An argument is wrong; nothing was sent.
            VoyageError: The call failed.

        Example:
            >>> from PIL import Image
            >>> cat = Image.new("RGB", (300, 200), "orange")
            >>> inputs = [["A cat.", cat]]
            >>> async def main():
            ...     async with voyageai.AsyncClient() as vo:
            ...         result = await vo.multimodal_embed(inputs, model="voyage-multimodal-3.5")
            ...         return len(result.embeddings)
            >>> asyncio.run(main())
            1

        Source: https://docs.voyageai.com/docs/multimodal-embeddings
        """
        from . import calls

        fields, own = self._arguments(
            "multimodal_embed",
            options,
            input_type=input_type,
            truncation=truncation,
            output_dtype=output_dtype,
            output_dimension=output_dimension,
        )
        model = self._model(model)
        prepared = await _prepared(inputs, model)
        return await self._send(calls.multimodal_embed(prepared, model, fields), own)

    async def multimodal_embed_query(
        self,
        inputs: Sequence[Any],
        model: MultimodalEmbeddingsModel | str | None = None,
        truncation: bool | None = True,
        output_dtype: OutputDtype | str | None = None,
        output_dimension: int | None = None,
        **options: Unpack[MultimodalEmbedOptions],
    ) -> MultimodalEmbeddingsObject:
        """Embed search queries: `multimodal_embed` with `input_type="query"`.

        Args:
            inputs, model, truncation, output_dtype, output_dimension: As in `multimodal_embed`.

        Returns:
            One vector per input, in the order of the inputs.

        Raises:
            ArgumentError: An argument is wrong; nothing was sent.
            VoyageError: The call failed.

        Example:
            >>> async def main():
            ...     async with voyageai.AsyncClient() as vo:
            ...         result = await vo.multimodal_embed_query(
            ...             [["A cat."]], model="voyage-multimodal-3.5"
            ...         )
            ...         return len(result)
            >>> asyncio.run(main())
            1
        """
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
        model: MultimodalEmbeddingsModel | str | None = None,
        truncation: bool | None = True,
        output_dtype: OutputDtype | str | None = None,
        output_dimension: int | None = None,
        **options: Unpack[MultimodalEmbedOptions],
    ) -> MultimodalEmbeddingsObject:
        """Embed documents to be searched: `multimodal_embed` with `input_type="document"`.

        Args:
            inputs, model, truncation, output_dtype, output_dimension: As in `multimodal_embed`.

        Returns:
            One vector per input, in the order of the inputs.

        Raises:
            ArgumentError: An argument is wrong; nothing was sent.
            VoyageError: The call failed.

        Example:
            >>> async def main():
            ...     async with voyageai.AsyncClient() as vo:
            ...         result = await vo.multimodal_embed_documents(
            ...             [["A cat."]], model="voyage-multimodal-3.5"
            ...         )
            ...         return len(result)
            >>> asyncio.run(main())
            1
        """
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
        model: RerankModel | str | None = None,
        top_k: int | None = None,
        truncation: bool | None = True,
        **options: Unpack[RerankOptions],
    ) -> RerankingObject:
        """Rank documents by their relevance to a query.

        Args:
            query: The query.
            documents: A list of texts. A request takes up to 1,000, and the model limits their
                tokens.
            model: Name of a reranker.
            top_k: Number of best documents to return; None for all.
            truncation: True, the default, to truncate a query and documents that are too long;
                False to raise for them.

        Returns:
            The documents with their scores, the most relevant first.

        Raises:
            ArgumentError: An argument is wrong; nothing was sent.
            VoyageError: The call failed.

        Example:
            >>> documents = ["It rains.", "The keys are on the table."]
            >>> async def main():
            ...     async with voyageai.AsyncClient() as vo:
            ...         ranking = await vo.rerank("Where are the keys?", documents, "rerank-2.5")
            ...         return ranking.results[0].document
            >>> asyncio.run(main())
            'The keys are on the table.'

        Source: https://docs.voyageai.com/reference/reranker-api
        """
        from . import calls

        fields, own = self._arguments("rerank", options, top_k=top_k, truncation=truncation)
        return await self._send(calls.rerank(query, documents, self._model(model), fields), own)

    async def atokenizer(self, model: str) -> Tokenizer:
        """Return the tokenizer of a model, from the library `tokenizers`; it does not truncate.

        It is fetched from the Hugging Face Hub, or from the emulator that requests go to, cached on
        disk, and loaded once per process. `HF_ENDPOINT`, `HF_HOME` and `HF_HUB_OFFLINE` are
        honoured; the client's `tokenizers` take precedence.

        Args:
            model: Name of a model.

        Returns:
            The same tokenizer each time.

        Raises:
            ImportError: The extra `tokenizers` is not installed.
            OSError: The tokenizer could not be fetched; the message says from where, and what to
                do.

        Example:
            >>> async def main():
            ...     async with voyageai.AsyncClient() as vo:
            ...         tokenizer = await vo.atokenizer("voyage-4")
            ...         return tokenizer.decode(tokenizer.encode("Where are the keys?").ids)
            >>> asyncio.run(main())
            'Where are the keys?'

        Source: https://docs.voyageai.com/docs/tokenization
        """
        return await asyncio.to_thread(self.tokenizer, model)

    async def atokenize(self, texts: Sequence[str], model: str | None = None) -> list[Encoding]:
        """Tokenize texts, without the prompt of an input type.

        Args:
            texts: A list of texts.
            model: Name of a model; by default the client's `single_model`.

        Returns:
            An encoding per text, with `len`, `tokens`, `ids` and `offsets`.

        Raises:
            ArgumentError: `texts` is not a list of strings.
            ImportError, OSError: As in `tokenizer`.

        Example:
            >>> async def main():
            ...     async with voyageai.AsyncClient() as vo:
            ...         [encoding] = await vo.atokenize(["Where are the keys?"], "voyage-4")
            ...         return len(encoding.ids) == len(encoding.tokens)
            >>> asyncio.run(main())
            True
        """
        return await asyncio.to_thread(self.tokenize, texts, model)

    async def acount_tokens(self, texts: Sequence[str], model: str | None = None) -> int:
        """Count the tokens of texts, as the API counts them for a request.

        Args:
            texts: A list of texts.
            model: Name of a model; by default the client's `single_model`.

        Raises:
            ArgumentError: `texts` is not a list of strings.
            ImportError, OSError: As in `tokenizer`.

        Example:
            >>> texts = ["Where are the keys?", "On the table."]
            >>> async def main():
            ...     async with voyageai.AsyncClient() as vo:
            ...         return await vo.acount_tokens(texts, model="voyage-4") < 120_000
            >>> asyncio.run(main())
            True
        """
        return await asyncio.to_thread(self.count_tokens, texts, model)

    async def acount_usage(self, inputs: Sequence[Any], model: str) -> dict[str, int]:
        """Count locally what inputs of `multimodal_embed` would be billed for.

        Args:
            inputs: As for `multimodal_embed`, but without URLs, which are not fetched.
            model: Name of a multimodal embedding model.

        Returns:
            `text_tokens`, `image_pixels`, `video_pixels` and `total_tokens`.

        Raises:
            ArgumentError: An input can't be read, or contains a URL.
            ImportError, OSError: As in `tokenizer`; images need the extra `images`.

        Example:
            >>> from PIL import Image
            >>> cat = Image.new("RGB", (400, 300))
            >>> async def main():
            ...     async with voyageai.AsyncClient() as vo:
            ...         return await vo.acount_usage([["A cat.", cat]], "voyage-multimodal-3.5")
            >>> asyncio.run(main())
            {'text_tokens': 3, 'image_pixels': 120000, 'video_pixels': 0, 'total_tokens': 217}

        Source: https://docs.voyageai.com/docs/tokenization
        """
        return await asyncio.to_thread(self.count_usage, inputs, model)

    @property
    def files(self) -> AsyncFiles:
        """Input and output files of batch jobs: a `voyageai.files.AsyncFiles`."""
        from .files import AsyncFiles

        self._check_offered("files")
        return AsyncFiles(_Sender(self))

    @property
    def batches(self) -> AsyncBatches:
        """Batch jobs, which are cheaper than live calls: a `voyageai.batches.AsyncBatches`."""
        from .batches import AsyncBatches

        self._check_offered("batches")
        return AsyncBatches(_Sender(self))

    @property
    def tables(self) -> AsyncTables:
        """Tables of any size, sent live or as batches: a `voyageai.tables.AsyncTables`."""
        from .tables.resource_async import AsyncTables

        return AsyncTables(_Sender(self))

    @property
    def with_raw_response(self) -> AsyncWithRawResponse:
        """The same methods, returning raw responses: status, headers, bytes, and `parse()`."""
        return AsyncWithRawResponse(self, self._transport)

    async def aclose(self) -> None:
        """Close the connections that were opened on this event loop."""
        if self._owns_transport:
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

    async def _send(self, call: Call[T], options: CallOptions, *, inner: bool = False) -> T:
        if self._kind is not None:
            call = self._for_deployment(call)
        raw = returns_raw(self._transport, call.method)
        settings = self._call_settings(options, call.method, inner=inner)
        return cast("T", await self._transport.run(call, *settings, raw=raw))


async def _prepared(inputs: Any, model: str) -> Any:
    """Encode images and videos of inputs in a thread, as that takes long."""
    from .media import has_media, prepare

    return await asyncio.to_thread(prepare, inputs, model) if has_media(inputs) else inputs


class _Sender(BaseSender[AsyncClient]):
    """The `flow.AsyncSender` of a client: the part that files, batches and tables depend on."""

    @property
    def environment(self) -> Environment:
        """Clocks and randomness."""
        return self._client._transport.environment

    @property
    def transport(self) -> object:
        """The transport, which copies of a client share."""
        return self._client._transport

    async def send(self, call: Call[T], options: CallOptions) -> T:
        """Send a call and return its result."""
        return await self._client._send(call, options, inner=True)

    async def sleep(self, seconds: float) -> None:
        """Suspend for a number of seconds."""
        await self._client._transport.sleep(seconds)


class AsyncWithRawResponse(Raw[AsyncClient]):
    """The methods of `AsyncClient`, returning raw responses."""

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
