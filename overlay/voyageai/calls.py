"""What to send, and how to read the answer: arguments become a `Call`, without any I/O.

The generated operations spell paths, keys and shapes; they are imported with the first call.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from attrs import field, frozen
from voyageai_rest.errors import REQUEST_ID
from voyageai_rest.types import UNSET, RawResponse, Request, Unset

from ._utils import stacklevel
from .bounds import Bounds, of_scores, of_vectors
from .inputs.contextualized import ChunkFunction, check_chunking, check_documents
from .inputs.texts import check_text, check_texts
from .limits import check_embedding, check_flag, check_model, check_number, constraint, known
from .prompts import guard
from .ratelimit.tokens import estimate_rerank_tokens, estimate_tokens
from .results import (
    ContextualizedEmbeddingsObject,
    EmbeddingsObject,
    MultimodalEmbeddingsObject,
    RerankingObject,
    Result,
)

if TYPE_CHECKING:
    from voyageai_rest.models import InputType, OutputDtype
    from voyageai_rest.types import Model

T_co = TypeVar("T_co", covariant=True)
V = TypeVar("V")
R = TypeVar("R", bound=Result)


@frozen
class Call(Generic[T_co]):
    """A request, and how to read its answer.

    Attributes:
        request: What is sent.
        read: Makes the result; raises `voyageai_rest.errors.ResponseError` or `ShapeError`.
        model: The model it is for, whose rate limit holds.
        tokens: Estimates its tokens; asked only where there is a rate limit.
        repeatable: Whether it may be sent again when it may have been carried out.
        doubt: What to say where it may have been carried out and is not sent again.
        streamed: Whether the body of a success is left to be read piece by piece; `read` is given
            a `transport.streams.Stream` then.
        bounded: Whether a body that is streamed has the call's deadline too.
        method: The client's or the resource's method that it is for.
        on_sent: Called whenever a piece of a file that is uploaded is on its way.
        body: What the request was made of, where it takes fields that are no arguments too.
        bounds: The most that a right answer can be.
    """

    request: Request
    read: Callable[[RawResponse], T_co]
    model: str = ""
    tokens: Callable[[], int] = int
    repeatable: bool = True
    doubt: str = "it is not sent again, as it may have been carried out"
    streamed: bool = False
    bounded: bool = False
    method: str = ""
    on_sent: Callable[[], object] | None = None
    body: Model | None = None
    bounds: Bounds = field(factory=Bounds)


def embed(
    texts: str | Sequence[str],
    model: str,
    input_type: InputType | str | None,
    truncation: bool | None,
    output_dtype: OutputDtype | str | None,
    output_dimension: int | None,
) -> Call[EmbeddingsObject]:
    """See `Client.embed`."""
    from voyageai_rest.api.embeddings import create_embeddings
    from voyageai_rest.models.embeddings_request import EmbeddingsRequest

    bounds = constraint("EmbeddingsRequest", "input")
    if isinstance(texts, str):
        value: str | list[str] = check_text(texts, "texts", bounds)
    else:
        value = check_texts(texts, "texts", bounds)
    listed = [value] if isinstance(value, str) else value
    role, dtype = check_embedding(model, input_type, output_dtype, output_dimension)
    check_flag("truncation", truncation)
    guard(listed, role, model)
    body = EmbeddingsRequest(
        input=value,
        model=model,
        input_type=_given(role),
        truncation=_given(truncation),
        output_dtype=_given(dtype),
        output_dimension=_given(output_dimension),
        encoding_format="base64",
    )
    most = of_vectors(model, output_dimension, len(listed), listed)

    def read(response: RawResponse) -> EmbeddingsObject:
        parsed = create_embeddings.parse_response(response)
        result = EmbeddingsObject(
            parsed, dtype=dtype, dimension=output_dimension, expected=len(listed)
        )
        return _identified(result, response, most)

    request = create_embeddings.build_request(body=body)
    return Call(
        request,
        read,
        model,
        partial(estimate_tokens, listed),
        method="embed",
        body=body,
        bounds=most,
    )


def contextualized_embed(
    inputs: Sequence[Sequence[str]] | Sequence[str],
    model: str,
    input_type: InputType | str | None,
    output_dtype: OutputDtype | str | None,
    output_dimension: int | None,
    chunk_fn: ChunkFunction | None,
    enable_auto_chunking: bool,
    chunk_size: int | None,
    chunk_overlap: int | None,
) -> Call[ContextualizedEmbeddingsObject]:
    """See `Client.contextualized_embed`."""
    from voyageai_rest.api.embeddings import create_contextualized_embeddings
    from voyageai_rest.models.contextualized_embeddings_request import (
        ContextualizedEmbeddingsRequest,
    )

    check_flag("enable_auto_chunking", enable_auto_chunking)
    check_chunking(chunk_fn, enable_auto_chunking, chunk_size, chunk_overlap)
    documents = check_documents(inputs, input_type, chunk_fn, enable_auto_chunking)
    role, dtype = check_embedding(model, input_type, output_dtype, output_dimension)
    guard((chunks[0] for chunks in documents), role, model)
    body = ContextualizedEmbeddingsRequest(
        inputs=documents,
        model=model,
        input_type=_given(role),
        output_dtype=_given(dtype),
        output_dimension=_given(output_dimension),
        encoding_format="base64",
        enable_auto_chunking=enable_auto_chunking or UNSET,
        chunk_size=_given(chunk_size),
        chunk_overlap=_given(chunk_overlap),
    )
    counts = len(documents) if enable_auto_chunking else [len(chunks) for chunks in documents]
    chunks = list(chain.from_iterable(documents))
    # A server that splits documents makes no chunk without a character of its own.
    rows = sum(map(len, chunks)) if enable_auto_chunking else len(chunks)
    entry = known(model)
    if entry and entry.max_request_chunks:
        rows = min(rows, entry.max_request_chunks)
    most = of_vectors(model, output_dimension, rows, chunks, echoed=1 + (chunk_overlap or 0))

    def read(response: RawResponse) -> ContextualizedEmbeddingsObject:
        parsed = create_contextualized_embeddings.parse_response(response)
        texts = documents if chunk_fn is not None else None
        result = ContextualizedEmbeddingsObject(
            parsed, texts, dtype=dtype, dimension=output_dimension, expected=counts
        )
        return _identified(result, response, most)

    request = create_contextualized_embeddings.build_request(body=body)
    return Call(
        request,
        read,
        model,
        partial(estimate_tokens, chunks),
        method="contextualized_embed",
        body=body,
        bounds=most,
    )


def multimodal_embed(
    inputs: Sequence[Any],
    model: str,
    input_type: InputType | str | None,
    truncation: bool | None,
    output_dtype: OutputDtype | str | None,
    output_dimension: int | None,
) -> Call[MultimodalEmbeddingsObject]:
    """See `Client.multimodal_embed`."""
    from voyageai_rest.api.embeddings import create_multimodal_embeddings
    from voyageai_rest.models.multimodal_embeddings_request import MultimodalEmbeddingsRequest

    from .inputs.multimodal import check_inputs, estimate_inputs, texts_of
    from .media import prepare

    # Before pictures are encoded, which takes long.
    role, dtype = check_embedding(model, input_type, output_dtype, output_dimension)
    check_flag("truncation", truncation)
    checked = check_inputs(prepare(inputs, model))
    guard(texts_of(checked), role, model)
    body = MultimodalEmbeddingsRequest(
        inputs=checked,
        model=model,
        input_type=_given(role),
        truncation=_given(truncation),
        output_dtype=_given(dtype),
        output_dimension=_given(output_dimension),
        encoding_format="base64",
    )

    most = of_vectors(model, output_dimension, len(checked), texts_of(checked), media=True)

    def read(response: RawResponse) -> MultimodalEmbeddingsObject:
        parsed = create_multimodal_embeddings.parse_response(response)
        result = MultimodalEmbeddingsObject(
            parsed, dtype=dtype, dimension=output_dimension, expected=len(checked)
        )
        return _identified(result, response, most)

    request = create_multimodal_embeddings.build_request(body=body)
    return Call(
        request,
        read,
        model,
        partial(estimate_inputs, checked, model),
        method="multimodal_embed",
        body=body,
        bounds=most,
    )


def rerank(
    query: str,
    documents: Sequence[str],
    model: str,
    top_k: int | None,
    truncation: bool | None,
) -> Call[RerankingObject]:
    """See `Client.rerank`."""
    from voyageai_rest.api.reranking import rerank as operation
    from voyageai_rest.models.rerank_request import RerankRequest

    check_text(query, "query", constraint("RerankRequest", "query"))
    texts = check_texts(documents, "documents", constraint("RerankRequest", "documents"))
    check_model(model)
    check_flag("truncation", truncation)
    check_number("RerankRequest", "top_k", top_k)
    body = RerankRequest(
        query=query,
        documents=texts,
        model=model,
        top_k=_given(top_k),
        truncation=_given(truncation),
    )

    # What the API makes of less than one is not documented.
    expected = None if top_k is not None and top_k < 1 else min(top_k or len(texts), len(texts))
    most = of_scores(query, texts)

    def read(response: RawResponse) -> RerankingObject:
        result = RerankingObject(texts, operation.parse_response(response), expected=expected)
        return _identified(result, response, most)

    request = operation.build_request(body=body)
    return Call(
        request,
        read,
        model,
        partial(estimate_rerank_tokens, query, texts),
        method="rerank",
        body=body,
        bounds=most,
    )


def default_model(model: str | None) -> str:
    """The model, or the official client's default with its warning."""
    import voyageai

    if model is not None:
        return model
    warnings.warn(
        "The `model` argument is not specified and defaults to "
        f"{voyageai.VOYAGE_EMBED_DEFAULT_MODEL}. "
        "It will be required in the future; current models are better and cost less. "
        "Please see https://docs.voyageai.com/docs/embeddings for a list.",
        UserWarning,
        stacklevel=stacklevel(),
    )
    return voyageai.VOYAGE_EMBED_DEFAULT_MODEL


def _identified(result: R, response: RawResponse, most: Bounds) -> R:
    most.check_tokens(result.total_tokens)
    result.request_id = response.headers.get(REQUEST_ID)
    return result


def _given(value: V | None) -> V | Unset:
    """Arguments left at None are not sent, which the API takes for their defaults."""
    return UNSET if value is None else value
