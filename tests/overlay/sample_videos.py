"""Small videos for the tests, made with ffmpeg."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from voyageai.media import ffmpeg

UPRIGHT = bytes.fromhex("00010000" + 3 * "00000000" + "00010000" + 3 * "00000000" + "40000000")
TURNED = bytes.fromhex(
    "00000000" "00010000" "00000000" "ffff0000" + 4 * "00000000" + "40000000"
)  # fmt: skip
"""Display matrix that rotates by 90 degrees."""


def run(*arguments: str) -> str:
    """Return the output of ffmpeg; skip the test if ffmpeg is missing."""
    try:
        program = ffmpeg.executable()
    except ImportError as error:
        pytest.skip(f"NO VIDEO IS TESTED: {error}")
    return subprocess.run(
        [program, "-v", "error", *arguments], check=True, capture_output=True, text=True
    ).stdout


def film(path: Path, size: str, rate: str, frames: int, *options: str) -> Path:
    """Return a video of a moving image."""
    source = f"testsrc=size={size}:rate={rate}"
    run("-f", "lavfi", "-i", source, *options, "-frames:v", str(frames), f"{path}")
    return path


def turned(video: bytes) -> bytes:
    """Return an MP4 whose metadata asks players to rotate it by 90 degrees."""
    place = video.index(UPRIGHT, video.index(b"tkhd"))
    return video[:place] + TURNED + video[place + len(TURNED) :]
