"""Videos, measured and made smaller with the program ffmpeg.

IMAGEIO_FFMPEG_EXE names the program; else it is the one of the extra `video`, else the one on the
PATH, as a system's own may lack the encoder. It is run without a shell, reads one local file in a
container that holds a video itself, and has a time limit.
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
    "measure",
    "optimized",
    "temporary_copy",
    "try_usage",
    "usage_of",
]

NAMED = "IMAGEIO_FFMPEG_EXE"
QUIET = ("-hide_banner", "-nostdin", "-loglevel", "error")
CONTAINERS = "asf,avi,flv,gif,matroska,mov,mpeg,mpegts,ogg"
"""Containers that ffmpeg may read. Playlists are excluded, as they refer to other files."""
READING = ("-protocol_whitelist", "file", "-format_whitelist", CONTAINERS)
VIDEO = ("-map", "0:V:0")
"""The first stream of frames that is no cover picture."""
LINES = ("-f", "framecrc", "pipe:1")
"""One line per packet: stream, decoding time, presentation time, duration, size, checksum."""
ALONE = ("-an", "-sn", "-dn", "-map_metadata", "-1", "-map_chapters", "-1")
"""Without sound, subtitles and metadata, such as the location that a camera records."""
QUALITY = ("-crf", "20", "-maxrate", "6M", "-bufsize", "12M", "-preset", "veryfast")
# Frames are stored in the order in which they are shown, and any is found in a few steps.
CODING = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-bf", "0", "-g", "60", *QUALITY)
ADDRESS = re.compile(r"\[[^]]* @ 0x[0-9a-f]+\] ")
"""The prefix of a message that names a part of ffmpeg."""

FOLDER = "voyageai-"
"""Prefix of the names of temporary folders."""
TIME_TO_MEASURE = 120.0
TIME_TO_START = 60.0
SLOWEST = 20.0
"""Most seconds that the encoding of one second of video may take."""


def executable() -> str:
    """Return the path or name of the program.

    Raises:
        ImportError: ffmpeg is not found; the message says how to install it.
    """
    named = os.environ.get(NAMED)
    if named:
        return named
    try:
        bundled: str = require("imageio_ffmpeg", "video").get_ffmpeg_exe()
    except (ImportError, RuntimeError) as error:  # not installed, or not built for this platform
        measures = shutil.which("ffmpeg")
        if measures is None:
            raise ImportError(
                f"Reading videos needs ffmpeg, which was not found: {install('video')}; or "
                f"install ffmpeg and have it on the PATH, or name it by {NAMED}.",
                name="imageio_ffmpeg",
            ) from error
        return measures
    return bundled


def measure(source: Path, seconds: float = TIME_TO_MEASURE) -> Measures:
    """Measure a video. Its frames are counted, not estimated from a frame rate.

    Args:
        source: Path of the file.
        seconds: Time limit for each of the two runs of ffmpeg.

    Raises:
        ImportError: ffmpeg is not found.
        VideoProcessingError: The file can't be read as a video.
    """
    # The first frame is decoded, as a rotated video is shown with width and height exchanged.
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
    """Encode a video as MP4 without sound.

    Args:
        source: Path of the file.
        target: Path of the file to write.
        size: Width and height of the frames; both must be even.
        frames: Most frames to write.
        rate: Frames per second, evenly spaced; None for all frames.
        seconds: Duration of the video, which determines the time limit.

    Raises:
        ImportError: ffmpeg is not found.
        VideoProcessingError: ffmpeg failed.
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
    # With a bare name, a file could be taken for an option or a URL.
    return (*READING, "-i", f"file:{source.resolve()}")


