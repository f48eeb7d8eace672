"""Pictures and videos as users have them, made into what the contract has.

This room reads the files that it is given; all work on pictures is done once, before a request.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from voyageai_rest.models import ImageUrlContent, VideoUrlContent

from . import pictures
from .urls import ImageUrl, VideoUrl
from .video import Video

__all__ = ["ImageUrl", "Video", "VideoUrl", "has_media", "prepare"]


def has_media(inputs: object) -> bool:
    """Whether there is work to do in `prepare`."""
    return any(_is_medium(part) for item in _items(inputs) for part in _parts(item))


def prepare(inputs: Any, model: str) -> Any:
    """Inputs whose pictures and videos are parts of the contract; the rest as it is.

    Args:
        inputs: As `Client.multimodal_embed` takes them.
        model: The model, whose limits hold.

    Raises:
        ArgumentError: A picture or video can't be read, or is too large; says which.
        ImportError: An extra is not installed.
        OSError: A file can't be read.
    """
    if not has_media(inputs):
        return inputs
    prepared: list[Any] = []
    for place, item in enumerate(inputs):
        parts = [
            _part(part, model, f"inputs[{place}][{number}]") if _is_medium(part) else part
            for number, part in enumerate(_parts(item))
        ]
        prepared.append({**item, "content": parts} if isinstance(item, Mapping) else parts)
    return prepared


def _items(inputs: object) -> Sequence[Any]:
    return inputs if isinstance(inputs, (list, tuple)) else ()  # pyright: ignore[reportUnknownVariableType]  # of anything


def _parts(item: object) -> Sequence[Any]:
    content: Any = item.get("content") if isinstance(item, Mapping) else item  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  # of anything
    return content if isinstance(content, (list, tuple)) else ()  # pyright: ignore[reportUnknownVariableType]  # of anything


def _is_medium(part: object) -> bool:
    return isinstance(part, (ImageUrl, VideoUrl, Video)) or pictures.is_picture(part)


def _part(part: Any, model: str, argument: str) -> Any:
    if isinstance(part, ImageUrl):
        return ImageUrlContent(image_url=part.url)
    if isinstance(part, VideoUrl):
        return VideoUrlContent(video_url=part.url)
    if isinstance(part, Video):
        return part.encoded(model, argument)
    return pictures.encode(part, model, argument)
