"""Decode images and videos into their size and their visual words.

*Visual words* describe an image: one word is a hash of its pixels, and many others describe the
colours and the lightness of its regions. The latter come from coarse grids over the image, so they
are the same after resizing, conversion or lossy compression, while different images share few. A
value near the boundary of a quantization step may be rounded either way. Each value is therefore
quantized twice, with offsets half a step apart, so that at least one of the two words is stable.

ffmpeg reads videos from a temporary folder that only this user can enter, under a name that does
not come from the request. It treats every file as MP4, and may open no other file.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import struct
import subprocess
import zlib
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from .limits import UnreadableError, check_pixels

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["DecodedImage", "DecodedVideo", "decode_image", "decode_video"]

SIDE = 16
"""Number of cells per side of the finest grid."""
COLOUR_GRIDS = (1, 2, 4, 8)
COLOUR_STEP = 32
COLOUR_OFFSETS = (8, 24)
"""Not 0 and 16, as multiples of 16 such as 64 and 128 are the most frequent values in drawings."""
LIGHT_GRIDS = (8, 16)
LIGHT_STEP = 1.5
"""In standard deviations of an image's lightness, so that its contrast does not matter."""
LIGHT_OFFSETS = (0.0, 0.5)
FLAT = 1.0
"""Standard deviation of lightness below which an image gets no words for lightness."""

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
"""Exceptions that image decoders raise for broken files."""
BOMB = (Image.DecompressionBombError, Image.DecompressionBombWarning)

SAMPLES = 4
"""Number of frames to decode, evenly spaced over the video."""
PADDING = 128
"""Maximum of pixels by which a coded frame is wider or higher than the displayed one."""
SECONDS = 20
"""Time limit of ffprobe and ffmpeg, each."""
READ = [
    *("-v", "error", "-threads", "1"),
    *("-protocol_whitelist", "file", "-f", "mov", "-enable_drefs", "0"),
]
PROBE = [
    *("-select_streams", "V:0", "-of", "json"),
    *("-show_entries", "stream=width,height,r_frame_rate,duration:format=duration"),
]
SAMPLE = [
    *("-map", "0:V:0", "-frames:v", "1", "-pix_fmt", "rgb24", "-f", "rawvideo"),
    *("-vf", f"scale={SIDE}:{SIDE}:flags=area+accurate_rnd+bitexact", "pipe:1"),
]


class DecodedImage(NamedTuple):
    """Size and content of an image."""

    pixels: int
    visual_words: tuple[str, ...]


class DecodedVideo(NamedTuple):
    """Size and content of a video, from some of its frames."""

    frame_pixels: int
    """Pixels of each frame."""
    frames: int
    """Number of frames, rounded down to an even number."""
    visual_words: tuple[str, ...]
    """A hash of the file, and the visual words of the decoded frames."""


class _Track(NamedTuple):
    width: int
    height: int
    rate: float
    """Frames per second."""
    duration: float
    """Seconds."""


def decode_image(data: bytes, max_pixels: int | None) -> DecodedImage:
    """Decode the first image of a file, rotated by its EXIF orientation, on a white background.

    Args:
        data: Content of a PNG, JPEG, WEBP or GIF file.
        max_pixels: Maximum of pixels; None for no limit.

    Raises:
        UnreadableError: The file has another format, is broken, or has too many pixels.
    """
    try:
        with Image.open(BytesIO(data), formats=FORMATS) as image:
            check_pixels(image.width, image.height, max_pixels)
            ImageOps.exif_transpose(image, in_place=True)
            shown = _on_white(image)
            cells = np.asarray(shown.resize((SIDE, SIDE), Image.Resampling.BOX))
            exact = hashlib.blake2b(shown.tobytes(), digest_size=16).hexdigest()
    except UnidentifiedImageError as error:
        raise UnreadableError(
            f"the file is not an image in one of the formats {', '.join(FORMATS)}"
        ) from error
    except BOMB as error:
        raise UnreadableError(f"the image is too large: {error}") from error
    except BROKEN as error:
        raise UnreadableError(f"the image is broken: {error}") from error
    width, height = shown.size
    words = (f"image {width} {height} {exact}", *_visual_words(cells))
    return DecodedImage(width * height, words)


def decode_video(data: bytes, max_pixels: int | None) -> DecodedVideo:
    """Decode some frames of a video.

    Args:
        data: Content of an MP4 file.
        max_pixels: Maximum of pixels of a frame; None for no limit.

    Raises:
        UnreadableError: The file has another format, is broken, or has too many pixels, or ffmpeg
            is not installed.
    """
    if data[4:8] != b"ftyp" or data[8:12] == b"qt  ":
        raise UnreadableError("the file is not an MP4 video")
    with TemporaryDirectory(prefix="voyageai-emulator-") as folder:
        path = Path(folder, "video.mp4")
        path.write_bytes(data)
        track = _probe(path)
        check_pixels(track.width, track.height, max_pixels)
        sampled = [_visual_words(cells) for cells in _samples(path, track)]
    if not sampled:
        raise UnreadableError("no frame of the video can be decoded")
    frames = int(track.rate * track.duration)
    exact = hashlib.blake2b(data, digest_size=16).hexdigest()
    words = dict.fromkeys([f"video {exact}", *(word for words in sampled for word in words)])
    return DecodedVideo(track.width * track.height, frames - frames % 2, tuple(words))


