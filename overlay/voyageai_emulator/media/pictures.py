"""Pictures into what they show."""

from __future__ import annotations

import hashlib
import struct
import zlib
from io import BytesIO
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from .layout import SIDE, layout
from .medium import UnreadableError, check_pixels

__all__ = ["Picture", "read_picture"]

FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    OverflowError,
    struct.error,
    zlib.error,
    Warning,  # where warnings are errors
)
"""What decoders raise when they meet a picture that is not what it says."""
BOMB = (Image.DecompressionBombError, Image.DecompressionBombWarning)


class Picture(NamedTuple):
    """A picture that was looked at."""

    pixels: int
    names: tuple[str, ...]
    """What it is known by: one name for exactly what it shows, many for its looks."""


def read_picture(data: bytes, most_pixels: int | None) -> Picture:
    """Look at a picture, or the first of several in a file, upright and on white.

    Args:
        data: A PNG, JPEG, WEBP or GIF file.
        most_pixels: The most pixels to decode.

    Raises:
        UnreadableError: It is something else, broken or too large.
    """
    try:
        with Image.open(BytesIO(data), formats=FORMATS) as image:
            check_pixels(image.width, image.height, most_pixels)
            ImageOps.exif_transpose(image, in_place=True)
            shown = _on_white(image)
            cells = np.asarray(shown.resize((SIDE, SIDE), Image.Resampling.BOX))
            exact = hashlib.blake2b(shown.tobytes(), digest_size=16).hexdigest()
    except UnidentifiedImageError as error:
        raise UnreadableError(
            f"the file is no image of the formats {', '.join(FORMATS)}"
        ) from error
    except BOMB as error:
        raise UnreadableError(f"the image is too large: {error}") from error
    except BROKEN as error:
        raise UnreadableError(f"the image is broken: {error}") from error
    width, height = shown.size
    return Picture(width * height, (f"image {width} {height} {exact}", *layout(cells)))


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16 bits per pixel, of which a conversion may clip the upper
        upper = (np.asarray(image) >> 8).astype(np.uint8)
        return Image.fromarray(upper).convert("RGB")
    if not image.has_transparency_data:
        return image.convert("RGB")
    opaque = Image.new("RGB", image.size, "white")
    layered = image.convert("RGBA")
    opaque.paste(layered, mask=layered.getchannel("A"))
    return opaque
