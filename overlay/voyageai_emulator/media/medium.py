"""What is known of a picture or video, and that one cannot be read."""

from __future__ import annotations

from typing import Literal, NamedTuple

__all__ = ["Medium", "UnreadableError", "check_bytes", "check_pixels"]


class Medium(NamedTuple):
    """A picture or video that has been read."""

    kind: Literal["image", "video"]
    names: tuple[str, ...]
    """What it is known by: media that share names are near each other."""
    pixels: int
    """Pixels that the model counts it at."""
    tokens: int


class UnreadableError(Exception):
    """A picture or video cannot be read; the message says why, and what to do."""


def check_bytes(size: int, most: int | None) -> None:
    """Refuse a file that is too large.

    Raises:
        UnreadableError: It is.
    """
    if most is not None and size > most:
        raise UnreadableError(f"the file has {size} bytes, and the model takes up to {most}")


def check_pixels(width: int, height: int, most: int | None) -> None:
    """Refuse a picture or frame that is too large.

    Raises:
        UnreadableError: It is.
    """
    if most is not None and width * height > most:
        raise UnreadableError(
            f"{width} x {height} are {width * height} pixels, and the model takes up to {most}"
        )