def _on_white(image: Image.Image) -> Image.Image:
    """Convert an image to RGB; transparent parts become white."""
    if image.mode.startswith("I"):  # 16 bits per pixel, which a conversion might clip to 8
        upper = (np.asarray(image) >> 8).astype(np.uint8)
        return Image.fromarray(upper).convert("RGB")
    if not image.has_transparency_data:
        return image.convert("RGB")
    opaque = Image.new("RGB", image.size, "white")
    layered = image.convert("RGBA")
    opaque.paste(layered, mask=layered.getchannel("A"))
    return opaque


def _visual_words(cells: NDArray[np.uint8]) -> tuple[str, ...]:
    """Return the visual words of an image's colours and lightness.

    Args:
        cells: Mean colours of a grid over the image, uint8 of shape (`SIDE`, `SIDE`, 3), rows
            first.
    """
    return (*_colour_words(cells), *_light_words(cells))


def _colour_words(cells: NDArray[np.uint8]) -> Iterator[str]:
    for grid in COLOUR_GRIDS:
        means = _pool(cells, grid).reshape(-1, 3)
        for offset in COLOUR_OFFSETS:
            steps = np.floor((means + offset) / COLOUR_STEP).astype(int)
            for cell, colour in enumerate(steps.tolist()):
                yield f"colour {grid} {offset} {cell} {colour}"


def _light_words(cells: NDArray[np.uint8]) -> Iterator[str]:
    """Yield a word for each square of 2 x 2 cells, from their lightness relative to the image's."""
    for grid in LIGHT_GRIDS:
        means = _pool(cells, grid).mean(axis=2)
        deviation = means.std()
        if deviation < FLAT:
            continue
        for offset in LIGHT_OFFSETS:
            steps = np.floor((means - means.mean()) / (deviation * LIGHT_STEP) + offset)
            squares = steps.astype(int).reshape(grid // 2, 2, grid // 2, 2).swapaxes(1, 2)
            for square, lights in enumerate(squares.reshape(-1, 4).tolist()):
                yield f"light {grid} {offset} {square} {lights}"


def _pool(cells: NDArray[np.uint8], grid: int) -> NDArray[np.float64]:
    """Average cells of shape (`SIDE`, `SIDE`, 3) into a coarser grid of shape (grid, grid, 3)."""
    size = SIDE // grid
    means: NDArray[np.float64] = cells.reshape(grid, size, grid, size, 3).mean(axis=(1, 3))
    return means


def _probe(path: Path) -> _Track:
    """Return the size, rate and duration in a video's metadata.

    Raises:
        UnreadableError: The video is broken, or lacks these metadata.
    """
    try:
        found = json.loads(_run("ffprobe", *READ, *PROBE, f"file:{path}"))
        stream = found["streams"][0]
        frames, _, seconds = stream["r_frame_rate"].partition("/")
        track = _Track(
            int(stream["width"]),
            int(stream["height"]),
            float(frames) / float(seconds or 1),
            float(stream.get("duration") or found["format"]["duration"]),
        )
    except (ValueError, LookupError, TypeError, ZeroDivisionError) as error:
        raise UnreadableError("the video is broken or has no pictures") from error
    if min(track) <= 0:
        raise UnreadableError("the video does not state its size, rate or duration")
    return track


def _samples(path: Path, track: _Track) -> Iterator[NDArray[np.uint8]]:
    """Yield the mean colours of a grid over some frames, each uint8 of shape (SIDE, SIDE, 3)."""
    # Frames can be larger than the metadata say, as most codecs pad them.
    limit = ["-max_pixels", str((track.width + PADDING) * (track.height + PADDING))]
    for number in range(SAMPLES):
        second = track.duration * (2 * number + 1) / (2 * SAMPLES)
        seek = ["-nostdin", "-ss", f"{second:.3f}", "-i", f"file:{path}"]
        raw = _run("ffmpeg", *READ, *limit, *seek, *SAMPLE)
        if len(raw) == SIDE * SIDE * 3:
            yield np.frombuffer(raw, np.uint8).reshape(SIDE, SIDE, 3)


def _run(tool: str, *arguments: str) -> bytes:
    """Return the standard output of a program, even if it fails.

    Raises:
        UnreadableError: The program is not installed, or takes too long.
    """
    found = shutil.which(tool)
    if found is None:
        raise UnreadableError(
            f"the emulator reads videos with {tool}, which is not on its PATH: install ffmpeg"
        )
    try:
        return subprocess.run(  # noqa: S603  # fixed arguments and no shell
            [found, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=SECONDS,
            check=False,
        ).stdout
    except subprocess.TimeoutExpired as error:
        raise UnreadableError(f"{tool} took more than {SECONDS} seconds for the video") from error
