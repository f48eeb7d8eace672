"""Videos measured, and made smaller, by the program ffmpeg.

IMAGEIO_FFMPEG_EXE names the program; else it is the one that the extra `video` brings, else the one
on the PATH: a system's own may come without the encoder. It gets no shell, reads one local file, of
a container that holds a video and nothing else, and has a limited time.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

from ..error import VideoProcessingError
from ..extras import install, require
from .sizing import Measures, PixelBounds, Usage, even, fitting, pixel_bounds, size, usage

__all__ = [
    "encode",
    "executable",
    "kept",
    "look",
    "measure",
    "optimized",
    "usage_of",
]

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
"""The part of ffmpeg that a message is from."""

FOLDER = "voyageai-"
"""The beginning of the names of temporary folders."""
TIME_TO_MEASURE = 120.0
TIME_TO_START = 60.0
SLOWEST = 20.0
"""Seconds that the encoding of a second of video may take."""


def executable() -> str:
    """Return the path or name of the program.

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


def measure(source: Path, seconds: float = TIME_TO_MEASURE) -> Measures:
    """Measure a video. Its frames are counted, not estimated from a frame rate.

    Args:
        source: The file.
        seconds: How long each of two looks at it may take.

    Raises:
        ImportError: There is no ffmpeg.
        VideoProcessingError: It can't be read as a video.
    """
    # The first frame is decoded, as a video that was turned is shown the other way round.
    shown = _run([*_input(source), *VIDEO, "-frames:v", "1", *LINES], seconds)
    packets = _run([*_input(source), *VIDEO, "-c", "copy", *LINES], seconds)
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
    """Return the number of frames, and the seconds from the first to the end of the last."""
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
    """Run ffmpeg and return the lines that it writes."""
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


@contextmanager
def kept(data: bytes) -> Generator[Path, None, None]:
    """Write a video to a temporary file, in a folder that only this user can enter."""
    with TemporaryDirectory(prefix=FOLDER) as folder:
        path = Path(folder, "video")
        path.write_bytes(data)
        yield path


def usage_of(path: Path, model: str, base_url: str | None) -> Usage:
    """Return the usage of a video.

    Args:
        path: The video.
        model: The model.
        base_url: Where requests go, as in `pixel_bounds`.

    Raises:
        ArgumentError: The model takes no videos.
        ImportError: There is no ffmpeg, or no huggingface_hub where it is needed.
        OSError: It can't be known how the model scales frames.
        VideoProcessingError: It can't be read as a video.
    """
    by = pixel_bounds(model, "video", base_url)
    return usage(measure(path), by)


def look(path: Path, model: str) -> Usage | None:
    """Return the usage of a video, or None where it can't be found out here.

    Raises:
        ArgumentError: The model takes no videos.
    """
    with suppress(ImportError, VideoProcessingError):  # no ffmpeg, or not for it
        return usage(measure(path), _bounds(model))
    return None


def optimized(
    source: Path, model: str, *, multiple: int | None, budget: int | None
) -> tuple[bytes, Usage]:
    """Optimize a video for `optimize_video`; return it and its usage.

    Args:
        source: The file.
        model: The model that it is for.
        multiple: What its sides become multiples of; None to leave them.
        budget: The most tokens that it may count as; None to leave its frames.

    Raises:
        ArgumentError: The model takes no videos, or the multiple makes odd sides.
        ImportError: There is no ffmpeg, or no huggingface_hub where it is needed.
        VideoProcessingError: It can't be read as a video, or the budget can't be held.
    """
    by = _bounds(model) if budget is None else _needed(model, budget)
    found = measure(source)
    frames, rate = even(found.frames), None
    sides = size(found, multiple)
    if by is not None and budget is not None:
        most = fitting(sides, by, budget)
        if most < frames:
            frames, rate = most, _rate(most, found.seconds, budget)
    with TemporaryDirectory(prefix=FOLDER) as folder:
        target = Path(folder, "video.mp4")
        encode(source, target, size=sides, frames=frames, rate=rate, seconds=found.seconds)
        return target.read_bytes(), usage(measure(target), by)


def _bounds(model: str) -> PixelBounds | None:
    """Return what a model counts by; None without huggingface_hub or without a connection."""
    with suppress(ImportError, OSError):
        return pixel_bounds(model, "video")
    return None


def _needed(model: str, budget: int) -> PixelBounds:
    try:
        return pixel_bounds(model, "video")
    except OSError as error:
        raise VideoProcessingError(
            f"max_video_tokens={budget} can't be applied: {error}. Go online, or keep all "
            "frames with downsample_fps=False."
        ) from error


def _rate(frames: int, seconds: float, budget: int) -> Fraction:
    # Milliseconds are exact enough, and keep the numbers small that the file's times are made of.
    duration = Fraction(round(seconds * 1000), 1000)
    if duration <= 0:
        raise VideoProcessingError(
            "The video has no duration, so its frame rate is unknown and "
            f"max_video_tokens={budget} can't be applied; re-encode it, or keep all frames with "
            "downsample_fps=False."
        )
    return frames / duration
