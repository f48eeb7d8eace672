"""Images and videos that tests create."""

from __future__ import annotations

import base64
import random
import shutil
import struct
import subprocess
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

needs_ffmpeg = pytest.mark.skipif(
    shutil.which("ffmpeg") is None, reason="ffmpeg is not installed: videos are not tested"
)


def drawing(seed: int, width: int = 320, height: int = 240) -> Image.Image:
    """Return an image of coloured rectangles, which depend on the seed."""
    choose = random.Random(seed)

    def colour() -> tuple[int, int, int]:
        return choose.randrange(256), choose.randrange(256), choose.randrange(256)

    picture = Image.new("RGB", (width, height), colour())
    draw = ImageDraw.Draw(picture)
    for _ in range(8):
        left, top = choose.randrange(width), choose.randrange(height)
        right, bottom = left + choose.randrange(width // 2), top + choose.randrange(height // 2)
        draw.rectangle((left, top, right, bottom), fill=colour())
    return picture


def encoded(picture: Image.Image, format: str = "PNG", **options: Any) -> bytes:
    """Return an image as the bytes of a file."""
    file = BytesIO()
    picture.save(file, format, **options)
    return file.getvalue()


def data_url(data: bytes, kind: str = "image/png") -> str:
    """Return a file as a data URL."""
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def claiming(width: int, height: int) -> bytes:
    """Return the header of a PNG of a size, without pixels."""

    def chunk(name: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(name + content))
        return struct.pack(">I", len(content)) + name + content + check

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"")


def film(path: Path, source: str, *options: str) -> bytes:
    """Return a video made by ffmpeg, as the bytes of a file."""
    command = ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", source, *options, str(path)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return path.read_bytes()
