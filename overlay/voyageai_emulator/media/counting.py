"""Pixels as the models count them, and the tokens that they come to."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from voyageai_rest.catalogue import ModelPixels

__all__ = ["of_image", "of_video"]


def of_image(pixels: int, bounds: ModelPixels) -> tuple[int, int]:
    """Pixels and tokens of a picture, which is scaled to between the model's bounds."""
    counted = _clamp(pixels, bounds.image_min, bounds.image_max)
    return counted, _tokens(counted, bounds.image_per_token)


def of_video(frame: int, frames: int, bounds: ModelPixels) -> tuple[int, int]:
    """Pixels and tokens of a video: at least one token, as in the official client's formula.

    Args:
        frame: Pixels of each frame. Where a model has no bounds for frames, each counts as a
            picture does.
        frames: Number of frames.
        bounds: What the model counts by.
    """
    least = bounds.image_min if bounds.video_min is None else bounds.video_min
    most = bounds.image_max if bounds.video_max is None else bounds.video_max
    counted = _clamp(frame, least, most) * frames
    return counted, max(1, _tokens(counted, bounds.video_per_token))


def _clamp(pixels: int, least: int | None, most: int | None) -> int:
    if least is not None:
        pixels = max(pixels, least)
    return pixels if most is None else min(pixels, most)


def _tokens(pixels: int, per_token: int | None) -> int:
    return pixels // per_token if per_token else 0
