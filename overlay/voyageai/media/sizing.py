"""What a video counts as, and what becomes of it for a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..error import ArgumentError, VideoProcessingError

if TYPE_CHECKING:
    from .counting import Bounds
    from .ffmpeg import Measures

__all__ = ["Usage", "even", "fitting", "size", "usage"]

LEAST = 2
"""Frames of a video: models look at two at a time."""


class Usage(NamedTuple):
    """What a video counts as.

    Attributes:
        pixels: Of all frames, each scaled as the model does; as they are, if that is not known.
        frames: Their number; of an odd one the last does not count.
        tokens: What they make; None if it is not known.
    """

    pixels: int
    frames: int
    tokens: int | None


def usage(found: Measures, by: Bounds | None) -> Usage:
    """What a video counts as.

    Args:
        found: The video.
        by: What the model counts by, if that is known.

    Raises:
        VideoProcessingError: It has fewer than two frames.
    """
    frames = even(found.frames)
    frame = found.width * found.height
    if by is None:
        return Usage(frame * frames, frames, None)
    pixels = by.scaled(frame) * frames
    return Usage(pixels, frames, max(1, by.tokens(pixels)))


def even(frames: int) -> int:
    """The number of frames that count.

    Raises:
        VideoProcessingError: They are fewer than two.
    """
    if frames < LEAST:
        raise VideoProcessingError(
            f"The video has {frames} frame{'s' * (frames != 1)}, and a video needs {LEAST}; "
            "send a single one as a picture."
        )
    return frames - frames % LEAST


def fitting(size: tuple[int, int], by: Bounds, budget: int) -> int:
    """The most frames, an even number, that a budget of tokens has room for.

    Args:
        size: Width and height of a frame.
        by: What the model counts by.
        budget: Tokens.

    Raises:
        VideoProcessingError: Not even two.
    """
    width, height = size
    frames = by.affordable(width * height, budget)
    if frames < LEAST:
        needed = by.tokens(LEAST * by.scaled(width * height))
        raise VideoProcessingError(
            f"{LEAST} frames of {width} x {height} pixels are {needed} tokens, more than "
            f"max_video_tokens={budget}; raise it."
        )
    return even(frames)


def size(found: Measures, multiple: int | None) -> tuple[int, int]:
    """Width and height of the frames to write.

    Args:
        found: The video.
        multiple: What its sides become the nearest multiples of; None to leave them, but for a
            row or column that makes one odd.

    Raises:
        ArgumentError: The multiple makes an odd side.
    """
    if multiple is None:
        return max(2, found.width // 2 * 2), max(2, found.height // 2 * 2)
    # From the middle between two, `round` goes to the even multiple, as in the official client.
    width = max(multiple, round(found.width / multiple) * multiple)
    height = max(multiple, round(found.height / multiple) * multiple)
    if width % 2 or height % 2:
        raise ArgumentError(
            f"resize_multiple={multiple} makes frames of {width} x {height} pixels, but the sides "
            "of MP4's are even; take an even number",
            "resize_multiple",
        )
    return width, height
