"""Videos measured and written anew by the program ffmpeg.

It is the one that IMAGEIO_FFMPEG_EXE names, else the one that the extra `video` brings, else the
one on the PATH: a system's own may come without the encoder. It gets no shell, reads one local
file, of a container that holds a video and nothing else, and has a limited time.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from ..error import VideoProcessingError
from ..extras import install, require

__all__ = ["Measures", "encode", "executable", "measure"]

NAMED = "IMAGEIO_FFMPEG_EXE"
QUIET = ("-hide_banner", "-nostdin", "-loglevel", "error")
CONTAINERS = "asf,avi,flv,gif,matroska,mov,mpeg,mpegts,ogg"
"""Those that ffmpeg may read. Playlists are not among them: they name other files."""
READING = ("-protocol_whitelist", "file", "-format_whitelist", CONTAINERS)
VIDEO = ("-map", "0:V:0")
"""The first stream of frames; a cover is none."""
LINES = ("-f", "framecrc", "pipe:1")
"""A line for each packet: stream, time of decoding, time of showing, duration, size, checksum."""
ALONE = ("-an", "-sn", "-dn", "-map_metadata", "-1", "-map_chapters", "-1")
"""Without sound, subtitles, and what a camera writes beside them, such as the place."""
QUALITY = ("-crf", "20", "-maxrate", "6M", "-bufsize", "12M", "-preset", "veryfast")
# Frames stand in the file in the order they are shown, and any is found in a few steps.
CODING = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-bf", "0", "-g", "60", *QUALITY)
ADDRESS = re.compile(r"\[[^]]* @ 0x[0-9a-f]+\] ")
"""What part of ffmpeg says something."""

TIME_TO_MEASURE = 120.0
TIME_TO_START = 60.0
SLOWEST = 20.0
"""Seconds that the encoding of a second of video may take."""


class Measures(NamedTuple):
    """What a video is like.

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


def executable() -> str:
    """Path or name of the program.

    Raises:
        ImportError: There is none; says how to get it.
    """
    named = os.environ.get(NAMED)
    if named:
        return named
    try:
        brought: str = require("imageio_ffmpeg", "video").get_ffmpeg_exe()
    except (ImportError, RuntimeError) as error:  # not installed; not made for this machine
        found = shutil.which("ffmpeg")
        if found is None:
            raise ImportError(
                f"Reading videos needs ffmpeg, which was not found: {install('video')}; or "
                f"install ffmpeg and have it on the PATH, or name it by {NAMED}.",
                name="imageio_ffmpeg",
            ) from error
        return found
    return brought


def measure(source: Path) -> Measures:
    """Look at a video. Its frames are counted, not estimated from a frame rate.

    Args:
        source: The file.

    Raises:
        ImportError: There is no ffmpeg.
        VideoProcessingError: It can't be read as a video.
    """
    # The first frame is decoded, as a video that was turned is shown the other way round.
    shown = _run([*_input(source), *VIDEO, "-frames:v", "1", *LINES], TIME_TO_MEASURE)
    packets = _run([*_input(source), *VIDEO, "-c", "copy", *LINES], TIME_TO_MEASURE)
    sizes = [line for line in shown if line.startswith("#dimensions")]
    if not sizes:
        raise VideoProcessingError("The video has no frames.")
    width, _, height = sizes[0].rpartition(" ")[2].partition("x")
    return Measures(int(width), int(height), *_length(packets))


def encode(
    source: Path,
    target: Path,
    *,
    size: tuple[int, int],
    frames: int,
    rate: Fraction | None,
    seconds: float,
) -> None:
    """Write a video anew, as MP4 without sound.

    Args:
        source: The file.
        target: The file to write.
        size: Width and height of its frames, which must be even.
        frames: The most frames it may have.
        rate: Frames per second, evenly spread; None for the frames as they are.
        seconds: How long the video is.

    Raises:
        ImportError: There is no ffmpeg.
        VideoProcessingError: It can't be done.
    """
    filters = [f"scale={size[0]}:{size[1]}:flags=bicubic"]
    if rate is not None:
        filters.insert(0, f"fps={rate}")
    _run(
        [
            *_input(source),
            *(*VIDEO, *ALONE, "-vf", ",".join(filters), "-frames:v", str(frames)),
            *(*CODING, "-f", "mp4", f"file:{target}"),
        ],
        TIME_TO_START + SLOWEST * seconds,
    )


def _input(source: Path) -> tuple[str, ...]:
    # A name by itself could be an option or a URL.
    return (*READING, "-i", f"file:{source.resolve()}")


def _length(lines: Iterable[str]) -> tuple[int, float]:
    """The number of frames, and the seconds from the first to the end of the last."""
    unit = 0.0
    times: list[tuple[int, int]] = []
    for line in lines:
        if line.startswith("#tb"):
            numerator, _, denominator = line.rpartition(" ")[2].partition("/")
            unit = int(numerator) / int(denominator)
        elif not line.startswith("#"):
            fields = line.split(",")
            times.append((int(fields[1]), int(fields[3])))
    if not times:
        return 0, 0.0
    end = max(time + duration for time, duration in times)
    return len(times), (end - min(time for time, _ in times)) * unit


def _run(arguments: Iterable[str], seconds: float) -> list[str]:
    """The lines that ffmpeg writes."""
    program = executable()
    try:
        done = subprocess.run(  # noqa: S603  # a fixed program, no shell
            [program, *QUIET, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise VideoProcessingError(
            f"ffmpeg was stopped after {seconds:.0f} seconds; cut or scale down the video."
        ) from None
    except OSError as error:
        raise VideoProcessingError(
            f"{program} can't be run: {error}. {NAMED} can name another ffmpeg."
        ) from error
    if done.returncode:
        said = ADDRESS.sub("", done.stderr.decode("utf-8", "replace")).strip().splitlines()
        raise VideoProcessingError(
            f"ffmpeg can't process the video: {' '.join(said[:3]) or done.returncode}"
        )
    return done.stdout.decode("ascii", "replace").splitlines()
