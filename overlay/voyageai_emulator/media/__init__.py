"""Images and videos of multimodal inputs: their pixels, tokens and visual words.

Each file is downloaded, or decoded from base64, then checked against the model's limits and
decoded. Its visual words depend on its content, not on how it was sent: the same image has the same
words.
"""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING, Literal, NamedTuple

from voyageai_rest.catalogue import ModelMedia, ModelPixels
from voyageai_rest.models import (
    ImageBase64Content,
    ImageUrlContent,
    VideoBase64Content,
    VideoUrlContent,
)

from .decoding import decode_image, decode_video
from .fetching import Fetcher, decode_base64
from .limits import UnreadableError, count_image, count_video

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from voyageai_rest.catalogue import Model

__all__ = ["MediaItem", "MediaReader", "UnreadableError"]

NO_LIMITS = ModelMedia(image_max_pixels=None, image_max_bytes=None)
NO_BOUNDS = ModelPixels(image_per_token=None, image_min=None, image_max=None)


class MediaItem(NamedTuple):
    """An image or video that has been read."""

    kind: Literal["image", "video"]
    visual_words: tuple[str, ...]
    """Words that describe the content: items that share words have similar vectors."""
    pixels: int
    """Number of pixels that the model counts."""
    tokens: int


class MediaReader:
    """Reads images and videos. Safe to share between threads; may block for seconds.

    Args:
        allow_hosts: Hosts, or ``host:port``, to download from. A host without a port is allowed
            only at the default ports of http and https.
        timeout: Seconds that a download may take, from the first connection to the last byte.
        monotonic: Monotonic clock for the timeout, in seconds.

    Raises:
        ValueError: `allow_hosts` has an item that is not a host or ``host:port``.
    """

    def __init__(
        self,
        allow_hosts: Iterable[str] = (),
        *,
        timeout: float = 10.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch = Fetcher(allow_hosts, timeout, monotonic).fetch
        # Decoded images are large, so at most one per processor is decoded at a time.
        self._decoding = threading.BoundedSemaphore(os.cpu_count() or 1)

    def read(
        self,
        part: ImageUrlContent | ImageBase64Content | VideoUrlContent | VideoBase64Content,
        model: Model,
    ) -> MediaItem:
        """Read an image or video.

        Raises:
            UnreadableError: The file cannot be downloaded, is broken, or is too large for the
                model.
        """
        limits = model.media or NO_LIMITS
        bounds = model.pixels or NO_BOUNDS
        match part:
            case ImageUrlContent():
                data = self._fetch(part.image_url, limits.image_max_bytes)
            case ImageBase64Content():
                data = decode_base64(part.image_base64, limits.image_max_bytes)
            case VideoUrlContent():
                data = self._fetch(part.video_url, limits.video_max_bytes)
            case VideoBase64Content():
                data = decode_base64(part.video_base64, limits.video_max_bytes)
        with self._decoding:
            if isinstance(part, ImageUrlContent | ImageBase64Content):
                image = decode_image(data, limits.image_max_pixels)
                counted = count_image(image.pixels, bounds)
                return MediaItem("image", image.visual_words, *counted)
            video = decode_video(data, limits.image_max_pixels)
            counted = count_video(video.frame_pixels, video.frames, bounds)
            return MediaItem("video", video.visual_words, *counted)
