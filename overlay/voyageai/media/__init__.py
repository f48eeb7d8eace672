"""Images and videos of users, encoded as parts of a request.

Files are read and images encoded once, before the request.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from attrs import field, frozen
from voyageai_rest.models import ImageUrlContent, VideoUrlContent

from ..argument_checks import check_model
from ..error import ArgumentError
from . import pictures
from .video import Video, check_takes_videos

__all__ = ["ImageUrl", "Video", "VideoUrl", "has_media", "prepare", "replaced"]


def _web(_: object, __: object, url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ArgumentError(f"url must start with http:// or https://, not {url!r}", "url")


@frozen
class ImageUrl:
    """An image that the API fetches.

    Attributes:
        url: URL of a PNG, JPEG, WebP or GIF.

    Raises:
        ArgumentError: `url` does not start with http:// or https://.

    Example:
        >>> voyageai.ImageUrl("https://example.com/cat.png").url
        'https://example.com/cat.png'
    """

    url: str = field(validator=_web)


@frozen
class VideoUrl:
    """A video that the API fetches.

    Attributes:
        url: URL of an MP4.

    Raises:
        ArgumentError: `url` does not start with http:// or https://.
    """

    url: str = field(validator=_web)


def prepare(inputs: Any, model: str) -> Any:
    """Encode the images and videos of inputs as parts of the contract; leave other parts unchanged.

    Args:
        inputs: Inputs of `Client.multimodal_embed`.
        model: Name of the model, whose limits apply.

    Raises:
        ArgumentError: An image or video can't be read, is too large, or is not supported by the
            model; the message names it.
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


def is_medium(part: object) -> bool:
    """Return whether a part is an image or video of a user, not yet a part of the contract."""
    return isinstance(part, (ImageUrl, VideoUrl, Video)) or pictures.is_picture(part)


def replaced(inputs: object, replace: Callable[[Any, str], object]) -> object:
    """Replace each image and video of inputs; leave other parts unchanged.

    Args:
        inputs: Inputs of a user; anything but a list is returned unchanged.
        replace: Called with an image or video and its name for the caller, such as `inputs[0][1]`.
    """
    if not has_media(inputs) or not isinstance(inputs, list):
        return inputs
    items: list[Any] = inputs  # pyright: ignore[reportUnknownVariableType]  # of anything
    return [_item(item, f"inputs[{place}]", replace) for place, item in enumerate(items)]


def has_media(inputs: object) -> bool:
    """Return whether any part is an image or video."""
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
    """Return the parts of an input; none for other values."""
    if isinstance(item, Mapping):
        content: Any = item.get("content")  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  # of anything
        return content if isinstance(content, (list, tuple)) else ()  # pyright: ignore[reportUnknownVariableType]  # of anything
    return item if isinstance(item, list) else ()  # pyright: ignore[reportUnknownVariableType]  # of anything
