"""Inputs of `multimodal_embed`: sequences of texts, images and videos."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from voyageai_rest.errors import ShapeError
from voyageai_rest.models import (
    ImageBase64Content,
    ImageUrlContent,
    MultimodalInput,
    TextContent,
    VideoBase64Content,
    VideoUrlContent,
)

from ..argument_checks import check_list, constraint
from ..error import ArgumentError
from ..ratelimit.tokens import estimate_media_tokens, estimate_tokens

REQUEST = "MultimodalEmbeddingsRequest"

Content = TextContent | ImageUrlContent | ImageBase64Content | VideoUrlContent | VideoBase64Content
KINDS = (TextContent, ImageUrlContent, ImageBase64Content, VideoUrlContent, VideoBase64Content)


def check_inputs(inputs: object) -> list[MultimodalInput]:
    """Return the inputs of the multimodal endpoint in the contract's types.

    Args:
        inputs: A list of dicts with a `content` list of parts such as
            `{"type": "image_url", "image_url": "https://..."}`, or a list of lists of texts and
            such parts; not a mix of dicts and lists.

    Raises:
        ArgumentError: `inputs` or a part of it has a wrong form; the message says which part, and
            what it should be.
    """
    if not isinstance(inputs, list) or not inputs:
        raise ArgumentError("'inputs' must be a non-empty list", "inputs")
    items = check_list(inputs, "inputs", constraint(REQUEST, "inputs"), "dicts or lists")  # pyright: ignore[reportUnknownArgumentType]  # items are checked below
    dicts = isinstance(items[0], Mapping)
    checked: list[MultimodalInput] = []
    for place, item in enumerate(items):
        argument = f"inputs[{place}]"
        if not isinstance(item, Mapping if dicts else list):
            raise ArgumentError(
                f"{argument} must be a {'dict' if dicts else 'list'} like the inputs "
                f"before it, not {type(item).__name__}; all are dicts or all are lists",
                argument,
            )
        content = _content_of(item, argument)  # pyright: ignore[reportUnknownArgumentType]  # a dict or a list of anything
        parts = check_list(content, argument, constraint("MultimodalInput", "content"), "parts")
        checked.append(
            MultimodalInput(
                content=[_part(part, f"{argument}[{number}]") for number, part in enumerate(parts)]
            )
        )
    return checked


def texts_of(inputs: list[MultimodalInput]) -> list[str]:
    """Return the first part of each input that begins with a text, before which the prompt goes."""
    firsts = (item.content[0] for item in inputs)
    return [part.text for part in firsts if isinstance(part, TextContent)]


def estimate_inputs(inputs: list[MultimodalInput], model: str) -> int:
    """Estimate the tokens of inputs; images and videos count with the most they can have."""
    parts = [part for item in inputs for part in item.content]
    texts = [part.text for part in parts if isinstance(part, TextContent)]
    images = sum(isinstance(part, (ImageUrlContent, ImageBase64Content)) for part in parts)
    videos = len(parts) - len(texts) - images
    return estimate_tokens(texts) + estimate_media_tokens(model, images, videos)


def _content_of(item: object, argument: str) -> object:
    if not isinstance(item, Mapping):
        return item
    if "content" not in item:
        raise ArgumentError(f"{argument} has no 'content'", argument)
    return item["content"]  # pyright: ignore[reportUnknownVariableType]  # checked by the caller


def _part(part: object, argument: str) -> Content:
    if isinstance(part, KINDS):
        return part
    if isinstance(part, str):
        return TextContent(text=part)
    if not isinstance(part, Mapping):
        raise ArgumentError(
            f"{argument} must be a string or a dict with a 'type', not {type(part).__name__}",
            argument,
        )
    return _read(dict(part), argument)  # pyright: ignore[reportUnknownArgumentType]  # keys are checked there


def _read(fields: dict[str, Any], argument: str) -> Content:
    readers: dict[str, Callable[[Any], Content]] = {
        str(TextContent(text="").type): TextContent.from_dict,
        str(ImageUrlContent(image_url="").type): ImageUrlContent.from_dict,
        str(ImageBase64Content(image_base64="").type): ImageBase64Content.from_dict,
        str(VideoUrlContent(video_url="").type): VideoUrlContent.from_dict,
        str(VideoBase64Content(video_base64="").type): VideoBase64Content.from_dict,
    }
    kind = fields.get("type")
    if kind not in readers:
        raise ArgumentError(
            f"{argument} has type {kind!r}; it must be one of {', '.join(map(repr, readers))}",
            argument,
        )
    try:
        return readers[kind](fields)
    except ShapeError as error:
        place = f"{error.path}: " if error.path else ""
        raise ArgumentError(f"{argument}: {place}{error.reason}", argument) from None
