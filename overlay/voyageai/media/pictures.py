"""Encoding of images for the API.

A PNG, JPEG, WebP or GIF without an alpha channel and an orientation is sent unchanged. Any other
image is rotated upright, put on white, and encoded as lossless WebP, which is smaller than PNG, or
as PNG if a side is too long for WebP.
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

from ..argument_checks import catalogue_entry
from ..error import ArgumentError
from ..extras import require

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["encode", "is_picture", "pixels", "size_of_url"]

_reading = threading.Lock()
"""Held while an image is loaded from its file, as several calls may be given the same image."""

ACCEPTED = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp", "GIF": "image/gif"}
"""Formats that the API accepts, by Pillow's names, with their media types."""
LONGEST_WEBP = 16_383
"""Most pixels of a side in the format."""
LOSSLESS = {"lossless": True, "quality": 30}
"""For lossless WebP, `quality` is effort. The default of 80 takes photographs up to five times as
long for the same size, and makes screenshots only a tenth smaller."""
ORIENTATION = 0x0112
"""The EXIF tag for the orientation of the camera."""
UPRIGHT = (None, 1)
EIGHT_BITS = ("|u1", "|b1")
"""Number types of arrays, in numpy's notation: uint8, and bool for black and white."""


def is_picture(value: object) -> bool:
    """Return whether a value is an image in one of the forms that `encode` accepts."""
    if isinstance(value, str):  # numpy's strings have the attributes of arrays
        return False
    return (
        isinstance(value, (bytes, bytearray, memoryview, os.PathLike))
        or _is_image(value)
        or hasattr(value, "__array_interface__")
        or callable(getattr(value, "read", None))
    )


def encode(value: object, model: str, argument: str) -> ImageBase64Content:
    """Encode an image as a part of an input.

    Args:
        value: Bytes, a path, a binary file, a Pillow image, which is not changed, or an array of
            8-bit numbers of shape (height, width) or (height, width, 1, 3 or 4).
        model: Name of the model, whose limits apply.
        argument: Name of the value for the caller, such as `inputs[0][1]`.

    Raises:
        ArgumentError: The value is no image, or too large; the message says what to do.
        ImportError: The extra `images` is not installed.
    """
    raw = _bytes(value, argument)
    _check_bytes(len(raw or b""), model, argument)
    with _opened(value, raw, model, argument) as image:
        media_type = ACCEPTED.get(image.format or "")
        try:
            if raw is None:
                with _reading:
                    image.load()
                    image.getexif()
            if raw is None or media_type is None or not _is_plain(image):
                raw, media_type = _encoded(_upright(image))
        except (AssertionError, AttributeError):  # raised by some versions of Pillow
            raise _unreadable(argument, "its file was closed") from None
        except (
            OSError,
            ValueError,
        ) as error:  # truncated, or of a mode that can't be converted to RGB
            raise _unreadable(argument, error) from None
        _check_bytes(len(raw), model, argument)
    data = base64.b64encode(raw).decode("ascii")
    return ImageBase64Content(image_base64=f"data:{media_type};base64,{data}")


def pixels(value: object, model: str, argument: str) -> int:
    """Return width times height of an image.

    Raises:
        ArgumentError: The value is no image, or too large.
        ImportError: The extra `images` is not installed.
    """
    with _opened(value, _bytes(value, argument), model, argument) as image:
        return image.width * image.height


def size_of_url(url: str, model: str, argument: str) -> int:
    """Return width times height of the image in a data URL.

    Raises:
        ArgumentError: The URL holds no image, or one that is too large.
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
    # Where there is a Pillow image, Pillow has been imported.
    module = sys.modules.get("PIL.Image")
    return module is not None and isinstance(value, module.Image)


def _bytes(value: Any, argument: str) -> bytes | None:
    """Return the bytes of an encoded image; None for one that is in memory as pixels."""
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
    """Open an image, check it against the model's limits, and close it if it was opened here."""
    pillow = require("PIL.Image", "images")
    if _is_image(value):
        yield _checked(value, model, argument)
        return
    try:
        image: Image = (
            pillow.fromarray(_checked_array(value)) if raw is None else pillow.open(io.BytesIO(raw))
        )
    except pillow.UnidentifiedImageError:
        reason = (
            f"its {len(raw):,} bytes have no format that Pillow knows"
            if raw
            else "it is empty, or a file that was already read to its end"
        )
        raise _unreadable(argument, reason) from None
    except (OSError, ValueError, TypeError, pillow.DecompressionBombError) as error:
        raise _unreadable(argument, error) from None
    with image:
        yield _checked(image, model, argument)


def _checked_array(array: Any) -> Any:
    """Return an array of bytes, of shape (height, width) or (height, width, 3 or 4); or raise."""
    interface = array.__array_interface__
    shape, number = interface["shape"], interface["typestr"]
    channels = shape[2:]
    if len(shape) < 2 or channels not in ((), (1,), (3,), (4,)) or number not in EIGHT_BITS:
        raise TypeError(
            f"it is an array of shape {shape} and type {number!r}; it must have the shape (height, "
            "width) or (height, width, 3 or 4) and the type uint8"
        )
    if not all(shape):
        raise ValueError(f"an array of shape {shape} has no pixels")
    return array[..., 0] if channels == (1,) else array


def _unreadable(argument: str, reason: Exception | str) -> ArgumentError:
    return ArgumentError(f"{argument} can't be read as a picture: {reason}", argument)


def _checked(image: Image, model: str, argument: str) -> Image:
    entry = catalogue_entry(model)
    limit = entry and entry.media and entry.media.image_max_pixels
    if limit and image.width * image.height > limit:
        raise ArgumentError(
            f"{argument} has {image.width} x {image.height} pixels, but {model} takes at most "
            f"{limit:,}; scale it down",
            argument,
        )
    return image


def _is_plain(image: Image) -> bool:
    return not image.has_transparency_data and image.getexif().get(ORIENTATION) in UPRIGHT


def _upright(image: Image) -> Image:
    turned: Image = require("PIL.ImageOps", "images").exif_transpose(image)
    if turned.mode.startswith("I;16"):  # keep the upper 8 bits; otherwise all is white
        turned = turned.convert("I").point(lambda value: value / 256).convert("L")
    if not turned.has_transparency_data:
        return turned.convert("RGB")
    opaque = turned.convert("RGBA")
    white = require("PIL.Image", "images").new("RGBA", opaque.size, "white")
    white.alpha_composite(opaque)
    rgb: Image = white.convert("RGB")
    return rgb


def _encoded(image: Image) -> tuple[bytes, str]:
    file = io.BytesIO()
    format_ = "WEBP" if max(image.size) <= LONGEST_WEBP else "PNG"
    image.save(file, format_, **(LOSSLESS if format_ == "WEBP" else {}))
    return file.getvalue(), ACCEPTED[format_]


def _check_bytes(size: int, model: str, argument: str) -> None:
    entry = catalogue_entry(model)
    limit = entry and entry.media and entry.media.image_max_bytes
    if limit and size > limit:
        raise ArgumentError(
            f"{argument} has {size:,} bytes, but {model} takes at most {limit:,}; scale it down",
            argument,
        )
