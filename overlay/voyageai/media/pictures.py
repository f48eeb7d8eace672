"""Encode pictures of any form for the API.

A file that is PNG, JPEG, WebP or GIF goes as it is, if it has neither an alpha channel nor an
orientation of its own. Everything else is turned upright, put on white, and written as lossless
WebP, which is smaller than PNG, or as PNG where a side is too long for WebP.
"""

from __future__ import annotations

import base64
import io
import os
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voyageai_rest.models import ImageBase64Content

from ..error import ArgumentError
from ..extras import require
from ..limits import known

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["encode", "is_picture", "pixels", "size_of_url"]

_reading = threading.Lock()
"""Held while an image is read from its file, as several calls may be given the same."""

TAKEN = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp", "GIF": "image/gif"}
"""Formats that the API takes, as Pillow calls them, with their media types."""
LONGEST_WEBP = 16_383
"""Pixels of the longest side that the format can hold."""
LOSSLESS = {"lossless": True, "quality": 30}
"""Here `quality` is effort. More of it, 80 by default, takes photographs up to five times as long
for the same size, and makes screenshots a tenth smaller."""
ORIENTATION = 0x0112
"""The EXIF tag that says how a camera was held."""
UPRIGHT = (None, 1)
EIGHT_BITS = ("|u1", "|b1")
"""Types of numbers of an array, as numpy writes them: uint8, and bool for black and white."""


def is_picture(value: object) -> bool:
    """Return whether a value is a picture in one of the forms that `encode` takes."""
    if isinstance(value, str):  # numpy's strings look like arrays
        return False
    return (
        isinstance(value, (bytes, bytearray, memoryview, os.PathLike))
        or _is_image(value)
        or hasattr(value, "__array_interface__")
        or callable(getattr(value, "read", None))
    )


def encode(value: object, model: str, argument: str) -> ImageBase64Content:
    """Encode a picture as a part of an input.

    Args:
        value: Bytes, a path, a binary file, a Pillow image, which is left as it is, or an array
            of height x width with 1, 3 or 4 channels of 8 bits.
        model: The model, whose limits hold.
        argument: How the caller knows it.

    Raises:
        ArgumentError: It is no picture, or too large; says what to do.
        ImportError: The extra `images` is not installed.
    """
    raw = _bytes(value, argument)
    _check_bytes(len(raw or b""), model, argument)
    with _opened(value, raw, model, argument) as image:
        media_type = TAKEN.get(image.format or "")
        try:
            if raw is None:
                with _reading:
                    image.load()
                    image.getexif()
            if raw is None or media_type is None or not _plain(image):
                raw, media_type = _written(_upright(image))
        except (AssertionError, AttributeError):  # of Pillow's, by its version
            raise _unreadable(argument, "its file was closed") from None
        except (OSError, ValueError) as error:  # broken off; of a mode that RGB can't hold
            raise _unreadable(argument, error) from None
        _check_bytes(len(raw), model, argument)
    data = base64.b64encode(raw).decode("ascii")
    return ImageBase64Content(image_base64=f"data:{media_type};base64,{data}")


def pixels(value: object, model: str, argument: str) -> int:
    """Return width times height of a picture.

    Raises:
        ArgumentError: It is no picture, or too large.
        ImportError: The extra `images` is not installed.
    """
    with _opened(value, _bytes(value, argument), model, argument) as image:
        return image.width * image.height


def size_of_url(url: str, model: str, argument: str) -> int:
    """Return width times height of the picture in a data URL.

    Raises:
        ArgumentError: It is none, or too large.
        ImportError: The extra `images` is not installed.
    """
    try:
        raw = base64.b64decode(url.partition(",")[2] or url, validate=True)
    except ValueError as error:
        raise ArgumentError(
            f"{argument} is not a data URL with base64: {error}", argument
        ) from None
    return pixels(raw, model, argument)


def _is_image(value: object) -> bool:
    # Nobody has a Pillow image without having loaded Pillow.
    module = sys.modules.get("PIL.Image")
    return module is not None and isinstance(value, module.Image)


