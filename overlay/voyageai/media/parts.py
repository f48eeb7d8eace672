"""Inputs of `Client.multimodal_embed` with other things in the place of pictures and videos."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from . import pictures
from .urls import ImageUrl, VideoUrl
from .video import Video

__all__ = ["is_medium", "replaced"]


def is_medium(part: object) -> bool:
    """Whether a part is a picture or video, and none of the contract's parts."""
    return isinstance(part, (ImageUrl, VideoUrl, Video)) or pictures.is_picture(part)


def replaced(inputs: object, replace: Callable[[Any, str], object]) -> object:
    """The inputs with each picture and video replaced; the rest as it is.

    Args:
        inputs: As users give them; what is no list of dicts or lists stays as it is.
        replace: Gets a picture or video, and how the caller knows it, such as `inputs[0][1]`.
    """
    if not isinstance(inputs, list):
        return inputs
    items: list[Any] = inputs  # pyright: ignore[reportUnknownVariableType]  # of anything
    return [_item(item, f"inputs[{place}]", replace) for place, item in enumerate(items)]


def _item(item: object, argument: str, replace: Callable[[Any, str], object]) -> object:
    if isinstance(item, Mapping):
        fields: Mapping[Any, Any] = item  # pyright: ignore[reportUnknownVariableType]  # of anything
        content = fields.get("content")
        return {**fields, "content": _content(content, argument, replace)} if content else fields
    return _content(item, argument, replace)


def _content(content: object, argument: str, replace: Callable[[Any, str], object]) -> object:
    if not isinstance(content, list):
        return content
    parts: list[Any] = content  # pyright: ignore[reportUnknownVariableType]  # of anything
    return [
        replace(part, f"{argument}[{number}]") if is_medium(part) else part
        for number, part in enumerate(parts)
    ]
