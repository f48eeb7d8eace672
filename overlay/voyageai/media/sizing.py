"""Pixels, frames and tokens of pictures and videos, as a model counts them.

The catalogue says by what. What it does not say of a model is in the `client_config.json` of its
repository on the Hugging Face Hub, or at the emulator that requests go to; it is read once per
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

from ..error import ArgumentError, VideoProcessingError
from ..keys import URL_VARIABLE
from ..limits import known
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
LEAST = 2
"""Frames of a video: models look at two at a time."""


@frozen
class PixelBounds:
    """The pixels by which a model counts a kind of medium.

    Attributes:
        least: Pixels to which a smaller picture, or frame of a video, is scaled up.
        most: Pixels to which a larger one is scaled down.
        per_token: Pixels that make a token.
    """

    least: int
    most: int
    per_token: int

    def scaled(self, pixels: int) -> int:
        """Return the pixels of a picture or frame after scaling."""
        return max(self.least, min(self.most, pixels))

    def tokens(self, pixels: int) -> int:
        """Return the tokens of so many scaled pixels."""
        return pixels // self.per_token

    def affordable(self, frame: int, tokens: int) -> int:
        """Return the most frames of so many pixels each that make at most so many tokens."""
        return ((tokens + 1) * self.per_token - 1) // self.scaled(frame)


def pixel_bounds(model: str, kind: Kind, base_url: str | None = None) -> PixelBounds:
    """Return the pixels by which a model counts pictures or frames of videos.

    Args:
        model: Name of a model.
        kind: `image` or `video`.
        base_url: Where requests go; by default where VOYAGE_BASE_URL leads them. An emulator is
            asked for what the catalogue doesn't say.

    Raises:
        ArgumentError: The model takes none.
        ImportError: The catalogue doesn't say, and huggingface_hub is not installed.
        OSError: The catalogue doesn't say, and the model's repository can't be read.
    """
    entry = known(model)
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
    least, most, per_token = values
    if not (isinstance(least, int) and isinstance(most, int) and isinstance(per_token, int)):
        raise ArgumentError(
            f"{model} takes no {kind}s, as far as the catalogue and its {CONFIG} say", "model"
        )
    return PixelBounds(least, most, max(per_token, 1))


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
    return read if isinstance(read, dict) else {}  # pyright: ignore[reportUnknownVariableType]  # values are looked at by the caller


class Measures(NamedTuple):
    """Size and length of a video.

    Attributes:
        width: Pixels of a frame from side to side, as it is shown.
        height: Pixels from top to bottom.
        frames: How many there are.
        seconds: How long they are shown.
    """

    width: int
    height: int
    frames: int
    seconds: float


class Usage(NamedTuple):
    """The usage of a video: what it is billed as.

    Attributes:
        pixels: Of all frames, each scaled as the model does; as they are, if that is not known.
        frames: Their number; of an odd one the last does not count.
        tokens: What they make; None if it is not known.
    """

    pixels: int
    frames: int
    tokens: int | None


def usage(found: Measures, by: PixelBounds | None) -> Usage:
    """Return the usage of a video.

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
    """Return the number of frames that count.

    Raises:
        VideoProcessingError: They are fewer than two.
    """
    if frames < LEAST:
        raise VideoProcessingError(
            f"The video has {frames} frame{'s' * (frames != 1)}, and a video needs {LEAST}; "
            "send a single one as a picture."
        )
    return frames - frames % LEAST


def fitting(size: tuple[int, int], by: PixelBounds, budget: int) -> int:
    """Return the most frames, an even number, that a budget of tokens has room for.

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
    """Return width and height of the frames to write.

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
