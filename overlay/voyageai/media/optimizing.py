"""Files of videos looked at, and made smaller."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

from ..error import VideoProcessingError
from . import ffmpeg
from .counting import Bounds, bounds
from .sizing import Usage, even, fitting, size, usage

__all__ = ["kept", "look", "optimized", "usage_of"]

FOLDER = "voyageai-"


@contextmanager
def kept(data: bytes) -> Generator[Path, None, None]:
    """A video as a file, which is gone afterwards, in a folder that only this user can enter."""
    with TemporaryDirectory(prefix=FOLDER) as folder:
        path = Path(folder, "video")
        path.write_bytes(data)
        yield path


def usage_of(path: Path, model: str, base_url: str | None) -> Usage:
    """What a video counts as.

    Args:
        path: The video.
        model: The model.
        base_url: Where requests go, as in `bounds`.

    Raises:
        ArgumentError: The model takes no videos.
        ImportError: There is no ffmpeg, or no huggingface_hub where it is needed.
        OSError: It can't be known how the model scales frames.
        VideoProcessingError: It can't be read as a video.
    """
    by = bounds(model, "video", base_url)
    return usage(ffmpeg.measure(path), by)


def look(path: Path, model: str) -> Usage | None:
    """What a video counts as, as far as that can be found out here.

    Raises:
        ArgumentError: The model takes no videos.
    """
    with suppress(ImportError, VideoProcessingError):  # no ffmpeg, or not for it
        return usage(ffmpeg.measure(path), _bounds(model))
    return None


def optimized(
    source: Path, model: str, *, multiple: int | None, budget: int | None
) -> tuple[bytes, Usage]:
    """A video as `optimize_video` makes it, and what it counts as.

    Args:
        source: The file.
        model: The model that it is for.
        multiple: What its sides become multiples of; None to leave them.
        budget: The most tokens that it may count as; None to leave its frames.

    Raises:
        ArgumentError: The model takes no videos, or the multiple makes odd sides.
        ImportError: There is no ffmpeg, or no huggingface_hub where it is needed.
        VideoProcessingError: It can't be read as a video, or the budget can't be held.
    """
    by = _bounds(model) if budget is None else _needed(model, budget)
    found = ffmpeg.measure(source)
    frames, rate = even(found.frames), None
    sides = size(found, multiple)
    if by is not None and budget is not None:
        most = fitting(sides, by, budget)
        if most < frames:
            frames, rate = most, _rate(most, found.seconds, budget)
    with TemporaryDirectory(prefix=FOLDER) as folder:
        target = Path(folder, "video.mp4")
        ffmpeg.encode(source, target, size=sides, frames=frames, rate=rate, seconds=found.seconds)
        return target.read_bytes(), usage(ffmpeg.measure(target), by)


def _bounds(model: str) -> Bounds | None:
    """What a model counts by; None without huggingface_hub or without a connection."""
    with suppress(ImportError, OSError):
        return bounds(model, "video")
    return None


def _needed(model: str, budget: int) -> Bounds:
    try:
        return bounds(model, "video")
    except OSError as error:
        raise VideoProcessingError(
            f"max_video_tokens={budget} can't be applied: {error}. Go online, or keep all "
            "frames with downsample_fps=False."
        ) from error


def _rate(frames: int, seconds: float, budget: int) -> Fraction:
    # Milliseconds are exact enough, and keep the numbers small that the file's times are made of.
    duration = Fraction(round(seconds * 1000), 1000)
    if duration <= 0:
        raise VideoProcessingError(
            "The video has no duration, so its frame rate is unknown and "
            f"max_video_tokens={budget} can't be applied; re-encode it, or keep all frames with "
            "downsample_fps=False."
        )
    return frames / duration
