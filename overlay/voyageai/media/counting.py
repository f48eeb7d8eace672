"""Pixels and tokens of pictures and videos as a model counts them.

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
from typing import Any, Literal, TypeAlias

from attrs import frozen

from ..error import ArgumentError
from ..keys import URL_VARIABLE
from ..limits import known
from ..tokenization import emulator_at, fetch

__all__ = ["Bounds", "Kind", "bounds"]

Kind: TypeAlias = Literal["image", "video"]

CONFIG = "client_config.json"
NAMES = {"min": "pixels_min", "max": "pixels_max", "per_token": "to_tokens_ratio"}
"""What the catalogue calls a value, and what that file does."""


@frozen
class Bounds:
    """What a model counts a kind of medium by.

    Attributes:
        least: Pixels to which a smaller picture, or frame of a video, is scaled up.
        most: Pixels to which a larger one is scaled down.
        per_token: Pixels that make a token.
    """

    least: int
    most: int
    per_token: int

    def scaled(self, pixels: int) -> int:
        """Pixels of a picture or frame after scaling."""
        return max(self.least, min(self.most, pixels))

    def tokens(self, pixels: int) -> int:
        """Tokens of so many pixels, scaled already."""
        return pixels // self.per_token

    def affordable(self, frame: int, tokens: int) -> int:
        """The most frames of so many pixels each that make no more than so many tokens."""
        return ((tokens + 1) * self.per_token - 1) // self.scaled(frame)


def bounds(model: str, kind: Kind, base_url: str | None = None) -> Bounds:
    """What a model counts pictures or frames of videos by.

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
    return Bounds(least, most, max(per_token, 1))


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
