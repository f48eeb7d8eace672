"""Pictures and videos: how large they are, and what they are known by."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from voyageai_rest.models import (
    ImageBase64Content,
    ImageUrlContent,
    VideoBase64Content,
    VideoUrlContent,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from voyageai_rest.catalogue import Model

__all__ = ["Media", "Medium"]


class Medium(NamedTuple):
    """A picture or video that has been read."""

    kind: str
    """``image`` or ``video``."""
    names: tuple[str, ...]
    """What it is known by: media that share names are near each other."""
    pixels: int
    """Pixels that the model counts it at."""
    tokens: int


class Media:
    """Reads pictures and videos.

    Args:
        allow_hosts: Hosts, or ``host:port``, from which they may be fetched.
    """

    def __init__(self, allow_hosts: Iterable[str] = ()) -> None:
        self._allow_hosts = frozenset(allow_hosts)

    def read(
        self,
        part: ImageUrlContent | ImageBase64Content | VideoUrlContent | VideoBase64Content,
        model: Model,
    ) -> Medium:
        """Read one.

        Raises:
            Refused: It cannot be read or is too large.
        """
        match part:
            case ImageUrlContent():
                kind, name = "image", part.image_url
            case ImageBase64Content():
                kind, name = "image", part.image_base64
            case VideoUrlContent():
                kind, name = "video", part.video_url
            case VideoBase64Content():
                kind, name = "video", part.video_base64
        bounds = model.pixels
        if bounds is None:
            return Medium(kind, (name,), 0, 0)
        pixels = (bounds.video_min if kind == "video" else None) or bounds.image_min or 0
        per_token = bounds.video_per_token if kind == "video" else bounds.image_per_token
        return Medium(kind, (name,), pixels, pixels // per_token if per_token else 0)
