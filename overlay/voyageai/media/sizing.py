"""Pixels, frames and tokens of images and videos, as a model counts them.

The numbers are in the catalogue. Those missing there are in the `client_config.json` of the model's
repository on the Hugging Face Hub, or at the emulator that requests go to, which is read once per
process.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

from attrs import frozen

from ..argument_checks import catalogue_entry
from ..error import ArgumentError, VideoProcessingError
from ..keys import URL_VARIABLE
from ..tokenization import emulator_at, fetch

__all__ = [
    "Kind",
    "Measures",
    "PixelBounds",
    "Usage",
    "even",
    "fitting",
    "pixel_bounds",
    "size",
    "usage",
]

Kind: TypeAlias = Literal["image", "video"]

CONFIG = "client_config.json"
NAMES = {"min": "pixels_min", "max": "pixels_max", "per_token": "to_tokens_ratio"}
"""Names of the values in the catalogue, and in that file."""
MIN_FRAMES = 2
"""Frames of the shortest video, as models process frames in pairs."""


@frozen
class PixelBounds:
    """The numbers by which a model counts images or frames of videos.

    Attributes:
        min_pixels: Pixels to which smaller images or frames are scaled up.
        max_pixels: Pixels to which larger ones are scaled down.
        per_token: Pixels per token.
    """

    min_pixels: int
    max_pixels: int
    per_token: int

    def scaled(self, pixels: int) -> int:
        """Return the pixels of an image or frame after scaling."""
        return max(self.min_pixels, min(self.max_pixels, pixels))

    def tokens(self, pixels: int) -> int:
        """Return the tokens of a number of scaled pixels."""
        return pixels // self.per_token

    def affordable(self, frame: int, tokens: int) -> int:
        """Return the most frames of `frame` pixels each whose tokens do not exceed `tokens`."""
        return ((tokens + 1) * self.per_token - 1) // self.scaled(frame)


def pixel_bounds(model: str, kind: Kind, base_url: str | None = None) -> PixelBounds:
    """Return the numbers by which a model counts images or frames of videos.

    Args:
        model: Name of a model.
        kind: `image` or `video`.
        base_url: Base URL of requests, by default VOYAGE_BASE_URL. If it is an emulator, that is
            asked for numbers that are not in the catalogue.

    Raises:
        ArgumentError: The model does not support the kind.
        ImportError: The catalogue lacks the numbers, and huggingface_hub is not installed.
        OSError: The catalogue lacks the numbers, and the model's repository can't be read.
    """
    entry = catalogue_entry(model)
    if entry is not None and kind not in entry.modalities:
        raise ArgumentError(f"{model} takes no {kind}s", "model")
    pixels = entry and entry.pixels
    values: list[int | None] = [getattr(pixels, f"{kind}_{name}", None) for name in NAMES]
    if None in values:
        url = os.environ.get(URL_VARIABLE, "") if base_url is None else base_url
        config = _config(model, os.environ.get("HF_ENDPOINT"), emulator_at(model, url))
        names = [f"multimodal_{kind}_{name}" for name in NAMES.values()]
        values = [
            config.get(name) if value is None else value
            for name, value in zip(names, values, strict=True)
        ]
    min_pixels, max_pixels, per_token = values
    if not (
        isinstance(min_pixels, int) and isinstance(max_pixels, int) and isinstance(per_token, int)
    ):
        raise ArgumentError(
            f"{model} takes no {kind}s, as far as the catalogue and its {CONFIG} say", "model"
        )
    return PixelBounds(min_pixels, max_pixels, max(per_token, 1))


@cache
def _config(
    model: str,
    endpoint: str | None,  # noqa: ARG001  # read by fetch
    emulator: str | None,
) -> Mapping[str, Any]:
    try:
        path = fetch(model, CONFIG, emulator)
    except OSError as error:
        raise OSError(
            f"The sizes that {model} scales to are only in its {CONFIG}, which could not be "
            f"fetched: {error}"
        ) from None
    try:
        read = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise OSError(f"{path} is not JSON: {error}") from error
    return read if isinstance(read, dict) else {}  # pyright: ignore[reportUnknownVariableType]  # values are checked by the caller


class Measures(NamedTuple):
    """The size and the length of a video.

    Attributes:
        width: Width of a frame in pixels, as shown.
        height: Height of a frame in pixels, as shown.
        frames: Number of frames.
        seconds: Duration in seconds.
    """

    width: int
    height: int
    frames: int
    seconds: float


class Usage(NamedTuple):
    """The usage of a video, by which it is billed.

    Attributes:
        pixels: Pixels of all frames, scaled as the model does; unscaled if that is not known.
        frames: Number of frames that count: an odd last one does not.
        tokens: Number of tokens; None if unknown.
    """

    pixels: int
    frames: int
    tokens: int | None


def usage(measures: Measures, bounds: PixelBounds | None) -> Usage:
    """Return the usage of a video.

    Args:
        measures: The measures of the video.
        bounds: The bounds by which the model counts, if known.

    Raises:
        VideoProcessingError: The video has fewer than two frames.
    """
    frames = even(measures.frames)
    frame = measures.width * measures.height
    if bounds is None:
        return Usage(frame * frames, frames, None)
    pixels = bounds.scaled(frame) * frames
    return Usage(pixels, frames, max(1, bounds.tokens(pixels)))


def even(frames: int) -> int:
    """Return the number of frames that count, which is even.

    Raises:
        VideoProcessingError: There are fewer than two frames.
    """
    if frames < MIN_FRAMES:
        raise VideoProcessingError(
            f"The video has {frames} frame{'s' * (frames != 1)}, but a video needs {MIN_FRAMES}; "
            "send a single frame as an image."
        )
    return frames - frames % MIN_FRAMES


def fitting(size: tuple[int, int], bounds: PixelBounds, budget: int) -> int:
    """Return the most frames, an even number, that fit a budget of tokens.

    Args:
        size: Width and height of a frame.
        bounds: The bounds by which the model counts.
        budget: Tokens.

    Raises:
        VideoProcessingError: Not even two frames fit.
    """
    width, height = size
    frames = bounds.affordable(width * height, budget)
    if frames < MIN_FRAMES:
        needed = bounds.tokens(MIN_FRAMES * bounds.scaled(width * height))
        raise VideoProcessingError(
            f"{MIN_FRAMES} frames of {width} x {height} pixels are {needed} tokens, more than "
            f"max_video_tokens={budget}; raise it."
        )
    return even(frames)


def size(measures: Measures, multiple: int | None) -> tuple[int, int]:
    """Return width and height of the frames to write, both even.

    Args:
        measures: The measures of the video.
        multiple: Number to whose nearest multiples the sides are scaled; None to keep them, except
            for an odd row or column.

    Raises:
        ArgumentError: The multiple leads to an odd side.
    """
    if multiple is None:
        return max(2, measures.width // 2 * 2), max(2, measures.height // 2 * 2)
    # From the middle between two multiples, `round` goes to the even one, as in the official
    # client.
    width = max(multiple, round(measures.width / multiple) * multiple)
    height = max(multiple, round(measures.height / multiple) * multiple)
    if width % 2 or height % 2:
        raise ArgumentError(
            f"resize_multiple={multiple} makes frames of {width} x {height} pixels, but the sides "
            "of an MP4 are even; pass an even number",
            "resize_multiple",
        )
    return width, height
