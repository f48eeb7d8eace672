"""Videos: what they count as, made smaller within a budget, and checked before they are sent."""

from __future__ import annotations

import base64
import inspect
import io
import json
import pickle
import sys
import tempfile

import pytest
from voyageai.error import ArgumentError, VideoProcessingError
from voyageai.media import counting, ffmpeg
from voyageai.media.counting import Bounds, bounds
from voyageai.media.ffmpeg import Measures
from voyageai.media.formats import sniff
from voyageai.media.sizing import size, usage
from voyageai.video_utils import Video, optimize_video
from voyageai_rest.catalogue import MODELS

from .filming import film, run, turned

MODEL = "voyage-multimodal-next"  # that the catalogue does not know
VIDEO_MODEL = next(name for name, model in MODELS.items() if "video" in model.modalities)
MP4 = bytes.fromhex("0000001866747970") + b"mp42" + bytes(12)
CONFIG = {
    "multimodal_video_pixels_min": 1_000,
    "multimodal_video_pixels_max": 100_000,
    "multimodal_video_to_tokens_ratio": 1_120,
}
REQUIRED = inspect.Parameter.empty


@pytest.fixture(autouse=True)
def fetched(tmp_path, monkeypatch):
    """What is asked of the Hub, whose answer is the file below."""
    asked = []
    path = tmp_path / "client_config.json"
    path.write_text(json.dumps(CONFIG))

    def fetch(model, name):
        asked.append((model, name))
        return str(path)

    counting._config.cache_clear()
    monkeypatch.setattr(counting, "fetch", fetch)
    yield asked
    counting._config.cache_clear()


@pytest.fixture
def offline(monkeypatch):
    """No connection to the Hub."""

    def fetch(model, name):
        raise OSError(f"{name} can't be had") from ConnectionError("no route")

    monkeypatch.setattr(counting, "fetch", fetch)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """A film, made once."""
    folder = tmp_path_factory.mktemp("clips")

    def get(size, rate, frames):
        path = folder / f"{size} {rate} {frames}.mp4".replace("/", "-")
        return path if path.exists() else film(path, size, rate, frames)

    return get


def counted(video):
    """What a video counts as."""
    return video.num_pixels, video.num_frames, video.estimated_num_tokens


# Size, rate, frames, arguments; what it counts as before and after. All but the last three rows
# were recorded from the official client 0.5.0, with the bounds above.
OBSERVED = [
    ("320x180", "10", 20, {}, (1152000, 20, 1028), (1034880, 20, 924)),
    ("182x70", "9", 9, {}, (101920, 8, 91), (75264, 8, 67)),
    ("640x480", "8", 16, {}, (1600000, 16, 1428), (1600000, 16, 1428)),
    ("320x180", "10", 20, {"resize": False}, (1152000, 20, 1028), (1152000, 20, 1028)),
    ("320x180", "10", 20, {"max_video_tokens": 300}, (1152000, 20, 1028), (310464, 6, 277)),
    ("320x180", "10", 20, {"max_video_tokens": 92}, (1152000, 20, 1028), (103488, 2, 92)),
    ("320x180", "10", 20, {"resize_multiple": 64}, (1152000, 20, 1028), (1228800, 20, 1097)),
    ("640x480", "8", 16, {"max_video_tokens": 1000}, (1600000, 16, 1428), (1000000, 10, 892)),
    ("640x480", "8", 16, {"max_video_tokens": 178}, (1600000, 16, 1428), (200000, 2, 178)),
    ("640x480", "8", 16, {"downsample_fps": False}, (1600000, 16, 1428), (1600000, 16, 1428)),
    ("14x14", "4", 8, {}, (8000, 8, 7), (8000, 8, 7)),
    ("256x256", "4", 2, {"resize": False}, (131072, 2, 117), (131072, 2, 117)),
    # The official client makes 11 tokens of this, more than it may.
    ("64x42", "4", 8, {"max_video_tokens": 8}, (21504, 8, 19), (6272, 2, 5)),
    # The official client multiplies rate and duration, and loses a frame to rounding: 58.
    ("320x180", "30000/1001", 60, {}, (3456000, 60, 3085), (3104640, 60, 2772)),
    # The official client leaves an odd side, and fails.
    ("181x71", "4", 4, {"resize": False}, (51404, 4, 45), (50400, 4, 45)),
]


@pytest.mark.parametrize(("size", "rate", "frames", "arguments", "before", "after"), OBSERVED)
def test_a_video_counts_as_with_the_official_client(
    clip, tmp_path, size, rate, frames, arguments, before, after
):
    """People plan their costs with these numbers."""
    if size == "181x71":  # which MP4 can't hold
        path = film(tmp_path / "odd.gif", size, rate, frames)
    else:
        path = clip(size, rate, frames)

    assert before == counted(Video.from_path(path, model=MODEL, optimize=False))
    optimized = Video.from_path(path, model=MODEL, optimizer_kwargs=arguments)
    assert after == counted(optimized)
    assert after == counted(Video(optimized.to_bytes(), model=MODEL, optimized=True) | seen())


@pytest.mark.parametrize(
    ("sides", "multiple", "expected"),
    [
        ((640, 360), 28, (644, 364)),
        ((42, 70), 28, (56, 56)),  # from the middle, to the even multiple
        ((1, 13), 28, (28, 28)),
        ((100, 50), 14, (98, 56)),
        ((101, 51), None, (100, 50)),
        ((1, 1), None, (2, 2)),
    ],
)
def test_sides_become_the_nearest_multiples(sides, multiple, expected):
    """Models look at squares of pixels; what does not fill one is wasted."""
    assert expected == size(Measures(*sides, 2, 1.0), multiple)


@pytest.mark.parametrize(
    ("sides", "frames", "expected"),
    [
        ((640, 360), 64, (14745600, 64, 13165)),
        ((644, 364), 65, (15002624, 64, 13395)),
        ((10, 10), 2, (100, 2, 1)),
    ],
)
def test_tokens_of_a_video(sides, frames, expected):
    """The numbers of the official client's tests; no video is free."""
    by = Bounds(least=1, most=10**6, per_token=1120)

    assert expected == usage(Measures(*sides, frames, 1.0), by)


def test_a_turned_video_keeps_its_shape(clip):
    """Phones write the frame lying and a note to turn it."""
    video = optimize_video(turned(clip("320x180", "10", 20).read_bytes()), model=MODEL)

    assert (168, 308) == measured(video)[:2]


def measured(video):
    """How large the frames are, and how many."""
    with tempfile.NamedTemporaryFile(suffix=".mp4") as file:
        file.write(video.to_bytes())
        file.flush()
        return ffmpeg.measure(ffmpeg.Path(file.name))
