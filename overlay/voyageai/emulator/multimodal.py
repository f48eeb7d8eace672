"""Embeddings of texts, pictures and videos together.

Pictures and videos are not looked at: a medium is known by its URL or data URL, the same one
gives the same vector and another an unrelated one, and each counts as many pixels as the model
counts for the smallest picture.
"""

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
from .engine.tokens import count, truncate
from .wording import misspecified

if TYPE_CHECKING:
    from voyageai_rest.catalogue import Model

    from .handlers import Serving

__all__ = ["embed_inputs"]


class _Input(NamedTuple):
    """An input after truncation."""

    text: str
    media: tuple[str, ...]
    text_tokens: int
    image_pixels: int
    video_pixels: int
    tokens: int


def embed_inputs(body: dict[str, Any], serving: Serving) -> MultimodalEmbeddingsResponse:
    """Answer a request for the embeddings of multimodal inputs."""
    request = MultimodalEmbeddingsRequest.from_dict(body)
    parts = [part for item in request.inputs for part in item.content]
    if {ImageUrlContent, ImageBase64Content} <= {type(part) for part in parts}:
        raise misspecified(
            "inputs", "a request must use either image_url or image_base64 for images, not both"
        )
    model = rules.find(request.model, serving.served)
    if "video" not in model.modalities and any(
        isinstance(part, VideoUrlContent | VideoBase64Content) for part in parts
    ):
        raise rules.failed(model, "The model does not support video inputs.")
    form = rules.output(
        model, request.output_dimension, request.output_dtype, request.encoding_format
    )
    inputs = [
        _fit(item, model, index, truncation=bool(request.truncation))
        for index, item in enumerate(request.inputs)
    ]
    total = sum(item.tokens for item in inputs)
    rules.check_request_tokens(model, total)
    passages = [rules.passage(model, item.text, request.input_type, item.media) for item in inputs]
    vectors = form.write(serving.engine.embed(passages, rules.space(model), form.dimension))
    return MultimodalEmbeddingsResponse(
        object="list",
        data=[
            Embedding(object="embedding", embedding=vector, index=index)
            for index, vector in enumerate(vectors)
        ],
        model=request.model,
        usage=MultimodalUsage(
            text_tokens=sum(item.text_tokens for item in inputs),
            image_pixels=sum(item.image_pixels for item in inputs),
            video_pixels=sum(item.video_pixels for item in inputs),
            total_tokens=total,
        ),
    )


def _fit(item: MultimodalInput, model: Model, index: int, *, truncation: bool) -> _Input:
    """Take an input's parts in order while they fit; a text is cut, a medium dropped whole."""
    texts: list[str] = []
    media: list[str] = []
    spent = {"text": 0, "image": 0, "video": 0}
    tokens = 0
    for part in item.content:
        room = None if model.context_length is None else model.context_length - tokens
        kind, content = _content(part)
        amount, price = (count(content),) * 2 if kind == "text" else _medium_price(model, kind)
        if room is not None and price > room:
            if not truncation:
                raise rules.too_long(model, index)
            if kind == "text":
                texts.append(truncate(content, room))
                spent["text"] += room
                tokens += room
            break
        (texts if kind == "text" else media).append(content)
        spent[kind] += amount
        tokens += price
    return _Input(
        "\n".join(texts), tuple(media), spent["text"], spent["image"], spent["video"], tokens
    )


def _content(
    part: TextContent | ImageUrlContent | ImageBase64Content | VideoUrlContent | VideoBase64Content,
) -> tuple[str, str]:
    match part:
        case TextContent():
            return "text", part.text
        case ImageUrlContent():
            return "image", part.image_url
        case ImageBase64Content():
            return "image", part.image_base64
        case VideoUrlContent():
            return "video", part.video_url
        case VideoBase64Content():
            return "video", part.video_base64


def _medium_price(model: Model, kind: str) -> tuple[int, int]:
    """Pixels and tokens of a picture or video."""
    bounds = model.pixels
    if bounds is None:
        return 0, 0
    pixels = (bounds.video_min if kind == "video" else None) or bounds.image_min or 0
    per_token = bounds.video_per_token if kind == "video" else bounds.image_per_token
    return pixels, pixels // per_token if per_token else 0
