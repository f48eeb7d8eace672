"""Inputs of `Client.multimodal_embed` with other things in the place of pictures and videos."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from . import pictures
from .urls import ImageUrl, VideoUrl
from .video import Video

__all__ = ["has_media", "is_medium", "replaced"]


def is_medium(part: object) -> bool:
    """Whether a part is a picture or video, and none of the contract's parts."""
    return isinstance(part, (ImageUrl, VideoUrl, Video)) or pictures.is_picture(part)


def replaced(inputs: object, replace: Callable[[Any, str], object]) -> object:
    """The inputs with each picture and video replaced; the rest as it is.

    Args:
        inputs: As users give them; what is no list of dicts or lists stays as it is.
        replace: Gets a picture or video, and how the caller knows it, such as `inputs[0][1]`.
    """
    if not has_media(inputs) or not isinstance(inputs, list):
        return inputs
    items: list[Any] = inputs  # pyright: ignore[reportUnknownVariableType]  # of anything
    return [_item(item, f"inputs[{place}]", replace) for place, item in enumerate(items)]


def has_media(inputs: object) -> bool:
    """Whether any part is a picture or video."""
    items: list[Any] = inputs if isinstance(inputs, list) else []  # pyright: ignore[reportUnknownVariableType]  # of anything
    return any(is_medium(part) for item in items for part in _parts(item))


def _item(item: object, argument: str, replace: Callable[[Any, str], object]) -> object:
    parts = [
        replace(part, f"{argument}[{number}]") if is_medium(part) else part
        for number, part in enumerate(_parts(item))
    ]
    if not parts:
        return item
    if isinstance(item, Mapping):
        fields: Mapping[Any, Any] = item  # pyright: ignore[reportUnknownVariableType]  # of anything
        return {**fields, "content": parts}
    return parts


def _parts(item: object) -> Sequence[Any]:
    """The parts of an input; none of what is no input."""
    if isinstance(item, Mapping):
        content: Any = item.get("content")  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  # of anything
        return content if isinstance(content, (list, tuple)) else ()  # pyright: ignore[reportUnknownVariableType]  # of anything
    return item if isinstance(item, list) else ()  # pyright: ignore[reportUnknownVariableType]  # of anything
