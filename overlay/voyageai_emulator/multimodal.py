"""Embeddings of texts, pictures and videos together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from voyageai_rest.models import (
    Embedding,
    ImageBase64Content,
    ImageUrlContent,
    MultimodalEmbeddingsRequest,
    MultimodalEmbeddingsResponse,
    MultimodalInput,
    MultimodalUsage,
    TextContent,
    VideoBase64Content,
    VideoUrlContent,
)

from . import rules
from .engine.tokens import beginning, count, truncate
from .error_messages import invalid_argument
from .media import Medium, UnreadableError

if TYPE_CHECKING:
    from voyageai_rest.catalogue import Model

    from .media import Media
    from .rules import ModelContext

__all__ = ["embed_inputs"]

BY_URL = {ImageUrlContent, VideoUrlContent}
BY_DATA = {ImageBase64Content, VideoBase64Content}


class _Input(NamedTuple):
    """An input after truncation."""

    text: str
    text_tokens: int
    media: tuple[Medium, ...]

    @property
    def tokens(self) -> int:
        return self.text_tokens + sum(medium.tokens for medium in self.media)

    def pixels(self, kind: str) -> int:
        return sum(medium.pixels for medium in self.media if medium.kind == kind)


def embed_inputs(body: dict[str, Any], context: ModelContext) -> MultimodalEmbeddingsResponse:
    """Answer a request for the embeddings of multimodal inputs."""
    request = MultimodalEmbeddingsRequest.from_dict(body)
    parts = [part for item in request.inputs for part in item.content]
    kinds = {type(part) for part in parts}
    if kinds & BY_URL and kinds & BY_DATA:
        raise invalid_argument(
            "inputs", "a request must have its images and videos either by URL or as data, not both"
        )
    model = rules.find(request.model, context.models)
    if "video" not in model.modalities and any(
        isinstance(part, VideoUrlContent | VideoBase64Content) for part in parts
    ):
        raise rules.failed(model, "The model does not support video inputs.")
    form = rules.output(
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
    rules.check_request_tokens(model, total)
    passages = [
        rules.passage(
            model, item.text, request.input_type, tuple(medium.names for medium in item.media)
        )
        for item in inputs
    ]
    vectors = form.write(context.engine.embed(passages, rules.space(model), form.dimension))
    return MultimodalEmbeddingsResponse(
        object="list",
        data=[
            Embedding(object="embedding", embedding=vector, index=index)
            for index, vector in enumerate(vectors)
        ],
        model=request.model,
        usage=MultimodalUsage(
            text_tokens=sum(item.text_tokens for item in inputs),
            image_pixels=sum(item.pixels("image") for item in inputs),
            video_pixels=sum(item.pixels("video") for item in inputs),
            total_tokens=total,
        ),
    )


def _read(item: MultimodalInput, index: int, media: Media, model: Model) -> list[str | Medium]:
    """An input's texts, and its media looked at."""
    content: list[str | Medium] = []
    for number, part in enumerate(item.content):
        if isinstance(part, TextContent):
            content.append(part.text)
            continue
        try:
            content.append(media.read(part, model))
        except UnreadableError as error:
            place = f"inputs.{index}.content.{number}.{part.type}"
            raise invalid_argument(place, str(error)) from error
    return content


def _fit(content: list[str | Medium], model: Model, index: int, *, truncation: bool) -> _Input:
    """Take an input's parts in order while they fit; a text is cut, a medium dropped whole."""
    texts: list[str] = []
    media: list[Medium] = []
    text_tokens = tokens = 0
    for part in content:
        price = (
            count(beginning(part, model.context_length)) if isinstance(part, str) else part.tokens
        )
        room = price if model.context_length is None else model.context_length - tokens
        if price > room and not truncation:
            raise rules.too_long(model, index)
        if isinstance(part, str):
            texts.append(truncate(part, room))
            text_tokens += min(price, room)
        elif price <= room:
            media.append(part)
        if price > room:
            break
        tokens += price
    return _Input("\n".join(texts), text_tokens, tuple(media))