def _bytes(value: Any, argument: str) -> bytes | None:
    """Return the bytes of an encoded picture; None for one that is in memory as pixels."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)  # pyright: ignore[reportUnknownArgumentType]  # a view of anything
    if isinstance(value, os.PathLike):
        return Path(value).read_bytes()  # pyright: ignore[reportUnknownArgumentType]  # a path of some kind
    if _is_image(value) or hasattr(value, "__array_interface__"):
        return None
    found = value.read()
    if not isinstance(found, bytes):
        raise ArgumentError(f"{argument} is a file open as text; open it with mode 'rb'", argument)
    return found


@contextmanager
def _opened(
    value: Any, raw: bytes | None, model: str, argument: str
) -> Generator[Image, None, None]:
    """Open a picture, check it against the model's limits, and close it if it was opened here."""
    pillow = require("PIL.Image", "images")
    if _is_image(value):
        yield _within(value, model, argument)
        return
    try:
        image: Image = (
            pillow.fromarray(_flat(value)) if raw is None else pillow.open(io.BytesIO(raw))
        )
    except pillow.UnidentifiedImageError:
        reason = (
            f"its {len(raw):,} bytes are of no format that Pillow knows"
            if raw
            else "it is empty, or a file that was read to its end before"
        )
        raise _unreadable(argument, reason) from None
    except (OSError, ValueError, TypeError, pillow.DecompressionBombError) as error:
        raise _unreadable(argument, error) from None
    with image:
        yield _within(image, model, argument)


def _flat(array: Any) -> Any:
    """Return an array of height x width (x 3 or 4) bytes; refuse others, which Pillow misreads."""
    interface = array.__array_interface__
    shape, number = interface["shape"], interface["typestr"]
    channels = shape[2:]
    if len(shape) < 2 or channels not in ((), (1,), (3,), (4,)) or number not in EIGHT_BITS:
        raise TypeError(
            f"it is an array of shape {shape} and type {number!r}; height x width (x 3 or 4) "
            "numbers of type uint8 are needed"
        )
    if not all(shape):
        raise ValueError(f"an array of shape {shape} has no pixels")
    return array[..., 0] if channels == (1,) else array


def _unreadable(argument: str, reason: Exception | str) -> ArgumentError:
    return ArgumentError(f"{argument} can't be read as a picture: {reason}", argument)


def _within(image: Image, model: str, argument: str) -> Image:
    entry = known(model)
    limit = entry and entry.media and entry.media.image_max_pixels
    if limit and image.width * image.height > limit:
        raise ArgumentError(
            f"{argument} has {image.width} x {image.height} pixels, but {model} takes at most "
            f"{limit:,}; scale it down",
            argument,
        )
    return image


def _plain(image: Image) -> bool:
    return not image.has_transparency_data and image.getexif().get(ORIENTATION) in UPRIGHT


def _upright(image: Image) -> Image:
    turned: Image = require("PIL.ImageOps", "images").exif_transpose(image)
    if turned.mode.startswith("I;16"):  # 8 of whose bits have room; else all is white
        turned = turned.convert("I").point(lambda value: value / 256).convert("L")
    if not turned.has_transparency_data:
        return turned.convert("RGB")
    opaque = turned.convert("RGBA")
    white = require("PIL.Image", "images").new("RGBA", opaque.size, "white")
    white.alpha_composite(opaque)
    rgb: Image = white.convert("RGB")
    return rgb


def _written(image: Image) -> tuple[bytes, str]:
    file = io.BytesIO()
    format_ = "WEBP" if max(image.size) <= LONGEST_WEBP else "PNG"
    image.save(file, format_, **(LOSSLESS if format_ == "WEBP" else {}))
    return file.getvalue(), TAKEN[format_]


def _check_bytes(size: int, model: str, argument: str) -> None:
    entry = known(model)
    limit = entry and entry.media and entry.media.image_max_bytes
    if limit and size > limit:
        raise ArgumentError(
            f"{argument} has {size:,} bytes, but {model} takes at most {limit:,}; scale it down",
            argument,
        )
