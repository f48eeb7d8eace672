"""Handlers of the three embedding endpoints: texts, chunks of documents, and multimodal inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from voyageai_rest.models import (
    ChunkEmbedding,
    ContextualizedEmbeddingsRequest,
    ContextualizedEmbeddingsResponse,
    DocumentEmbeddings,
    Embedding,
    EmbeddingsRequest,
    EmbeddingsResponse,
    ImageBase64Content,
    ImageUrlContent,
    MultimodalEmbeddingsRequest,
    MultimodalEmbeddingsResponse,
    MultimodalInput,
    MultimodalUsage,
    TextContent,
    TokenUsage,
    VideoBase64Content,
    VideoUrlContent,
)
from voyageai_rest.types import UNSET

from . import model_limits, tokenizer
from .error_messages import invalid_argument
from .media import MediaItem, UnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from voyageai_rest.catalogue import Model

    from .media import MediaReader
    from .model_limits import ModelContext

__all__ = ["chunk_documents", "embed_documents", "embed_inputs", "embed_texts"]

BY_URL = {ImageUrlContent, VideoUrlContent}
AS_DATA = {ImageBase64Content, VideoBase64Content}

ADVICE = (
    "Contextualized chunk embeddings do not support truncation. Either lower the number of tokens "
    'in the listed example(s), or pass `enable_auto_chunking=true` with `input_type="document"` '
    "and one string per input to have the server split oversize documents."
)
CHUNKING_ADVICE = "Please lower the number of tokens in the listed example(s)."


def embed_texts(body: dict[str, Any], context: ModelContext) -> EmbeddingsResponse:
    """Answer a request for the embeddings of texts."""
    request = EmbeddingsRequest.from_dict(body)
    model = model_limits.find(request.model, context.models)
    form = model_limits.output(
        model, request.output_dimension, request.output_dtype, request.encoding_format
    )
    texts = [request.input] if isinstance(request.input, str) else request.input
    texts, tokens = model_limits.fit(model, texts, truncation=bool(request.truncation))
    model_limits.check_request_tokens(model, sum(tokens))
    passages = [model_limits.passage(model, text, request.input_type) for text in texts]
    vectors = form.write(context.engine.embed(passages, model_limits.space(model), form.dimension))
    return EmbeddingsResponse(
        object="list",
        data=_data(vectors),
        model=request.model,
        usage=TokenUsage(total_tokens=sum(tokens)),
    )


def _data(vectors: Iterable[list[float] | str]) -> list[Embedding]:
    return [
        Embedding(object="embedding", embedding=vector, index=index)
        for index, vector in enumerate(vectors)
    ]


# Chunks of documents


def embed_documents(
    body: dict[str, Any], context: ModelContext
) -> ContextualizedEmbeddingsResponse:
    """Answer a request for the contextualized embeddings of chunks."""
    request = ContextualizedEmbeddingsRequest.from_dict(body)
    chunking = bool(request.enable_auto_chunking)
    _check_arguments(request)
    model = model_limits.find(request.model, context.models)
    form = model_limits.output(
        model, request.output_dimension, request.output_dtype, request.encoding_format
    )
    documents = [[item] if isinstance(item, str) else item for item in request.inputs]
    limit = model.auto_chunking_context_length if chunking else model.context_length
    tokens = [sum(tokenizer.counts(document, limit)) for document in documents]
    for index, number in enumerate(tokens):
        if limit is not None and number > limit:
            raise model_limits.too_long(
                model, index, CHUNKING_ADVICE if chunking else ADVICE, limit
            )
    model_limits.check_request_tokens(model, sum(tokens))
    if chunking:
        documents = chunk_documents(
            documents, model, request.chunk_size or 1, request.chunk_overlap or 0
        )
    chunks, max_chunks = sum(map(len, documents)), model.max_request_chunks
    if max_chunks is not None and chunks > max_chunks:
        raise model_limits.failed(
            model,
            f"The max allowed chunks per submitted batch is {max_chunks}. "
            f"Your batch has {f'more than {max_chunks}' if chunking else chunks} chunks.",
        )
    vectors = context.engine.embed_chunks(
        [
            [model_limits.passage(model, text, request.input_type) for text in texts]
            for texts in documents
        ],
        model_limits.space(model),
        form.dimension,
    )
    return ContextualizedEmbeddingsResponse(
        object="list",
        data=[
            DocumentEmbeddings(
                object="list",
                index=index,
                data=[
                    ChunkEmbedding(
                        object="embedding",
                        embedding=vector,
                        index=position,
                        text=text if chunking else UNSET,
                    )
                    for position, (vector, text) in enumerate(
                        zip(form.write(matrix), texts, strict=True)
                    )
                ],
            )
            for index, (matrix, texts) in enumerate(zip(vectors, documents, strict=True))
        ],
        model=request.model,
        usage=TokenUsage(total_tokens=sum(tokens)),
        chunker_version=tokenizer.CHUNKER_VERSION if chunking else UNSET,
    )


def _check_arguments(request: ContextualizedEmbeddingsRequest) -> None:
    """Check combinations of arguments.

    Raises:
        ApiError: The `inputs`, `input_type` and chunking arguments contradict each other.
    """
    chunking, query = bool(request.enable_auto_chunking), request.input_type == "query"
    flat = all(isinstance(item, str) for item in request.inputs)
    single = flat or all(len(item) == 1 for item in request.inputs)
    if chunking and request.input_type != "document":
        raise invalid_argument("input_type", "enable_auto_chunking requires input_type 'document'")
    if chunking and not single:
        raise invalid_argument("inputs", "with enable_auto_chunking each input holds one document")
    if flat and not chunking and not query:
        raise invalid_argument(
            "inputs", "a flat list needs enable_auto_chunking or input_type 'query'"
        )
    if query and not single:
        raise invalid_argument("inputs", "with input_type 'query' each input holds one query")
    if chunking and (request.chunk_overlap or 0) >= (request.chunk_size or 1):
        raise invalid_argument("chunk_overlap", "chunk_overlap must be less than chunk_size")


def chunk_documents(
    documents: list[list[str]], model: Model, size: int, overlap: int
) -> list[list[str]]:
    """Split documents of one text each into chunks, up to one more than the model accepts."""
    # Even a short text can give many overlapping chunks, which take long to make.
    left = None if model.max_request_chunks is None else model.max_request_chunks + 1
    chunked: list[list[str]] = []
    for document in documents:
        chunks = tokenizer.split_into_chunks(document[0], size, overlap, left)
        left = None if left is None else left - len(chunks)
        chunked.append(chunks)
    return chunked


# Multimodal inputs


class _Input(NamedTuple):
    """A multimodal input after truncation."""

    text: str
    text_tokens: int
    media: tuple[MediaItem, ...]

    @property
    def tokens(self) -> int:
        return self.text_tokens + sum(item.tokens for item in self.media)

    def pixels(self, kind: str) -> int:
        return sum(item.pixels for item in self.media if item.kind == kind)


def embed_inputs(body: dict[str, Any], context: ModelContext) -> MultimodalEmbeddingsResponse:
    """Answer a request for the embeddings of multimodal inputs."""
    request = MultimodalEmbeddingsRequest.from_dict(body)
    kinds = {type(part) for item in request.inputs for part in item.content}
    if kinds & BY_URL and kinds & AS_DATA:
        raise invalid_argument(
            "inputs", "a request must have its images and videos either by URL or as data, not both"
        )
    model = model_limits.find(request.model, context.models)
    if "video" not in model.modalities and kinds & {VideoUrlContent, VideoBase64Content}:
        raise model_limits.failed(model, "The model does not support video inputs.")
    form = model_limits.output(
        model, request.output_dimension, request.output_dtype, request.encoding_format
    )
    contents = [
        _read(item, index, context.media, model) for index, item in enumerate(request.inputs)
    ]
    inputs = [
        _fit(content, model, index, truncation=bool(request.truncation))
        for index, content in enumerate(contents)
    ]
    total = sum(item.tokens for item in inputs)
    model_limits.check_request_tokens(model, total)
    passages = [
        model_limits.passage(
            model, item.text, request.input_type, tuple(media.visual_words for media in item.media)
        )
        for item in inputs
    ]
    vectors = form.write(context.engine.embed(passages, model_limits.space(model), form.dimension))
    return MultimodalEmbeddingsResponse(
        object="list",
        data=_data(vectors),
        model=request.model,
        usage=MultimodalUsage(
            text_tokens=sum(item.text_tokens for item in inputs),
            image_pixels=sum(item.pixels("image") for item in inputs),
            video_pixels=sum(item.pixels("video") for item in inputs),
            total_tokens=total,
        ),
    )


def _read(
    item: MultimodalInput, index: int, reader: MediaReader, model: Model
) -> list[str | MediaItem]:
    """Return the parts of an input: its texts, and its images and videos decoded.

    Raises:
        ApiError: An image or a video cannot be read.
    """
    content: list[str | MediaItem] = []
    for number, part in enumerate(item.content):
        if isinstance(part, TextContent):
            content.append(part.text)
            continue
        try:
            content.append(reader.read(part, model))
        except UnreadableError as error:
            argument = f"inputs.{index}.content.{number}.{part.type}"
            raise invalid_argument(argument, str(error)) from error
    return content


def _fit(content: list[str | MediaItem], model: Model, index: int, *, truncation: bool) -> _Input:
    """Return an input that fits the model's context length; its texts are counted as one text.

    If the input is too long, its parts are kept in order as long as they fit. The first part that
    does not fit is truncated if it is a text, and dropped if it is an image or video.

    Raises:
        ApiError: The input is too long, and `truncation` is false.
    """
    limit = model.context_length
    texts = [part for part in content if isinstance(part, str)]
    whole = _Input(
        "\n".join(texts),
        tokenizer.count("".join(texts), limit),
        tuple(part for part in content if not isinstance(part, str)),
    )
    if limit is None or whole.tokens <= limit:
        return whole
    if not truncation:
        raise model_limits.too_long(model, index)
    kept, media, text_tokens, left = list[str](), list[MediaItem](), 0, limit
    for part in content:
        tokens = tokenizer.count(part, left) if isinstance(part, str) else part.tokens
        if isinstance(part, str):
            kept.append(tokenizer.truncate(part, left))
            text_tokens += min(tokens, left)
        elif tokens <= left:
            media.append(part)
        if tokens > left:
            break
        left -= tokens
    return _Input("\n".join(kept), text_tokens, tuple(media))
