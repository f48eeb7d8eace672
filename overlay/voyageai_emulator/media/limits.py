"""A model's limits for images and videos, and the pixels and tokens that it counts for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from voyageai_rest.catalogue import ModelPixels

__all__ = ["UnreadableError", "check_bytes", "check_pixels", "count_image", "count_video"]


class UnreadableError(Exception):
    """Raised if an image or video cannot be read; the message says why, and what to do."""


def check_bytes(size: int, limit: int | None) -> None:
    """Check the size of a file, in bytes.

    Raises:
        UnreadableError: The size is above the limit.
    """
    if limit is not None and size > limit:
        raise UnreadableError(f"the file has {size} bytes, and the model takes up to {limit}")


def check_pixels(width: int, height: int, limit: int | None) -> None:
    """Check the pixels of an image or a frame.

    Raises:
        UnreadableError: The number of pixels is above the limit.
    """
    if limit is not None and width * height > limit:
        raise UnreadableError(
            f"{width} x {height} are {width * height} pixels, and the model takes up to {limit}"
        )


def count_image(pixels: int, bounds: ModelPixels) -> tuple[int, int]:
    """Return the pixels and tokens of an image after scaling it to the model's bounds."""
    counted = _clamp(pixels, bounds.image_min, bounds.image_max)
    return counted, _tokens(counted, bounds.image_per_token)


def count_video(frame_pixels: int, frames: int, bounds: ModelPixels) -> tuple[int, int]:
    """Return the pixels and tokens of a video: at least one token, as in the official client.

    Args:
        frame_pixels: Pixels of each frame.
        frames: Number of frames.
        bounds: The model's bounds; those of images apply to frames if it has none for frames.
    """
    low = bounds.image_min if bounds.video_min is None else bounds.video_min
    high = bounds.image_max if bounds.video_max is None else bounds.video_max
    counted = _clamp(frame_pixels, low, high) * frames
    return counted, max(1, _tokens(counted, bounds.video_per_token))


def _clamp(pixels: int, low: int | None, high: int | None) -> int:
    if low is not None:
        pixels = max(pixels, low)
    return pixels if high is None else min(pixels, high)


def _tokens(pixels: int, per_token: int | None) -> int:
    return pixels // per_token if per_token else 0