def _length(lines: Iterable[str]) -> tuple[int, float]:
    """Return the number of frames and the duration in seconds."""
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
    """Run ffmpeg and return its output lines."""
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
            f"{program} can't be run: {error}. Set {NAMED} to another ffmpeg."
        ) from error
    if done.returncode:
        output = ADDRESS.sub("", done.stderr.decode("utf-8", "replace")).strip().splitlines()
        raise VideoProcessingError(
            f"ffmpeg can't process the video: {' '.join(output[:3]) or done.returncode}"
        )
    return done.stdout.decode("ascii", "replace").splitlines()


@contextmanager
def temporary_copy(data: bytes) -> Generator[Path, None, None]:
    """Enter with the path of a temporary copy, in a folder that only the current user can enter."""
    with TemporaryDirectory(prefix=FOLDER) as folder:
        path = Path(folder, "video")
        path.write_bytes(data)
        yield path


def usage_of(path: Path, model: str, base_url: str | None) -> Usage:
    """Return the usage of a video.

    Args:
        path: Path of the video.
        model: Name of the model.
        base_url: Base URL of requests, as in `pixel_bounds`.

    Raises:
        ArgumentError: The model does not support videos.
        ImportError: ffmpeg is not found, or huggingface_hub is needed and not installed.
        OSError: The sizes to which the model scales frames could not be read.
        VideoProcessingError: The file can't be read as a video.
    """
    bounds = pixel_bounds(model, "video", base_url)
    return usage(measure(path), bounds)


def try_usage(path: Path, model: str) -> Usage | None:
    """Return the usage of a video; None if it can't be determined here.

    Raises:
        ArgumentError: The model does not support videos.
    """
    with suppress(ImportError, VideoProcessingError):  # no ffmpeg, or it can't read the video
        return usage(measure(path), _bounds(model))
    return None


def optimized(
    source: Path, model: str, *, multiple: int | None, budget: int | None
) -> tuple[bytes, Usage]:
    """Optimize a video for `optimize_video`, and return its bytes and usage.

    Args:
        source: Path of the file.
        model: Name of the model.
        multiple: Both sides are rounded to multiples of this number; None to keep them.
        budget: Most tokens that the video may count as; None to keep all frames.

    Raises:
        ArgumentError: The model does not support videos, or the multiple leads to odd sides.
        ImportError: ffmpeg is not found, or huggingface_hub is needed and not installed.
        VideoProcessingError: The file can't be read as a video, or the budget can't be met.
    """
    bounds = _bounds(model) if budget is None else _required_bounds(model, budget)
    measures = measure(source)
    frames, rate = even(measures.frames), None
    sides = size(measures, multiple)
    if bounds is not None and budget is not None:
        affordable = fitting(sides, bounds, budget)
        if affordable < frames:
            frames, rate = affordable, _rate(affordable, measures.seconds, budget)
    with TemporaryDirectory(prefix=FOLDER) as folder:
        target = Path(folder, "video.mp4")
        encode(source, target, size=sides, frames=frames, rate=rate, seconds=measures.seconds)
        return target.read_bytes(), usage(measure(target), bounds)


def _bounds(model: str) -> PixelBounds | None:
    """Return the pixel bounds of a model; None without huggingface_hub or a connection."""
    with suppress(ImportError, OSError):
        return pixel_bounds(model, "video")
    return None


def _required_bounds(model: str, budget: int) -> PixelBounds:
    try:
        return pixel_bounds(model, "video")
    except OSError as error:
        raise VideoProcessingError(
            f"max_video_tokens={budget} can't be applied: {error}. Go online, or keep all "
            "frames with downsample_fps=False."
        ) from error


def _rate(frames: int, seconds: float, budget: int) -> Fraction:
    # Milliseconds are exact enough, and keep the denominators of the file's times small.
    duration = Fraction(round(seconds * 1000), 1000)
    if duration <= 0:
        raise VideoProcessingError(
            "The video has no duration, so its frame rate is unknown and "
            f"max_video_tokens={budget} can't be applied; re-encode it, or keep all frames with "
            "downsample_fps=False."
        )
    return frames / duration
