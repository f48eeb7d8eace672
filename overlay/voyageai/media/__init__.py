"""Pictures and videos as users have them, made into what the contract has.

This room reads the files that it is given; all work on pictures is done once, before a request.
"""

from __future__ import annotations

from typing import Any

from voyageai_rest.models import ImageUrlContent, VideoUrlContent

from ..limits import check_model
from . import pictures
from .parts import has_media, replaced
from .urls import ImageUrl, VideoUrl
from .video import Video, check_takes_videos

__all__ = ["ImageUrl", "Video", "VideoUrl", "has_media", "prepare"]


def prepare(inputs: Any, model: str) -> Any:
    """Inputs whose pictures and videos are parts of the contract; the rest as it is.

    Args:
        inputs: As `Client.multimodal_embed` takes them.
        model: The model, whose limits hold.

    Raises:
        ArgumentError: A picture or video can't be read, or is too large, or the model takes none;
            says which.
        ImportError: An extra is not installed.
        OSError: A file can't be read.
    """
    check_model(model)
    return replaced(inputs, lambda part, argument: _part(part, model, argument))


def _part(part: Any, model: str, argument: str) -> Any:
    if isinstance(part, ImageUrl):
        return ImageUrlContent(image_url=part.url)
    if isinstance(part, VideoUrl):
        check_takes_videos(model, argument)
        return VideoUrlContent(video_url=part.url)
    if isinstance(part, Video):
        return part.encoded(model, argument)
    return pictures.encode(part, model, argument)
