"""Videos into what they show, by way of ffmpeg.

A video is written to a folder of its own that only this user can enter, under a name that does not
come from the request. ffmpeg reads it as MP4 whatever it says, and may open no other file.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .layout import SIDE, layout
from .medium import UnreadableError, check_pixels

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["Video", "read_video"]

SAMPLES = 4
"""Frames that are looked at, from all over the video."""
PADDING = 128
"""Pixels by which a coded frame is wider and higher than the one shown, at most."""
SECONDS = 20
"""Time that one of the programs has."""
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


class Video(NamedTuple):
    """A video that was looked at."""

    frame_pixels: int
    """Pixels of each frame."""
    frames: int
    """Number of frames, of which an odd last one is not counted."""
    names: tuple[str, ...]
    """What it is known by: one name for its file, many for the looks of some of its frames."""


class _Track(NamedTuple):
    width: int
    height: int
    rate: float
    """Frames per second."""
    duration: float
    """Seconds."""


def read_video(data: bytes, most_pixels: int | None) -> Video:
    """Look at a video.

    Args:
        data: An MP4 file.
        most_pixels: The most pixels of a frame.

    Raises:
        UnreadableError: It is something else, broken or too large, or there is no ffmpeg.
    """
    if data[4:8] != b"ftyp" or data[8:12] == b"qt  ":
        raise UnreadableError("the file is not an MP4 video")
    with TemporaryDirectory(prefix="voyageai-emulator-") as folder:
        path = Path(folder, "video.mp4")
        path.write_bytes(data)
        track = _probe(path)
        check_pixels(track.width, track.height, most_pixels)
        looks = [layout(cells) for cells in _samples(path, track)]
    if not looks:
        raise UnreadableError("no frame of the video can be decoded")
    frames = int(track.rate * track.duration)
    exact = hashlib.blake2b(data, digest_size=16).hexdigest()
    names = dict.fromkeys([f"video {exact}", *(name for look in looks for name in look)])
    return Video(track.width * track.height, frames - frames % 2, tuple(names))


def _probe(path: Path) -> _Track:
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
        raise UnreadableError("the video says nothing of its size, rate or duration")
    return track


def _samples(path: Path, track: _Track) -> Iterator[NDArray[np.uint8]]:
    """Mean colours of a grid over some of the frames."""
    # Frames may turn out larger than the file says; those of most codecs are padded.
    most = ["-max_pixels", str((track.width + PADDING) * (track.height + PADDING))]
    for number in range(SAMPLES):
        second = track.duration * (2 * number + 1) / (2 * SAMPLES)
        seek = ["-nostdin", "-ss", f"{second:.3f}", "-i", f"file:{path}"]
        raw = _run("ffmpeg", *READ, *most, *seek, *SAMPLE)
        if len(raw) == SIDE * SIDE * 3:
            yield np.frombuffer(raw, np.uint8).reshape(SIDE, SIDE, 3)


def _run(tool: str, *arguments: str) -> bytes:
    """What a program writes, whether or not it succeeds."""
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
