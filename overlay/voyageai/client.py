"""The blocking client."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, Unpack, cast

from ._base import BaseSender, _BaseClient
from .results.raw import Raw, raw, returns_raw

if TYPE_CHECKING:
    from voyageai_rest.catalogue import (
        ContextualizedEmbeddingsModel,
        EmbeddingsModel,
        MultimodalEmbeddingsModel,
        RerankModel,
    )
    from voyageai_rest.models import InputType, OutputDtype

    from .batches import Batches
    from .calls import Call
    from .files import Files
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
    from .tables.resource import Tables

# pyright: reportPrivateUsage=false
# Senders belong to the clients that they send for.

T = TypeVar("T")


class Client(_BaseClient):
    """A client of the Voyage AI API.

    Safe to share between threads. It holds a pool of connections: use it as a context manager, call
    `close`, or keep it for the life of the process.

    Args:
        api_key: The API key. Without it, the first of these that is set: the file named by
            `voyageai.api_key_path`, the file named by VOYAGE_API_KEY_PATH, `voyageai.api_key`,
            VOYAGE_API_KEY. Without any, the first call explains what is missing.
        max_retries: Number of retries of a call after transient errors, or a
            `voyageai.RetryPolicy`.
        timeout: Seconds for each attempt as a whole, above 0, or an `httpx2.Timeout` for its
            phases; None means 600 seconds for each phase.
        base_url: URL, or name of a host: `voyage`, `atlas`, `us`, `eu`. By default VOYAGE_BASE_URL,
            or else the host that the key belongs to.
        deadline: Seconds for a whole call, retries and waits included.
        rate_limit: A usage tier (`"free"`, 1, 2 or 3), a `voyageai.RateLimit` or a
            `voyageai.RateLimiter`: calls wait in a queue instead of being refused.
        http_client: An `httpx2.Client` of your own, which the client never closes.
        transport: An httpx2 transport of your own, such as `httpx2.MockTransport`, in place of
            `http_client`; the client never closes it.
        proxy: URL of a proxy, or URLs by scheme. By default `voyageai.proxy`, or HTTPS_PROXY,
            HTTP_PROXY, ALL_PROXY and NO_PROXY.
        verify: False to trust any certificate, the path of a file or folder of trusted
            certificates, or an `ssl.SSLContext`. By default the system's certificates, or those
            named by SSL_CERT_FILE, SSL_CERT_DIR, REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE.
        limits: Limits of the pool of connections, as `httpx2.Limits`.
        input_types: Default input types by method, such as `{"embed": "document"}`.
        tokenizers: Tokenizers, or paths of their `tokenizer.json`, by model, in place of the
            published ones.
        max_response_bytes: Most bytes of a response's body. By default several times the size of a
            correct response to the request. Contents of files have no limit.
        open_telemetry: True or False to record calls and jobs as spans and metrics or not, or the
            settings of `voyageai.options.OpenTelemetry`. By default VOYAGE_OPEN_TELEMETRY, or else
            True if the program has imported OpenTelemetry.
        deployment: The deployment that serves the models in place of the API: one of
            `voyageai.deployments`, or a string such as `azure+http://10.0.0.4`.
        single_model: The only model of the host: calls may leave it out, and requests do.
        default_headers: Headers of every request.
        auth: An `httpx2.Auth` in place of the API key. It sees each attempt with its final bytes.

    All methods also take `timeout`, `deadline`, `max_retries`, `extra_headers` and `extra_body` for
    that call alone, and, by name, every field of their request that is not in the signature.

    Raises:
        AuthenticationError: A key file can't be read, or its content or another value can't be a
            key.
        ArgumentError: An argument is wrong, such as a `base_url` that is neither a URL nor the name
            of a host, an unusable proxy, or an asynchronous `http_client`.

    A copy of a client shares its connections. A pickled client opens its own when it is unpickled.

    Warning: A pickled client holds its API key and its default headers in plain text, as one of the
    official client holds its key, so that it works in the process that it is sent to. Keep the
    pickle as secret as the key.

    Example:
        >>> with voyageai.Client() as vo:
        ...     result = vo.embed(["hello world"], model="voyage-4")
        >>> len(result.embeddings[0])
        1024

    Source: https://docs.voyageai.com/docs/api-key-and-installation
    """

    def _open(self, config: Any, http: Any) -> None:
        from .transport import Transport

        self._transport = Transport(config, http)

    def embed(
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
            >>> result = vo.embed(["Where are the keys?"], model="voyage-4", input_type="query")
            >>> len(result.embeddings), result.total_tokens > 0
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
            return embed_local(texts, model, **calls.for_local(fields))
        return self._send(calls.embed(texts, model, fields), own)

    def embed_query(
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
            >>> query = vo.embed_query("Where are the keys?", model="voyage-4")
            >>> len(query)
            1
        """
        from .calls import text_or_texts

        model = self._model(model)
        text_or_texts(text, "text")  # checked here, as `embed` names the argument differently
        return self.embed(
            text,
            model=model,
            input_type="query",
            truncation=truncation,
            output_dtype=output_dtype,
            output_dimension=output_dimension,
            **options,
        )

    def embed_documents(
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
            >>> documents = vo.embed_documents(["On the table.", "It rains."], model="voyage-4")
            >>> len(documents)
            2
        """
        return self.embed(
            texts,
            model=self._model(model),
            input_type="document",
            truncation=truncation,
            output_dtype=output_dtype,
            output_dimension=output_dimension,
            **options,
        )

    def contextualized_embed(
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
            >>> result = vo.contextualized_embed(
            ...     [["The river rose.", "It fell in May."]], model="voyage-context-4"
            ... )
            >>> len(result.results[0].embeddings)
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
        return self._send(call, own)

    def contextualized_embed_query(
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
            >>> query = vo.contextualized_embed_query("When did it fall?", "voyage-context-4")
            >>> len(query.results[0].embeddings)
            1
        """
        from .calls import text_or_texts

        queries = [text] if isinstance(text, str) else text
        if isinstance(text, str):
            text_or_texts(text, "text")  # checked here, as `embed` names the argument differently
        return self.contextualized_embed(
            queries,
            model=model,
            input_type="query",
            output_dtype=output_dtype,
            output_dimension=output_dimension,
            **options,
        )

    def contextualized_embed_documents(
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
            >>> result = vo.contextualized_embed_documents(
            ...     ["The river rose. It fell in May."],
            ...     model="voyage-context-4",
            ...     enable_auto_chunking=True,
            ... )
            >>> result.chunk_texts
            [['The river rose. It fell in May.']]
        """
        return self.contextualized_embed(
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

    def multimodal_embed(
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
            >>> result = vo.multimodal_embed([["A cat.", cat]], model="voyage-multimodal-3.5")
            >>> len(result.embeddings)
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
        return self._send(calls.multimodal_embed(inputs, self._model(model), fields), own)

    def multimodal_embed_query(
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
            >>> result = vo.multimodal_embed_query([["A cat."]], "voyage-multimodal-3.5")
            >>> len(result)
            1
        """
        return self.multimodal_embed(
            inputs,
            model=model,
            input_type="query",
            truncation=truncation,
            output_dtype=output_dtype,
            output_dimension=output_dimension,
            **options,
        )

    def multimodal_embed_documents(
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
            >>> result = vo.multimodal_embed_documents([["A cat."]], "voyage-multimodal-3.5")
            >>> len(result)
            1
        """
        return self.multimodal_embed(
            inputs,
            model=model,
            input_type="document",
            truncation=truncation,
            output_dtype=output_dtype,
            output_dimension=output_dimension,
            **options,
        )

    def rerank(
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
            >>> ranking = vo.rerank(
            ...     "Where are the keys?", ["It rains.", "The keys are on the table."], "rerank-2.5"
            ... )
            >>> ranking.results[0].document
            'The keys are on the table.'

        Source: https://docs.voyageai.com/reference/reranker-api
        """
        from . import calls

        fields, own = self._arguments("rerank", options, top_k=top_k, truncation=truncation)
        return self._send(calls.rerank(query, documents, self._model(model), fields), own)

    @property
    def files(self) -> Files:
        """Input and output files of batch jobs: a `voyageai.files.Files`."""
        from .files import Files

        self._check_offered("files")
        return Files(_Sender(self))

    @property
    def batches(self) -> Batches:
        """Batch jobs, which are cheaper than live calls: a `voyageai.batches.Batches`."""
        from .batches import Batches

        self._check_offered("batches")
        return Batches(_Sender(self))

    @property
    def tables(self) -> Tables:
        """Tables of any size, sent live or as batches: a `voyageai.tables.Tables`."""
        from .tables.resource import Tables

        return Tables(_Sender(self))

    @property
    def with_raw_response(self) -> WithRawResponse:
        """The same methods, returning raw responses: status, headers, bytes, and `parse()`."""
        return WithRawResponse(self, self._transport)

    def close(self) -> None:
        """Close all connections."""
        if self._owns_transport:
            self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _send(self, call: Call[T], options: CallOptions, *, inner: bool = False) -> T:
        if self._kind is not None:
            call = self._for_deployment(call)
        raw = returns_raw(self._transport, call.method)
        settings = self._call_settings(options, call.method, inner=inner)
        return cast("T", self._transport.run(call, *settings, raw=raw))


class _Sender(BaseSender[Client]):
    """The `flow.Sender` of a client: the part that files, batches and tables depend on."""

    @property
    def environment(self) -> Environment:
        """Clocks and randomness."""
        return self._client._transport.environment

    @property
    def transport(self) -> object:
        """The transport, which copies of a client share."""
        return self._client._transport

    def send(self, call: Call[T], options: CallOptions) -> T:
        """Send a call and return its result."""
        return self._client._send(call, options, inner=True)

    def sleep(self, seconds: float) -> None:
        """Block for a number of seconds."""
        self._client._transport.sleep(seconds)


class WithRawResponse(Raw[Client]):
    """The methods of `Client`, returning raw responses.

    Example:
        >>> answer = vo.with_raw_response.embed(["a"], model="voyage-4")
        >>> answer.status_code, len(answer.parse())
        (200, 1)
    """

    embed = raw(Client.embed)
    embed_query = raw(Client.embed_query)
    embed_documents = raw(Client.embed_documents)
    contextualized_embed = raw(Client.contextualized_embed)
    contextualized_embed_query = raw(Client.contextualized_embed_query)
    contextualized_embed_documents = raw(Client.contextualized_embed_documents)
    multimodal_embed = raw(Client.multimodal_embed)
    multimodal_embed_query = raw(Client.multimodal_embed_query)
    multimodal_embed_documents = raw(Client.multimodal_embed_documents)
    rerank = raw(Client.rerank)
