"""Pictures and videos: how large they are, and what they are known by.

A medium is fetched or decoded, refused if it is too large, and looked at. It is known by what it
shows, not by how it was sent: the same picture has the same names.
"""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

from voyageai_rest.catalogue import ModelMedia, ModelPixels
from voyageai_rest.models import (
    ImageBase64Content,
    ImageUrlContent,
    VideoBase64Content,
    VideoUrlContent,
)

from . import counting, dataurl
from .fetching import Fetcher
from .medium import Medium, UnreadableError
from .pictures import read_picture
from .videos import read_video

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from voyageai_rest.catalogue import Model

__all__ = ["Media", "Medium", "UnreadableError"]

UNLIMITED = ModelMedia(image_max_pixels=None, image_max_bytes=None)
UNBOUNDED = ModelPixels(image_per_token=None, image_min=None, image_max=None)


class Media:
    """Reads pictures and videos. Safe to share between threads; may block for seconds.

    Args:
        allow_hosts: Hosts, or ``host:port``, from which they may be fetched. A host without a
            port is allowed at the ports of http and https alone.
        timeout: Seconds that a file may take, from the first connection to the last byte.
        monotonic: Tells the time, in seconds, by which a download is measured.

    Raises:
        ValueError: One of the hosts is not a host.
    """

    def __init__(
        self,
        allow_hosts: Iterable[str] = (),
        *,
        timeout: float = 10.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch = Fetcher(allow_hosts, timeout, monotonic).fetch
        # What is decoded is large: no more of it at once than there are processors to work on it.
        self._decoding = threading.BoundedSemaphore(os.cpu_count() or 1)

    def read(
        self,
        part: ImageUrlContent | ImageBase64Content | VideoUrlContent | VideoBase64Content,
        model: Model,
    ) -> Medium:
        """Read one.

        Raises:
            UnreadableError: It cannot be had, is broken, or is larger than the model takes.
        """
        limits = model.media or UNLIMITED
        bounds = model.pixels or UNBOUNDED
        match part:
            case ImageUrlContent():
                data = self._fetch(part.image_url, limits.image_max_bytes)
            case ImageBase64Content():
                data = dataurl.decode(part.image_base64, limits.image_max_bytes)
            case VideoUrlContent():
                data = self._fetch(part.video_url, limits.video_max_bytes)
            case VideoBase64Content():
                data = dataurl.decode(part.video_base64, limits.video_max_bytes)
        with self._decoding:
            if isinstance(part, ImageUrlContent | ImageBase64Content):
                picture = read_picture(data, limits.image_max_pixels)
                return Medium("image", picture.names, *counting.of_image(picture.pixels, bounds))
            video = read_video(data, limits.image_max_pixels)
            return Medium(
                "video", video.names, *counting.of_video(video.frame_pixels, video.frames, bounds)
            )
