"""Videos: their token counts, fitting them into a budget, and checks before sending."""

from __future__ import annotations

import base64
import inspect
import io
import json
import pickle
import re
import shutil
import subprocess
import sys
import tempfile
import types

import pytest
from huggingface_hub import constants
from voyageai.error import ArgumentError, VideoProcessingError
from voyageai.media import ffmpeg, sizing
from voyageai.media.ffmpeg import temporary_copy
from voyageai.media.sizing import Measures, PixelBounds, pixel_bounds, size, usage
from voyageai.media.video import sniff
from voyageai.tokenization import fetch
from voyageai.video_utils import Video, optimize_video
from voyageai_rest.catalogue import MODELS

from tests.calls import calls_of
from tests.hub_cache import hide_hub, keep

from .sample_videos import film, run, turned

MODEL = "voyage-multimodal-next"  # not in the catalogue
VIDEO_MODEL = next(name for name, model in MODELS.items() if "video" in model.modalities)
MP4 = bytes.fromhex("0000001866747970") + b"mp42" + bytes(12)
CONFIG = {
    "multimodal_video_pixels_min": 1_000,
    "multimodal_video_pixels_max": 100_000,
    "multimodal_video_to_tokens_ratio": 1_120,
}
REQUIRED = inspect.Parameter.empty


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """Return a Hub cache with the configuration above; the Hub is unreachable."""
    folder = tmp_path / "hub"
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(folder))
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    hide_hub(monkeypatch)
    keep(folder, MODEL, sizing.CONFIG, json.dumps(CONFIG))
    sizing._config.cache_clear()
    yield folder
    sizing._config.cache_clear()


@pytest.fixture
def offline(cache):
    """Make the Hub unreachable, with nothing cached."""
    shutil.rmtree(cache)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Return a function that creates each film once."""
    folder = tmp_path_factory.mktemp("clips")

    def get(size, rate, frames):
        path = folder / f"{size} {rate} {frames}.mp4".replace("/", "-")
        return path if path.exists() else film(path, size, rate, frames)

    return get


def counted(video):
    """Return pixels, frames and tokens of a video."""
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
    """Users plan their costs with these numbers."""
    if size == "181x71":  # which MP4 can't hold
        path = film(tmp_path / "odd.gif", size, rate, frames)
    else:
        path = clip(size, rate, frames)

    assert before == counted(Video.from_path(path, model=MODEL, optimize=False))
    optimized = Video.from_path(path, model=MODEL, optimizer_kwargs=arguments)
    assert after == counted(optimized)
    again = Video.from_file(io.BytesIO(optimized.to_bytes()), model=MODEL, optimize=False)
    assert after == counted(again)


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
    """Models read frames in squares of pixels, and a partial square is wasted."""
    assert expected == size(Measures(*sides, 2, 1.0), multiple)


@pytest.mark.parametrize(
    ("sides", "frames", "expected"),
    [
        ((640, 360), 64, (14745600, 64, 13165)),
        ((644, 364), 65, (15002624, 64, 13395)),
        ((10, 10), 2, (200, 2, 1)),
    ],
)
def test_tokens_of_a_video(sides, frames, expected):
    """The numbers are those of the official client's tests, and no video is free."""
    by = PixelBounds(min_pixels=1, max_pixels=10**6, per_token=1120)

    assert expected == usage(Measures(*sides, frames, 1.0), by)


def test_a_turned_video_keeps_its_shape(clip):
    """Phones store frames sideways, with a note to rotate them."""
    video = optimize_video(turned(clip("320x180", "10", 20).read_bytes()), model=MODEL)

    with temporary_copy(video.to_bytes()) as path:
        assert Measures(168, 308, 20, 2.0) == ffmpeg.measure(path)


@pytest.mark.parametrize("budget", [102, 137, 500, 1027])
def test_a_budget_is_held_and_used(clip, budget):
    """Too many tokens are cut or refused by the API, and unused ones are lost detail."""
    video = optimize_video(
        clip("320x180", "10", 20), model=MODEL, max_video_tokens=budget, resize=False
    )
    two_frames = 2 * 320 * 180 / CONFIG["multimodal_video_to_tokens_ratio"]

    assert budget - two_frames - 1 <= video.estimated_num_tokens <= budget


def test_frames_are_left_out_evenly(clip):
    """Cutting off the end instead would change what the video shows."""
    video = optimize_video(clip("320x180", "10", 20), model=MODEL, max_video_tokens=300)

    with temporary_copy(video.to_bytes()) as path:
        assert Measures(308, 168, 6, 2.0) == ffmpeg.measure(path)


def test_sound_and_metadata_are_not_sent(tmp_path):
    """The API reads frames only, and metadata may hold where the user lives."""
    path = film(
        tmp_path / "noted.mp4", "64x64", "5", 10,
        *("-f", "lavfi", "-i", "sine=duration=2", "-metadata", "comment=my garden"),
    )  # fmt: skip
    kinds = ("-map", "0", "-c", "copy", "-f", "framecrc", "-")
    before = run("-i", f"{path}", *kinds)
    video = optimize_video(path, model=MODEL, resize=False, downsample_fps=False)
    video.to_file(tmp_path / "optimized.mp4")
    after = run("-i", f"{tmp_path / 'optimized.mp4'}", *kinds)

    assert (True, True) == ("audio" in before, b"my garden" in path.read_bytes())
    assert (False, False) == ("audio" in after, b"my garden" in video.to_bytes())


@pytest.mark.parametrize("ending", ["mkv", "avi", "gif", "mov"])
def test_other_containers_become_mp4(tmp_path, ending):
    """The API takes MP4 only."""
    path = film(tmp_path / f"film.{ending}", "64x64", "5", 10)
    video = optimize_video(path, model=MODEL)

    assert "video/mp4" != sniff(path.read_bytes())
    assert ("video/mp4", "video/mp4") == (video.mime_type, sniff(video.to_bytes()))
    assert 10 == video.num_frames


def test_bytes_paths_files_and_videos_are_taken(clip):
    """Users have videos in all these forms."""
    path = clip("320x180", "10", 20)
    data = path.read_bytes()
    given = [str(path), path, data, bytearray(data), memoryview(data), Video(data, model=MODEL)]
    videos = [optimize_video(video, model=MODEL) for video in given]
    videos.append(Video.from_file(io.BytesIO(data), model=MODEL))
    videos.append(Video.from_path(path, model=MODEL))

    assert {videos[0]} == set(videos)
    assert videos[0].optimized
    assert MODEL == videos[0].model


@pytest.mark.parametrize("good", [True, False])
def test_nothing_is_left_on_the_disk(clip, tmp_path, monkeypatch, good):
    """Videos are private, and temporary files would fill the disk."""
    data = clip("320x180", "10", 20).read_bytes()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    try:
        optimize_video(data if good else data[:900], model=MODEL)
    except VideoProcessingError:
        assert not good

    assert [] == list((tmp_path / "temporary").iterdir())


# Refused arguments.


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"max_video_tokens": 91}, "2 frames of 308 x 168 pixels are 92 tokens, more than max_video_tokens=91; raise it."),
        ({"max_video_tokens": 0}, "max_video_tokens must be a positive integer, not 0"),
        ({"resize_multiple": 0}, "resize_multiple must be a positive integer, not 0"),
        ({"resize_multiple": 2.5}, "resize_multiple must be a positive integer, not 2.5"),
        ({"resize_multiple": 45}, "resize_multiple=45 makes frames of 315 x 180 pixels, but the sides of an MP4 are even; pass an even number"),
        ({"resize": "yes"}, "resize must be True or False, not 'yes'"),
        ({"downsample_fps": None}, "downsample_fps must be True or False, not None"),
        ({"model": ""}, "model must be the name of a model, not ''"),
    ],
)  # fmt: skip
def test_unsupported_operations_are_reported(clip, arguments, message):
    """The error names the argument and the fix."""
    with pytest.raises((ArgumentError, VideoProcessingError)) as caught:
        optimize_video(clip("320x180", "10", 20), **{"model": MODEL} | arguments)

    assert message == str(caught.value)


def test_a_budget_of_no_tokens_is_a_value_error(clip):
    """The official client raises ValueError too."""
    with pytest.raises(ValueError, match="max_video_tokens"):
        optimize_video(clip("320x180", "10", 20), model=MODEL, max_video_tokens=-1)


@pytest.mark.parametrize("frames", [0, 1])
def test_a_video_needs_two_frames(frames):
    """Models read frames in pairs."""
    with pytest.raises(VideoProcessingError, match=f"has {frames} frames?, .*as an image"):
        usage(Measures(64, 64, frames, 1.0), None)


def test_a_video_without_duration_has_no_frame_rate(clip):
    """Frames can't be dropped evenly then, and ignoring the budget would be costly."""
    with pytest.raises(VideoProcessingError, match=r"no duration.*max_video_tokens=300 can't be"):
        optimize_video(clip("320x180", "100000", 20), model=MODEL, max_video_tokens=300)


def test_a_budget_that_may_not_be_held_warns(clip):
    """A user who forbids dropping frames learns the cost."""
    with pytest.warns(UserWarning, match="924 tokens, more than max_video_tokens=900"):
        optimize_video(
            clip("320x180", "10", 20), model=MODEL, downsample_fps=False, max_video_tokens=900
        )


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"abc",
        b"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{}\n#EXT-X-ENDLIST\n",
        b"ffconcat version 1.0\nfile '{}'\n",
    ],
)
def test_a_value_that_is_not_a_video_is_refused(clip, data):
    """A playlist would make ffmpeg read other files, whose content would then be sent."""
    path = clip("320x180", "10", 20)
    with pytest.raises(VideoProcessingError, match="ffmpeg can't process the video: ") as caught:
        optimize_video(data.replace(b"{}", f"file:{path}".encode()), model=MODEL)

    assert "0x" not in str(caught.value)


def test_audio_alone_is_not_a_video(tmp_path):
    """A file with only sound has no frames."""
    run("-f", "lavfi", "-i", "sine=duration=1", f"{tmp_path / 'sound.mp4'}")
    with pytest.raises(VideoProcessingError, match="ffmpeg can't process the video"):
        optimize_video(tmp_path / "sound.mp4", model=MODEL)


@pytest.mark.parametrize("optimize", [True, False])
def test_a_missing_file_is_named(tmp_path, optimize):
    """The system's own error names the file."""
    with pytest.raises(FileNotFoundError, match=r"nothing\.mp4"):
        Video.from_path(tmp_path / "nothing.mp4", model=MODEL, optimize=optimize)


def test_a_name_is_no_option_and_no_url(clip, tmp_path, monkeypatch):
    """ffmpeg must not take a file name for an option or a URL."""
    monkeypatch.chdir(tmp_path)
    for name in ("-i.mp4", "pipe:0", "100%.mp4"):
        (tmp_path / name).write_bytes(clip("320x180", "10", 20).read_bytes())

        assert 20 == optimize_video(name, model=MODEL).num_frames


@pytest.mark.parametrize("video", [3, None, io.BytesIO(b"abc")])
def test_a_value_that_is_neither_a_path_nor_bytes_is_refused(video):
    """The official client raises TypeError too."""
    with pytest.raises(TypeError, match="video must be a path, bytes or a Video, not"):
        optimize_video(video, model=MODEL)


def test_text_is_not_a_video():
    """The usual cause is a file opened without mode `b`."""
    with pytest.raises(TypeError, match="data must be the bytes of a video, not str"):
        Video.from_file(io.StringIO("abc"), model=MODEL)


# ffmpeg.


@pytest.fixture
def without_ffmpeg(monkeypatch):
    """Hide ffmpeg from the environment and the path."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("IMAGEIO_FFMPEG_EXE", raising=False)
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)


def test_without_ffmpeg_the_extra_is_named(without_ffmpeg):
    """The error gives the command that installs it."""
    with pytest.raises(ImportError, match='extra `video`: pip install "huggingface'):
        optimize_video(MP4, model=MODEL)


def test_without_ffmpeg_a_video_can_be_sent_as_it_is(without_ffmpeg, tmp_path):
    """Only optimizing and counting need ffmpeg."""
    (tmp_path / "film.mp4").write_bytes(MP4)
    video = Video.from_path(tmp_path / "film.mp4", model=MODEL, optimize=False)

    assert (None, None, None) == counted(video)
    assert MP4 == video.to_bytes()


def test_the_ffmpeg_on_the_path_is_the_last_choice(monkeypatch, tmp_path):
    """The order is IMAGEIO_FFMPEG_EXE, then the extra, then the system."""
    extra = types.SimpleNamespace(get_ffmpeg_exe=lambda: "of the extra")
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", "named")
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", extra)
    found = [ffmpeg.executable()]
    monkeypatch.delenv("IMAGEIO_FFMPEG_EXE")
    found.append(ffmpeg.executable())
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    found.append(ffmpeg.executable())

    assert ["named", "of the extra", "/usr/bin/ffmpeg"] == found


def test_an_ffmpeg_that_is_not_there_is_named(monkeypatch):
    """The error names the variable that holds the path."""
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", "/nowhere/ffmpeg")
    with pytest.raises(VideoProcessingError, match=r"/nowhere/ffmpeg can't be run.*IMAGEIO_FFMPEG"):
        optimize_video(MP4, model=MODEL)


def test_ffmpeg_is_stopped_when_it_takes_too_long(clip):
    """A malicious video may never end."""
    with pytest.raises(VideoProcessingError, match="ffmpeg was stopped after 0 seconds"):
        ffmpeg.measure(clip("320x180", "10", 20), 1e-9)


# Sizes from the catalogue and the Hub.


def test_what_the_catalogue_does_not_say_is_asked_once(clip):
    """Fetching the file for each video would be slow."""
    with calls_of(fetch) as fetched:
        for _ in range(3):
            optimize_video(clip("320x180", "10", 20), model=MODEL)

    assert [{"model": MODEL, "name": "client_config.json", "emulator": None}] == fetched


def test_without_a_connection_the_budget_is_not_ignored(clip, offline):
    """Without the model's sizes the budget can't be applied, and ignoring it would be costly."""
    with pytest.raises(VideoProcessingError) as caught:
        optimize_video(clip("320x180", "10", 20), model=MODEL)

    begin, reason, end = re.split(r"fetched: |\. (?=Go online)", str(caught.value))
    assert (
        "max_video_tokens=32000 can't be applied: The sizes that voyage-multimodal-next scales to "
        "are only in its client_config.json, which could not be "
    ) == begin
    assert "no route to the Hub" in reason
    assert "Go online, or keep all frames with downsample_fps=False." == end


def test_without_a_connection_all_frames_can_be_kept(clip, offline):
    """Pixels are counted from the frames, and the tokens stay unknown."""
    path = clip("320x180", "10", 20)
    video = optimize_video(path, model=MODEL, downsample_fps=False)

    assert (308 * 168 * 20, 20, None) == counted(video)
    assert (320 * 180 * 20, 20, None) == counted(Video.from_path(path, model=MODEL, optimize=False))


def test_the_catalogue_comes_before_the_hub(cache):
    """Known models need no network, and a file from the Hub can't override the catalogue."""
    pixels = MODELS[VIDEO_MODEL].pixels

    assert PixelBounds(pixels.image_min, pixels.image_max, pixels.image_per_token) == pixel_bounds(
        VIDEO_MODEL, "image"
    )
    config = {**CONFIG, "multimodal_video_to_tokens_ratio": 1}
    keep(cache, VIDEO_MODEL, sizing.CONFIG, json.dumps(config))
    assert PixelBounds(1_000, 100_000, pixels.video_per_token) == pixel_bounds(VIDEO_MODEL, "video")


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        ("{}", ArgumentError, "takes no videos, as far as"),
        ("[]", ArgumentError, "takes no videos, as far as"),
        ('{"multimodal_video_pixels_min": "1"}', ArgumentError, "takes no videos, as far as"),
        ("<html>", OSError, "client_config.json is not JSON"),
    ],
)
def test_a_useless_file_from_the_hub_is_named(cache, content, error, message):
    """Users get a clear error instead of a KeyError."""
    keep(cache, MODEL, sizing.CONFIG, content)
    with pytest.raises(error, match=message):
        pixel_bounds(MODEL, "video")


def test_a_model_without_videos_is_named(clip):
    """The catalogue says which models take videos."""
    model = next(name for name, model in MODELS.items() if "video" not in model.modalities)
    with pytest.raises(ArgumentError, match=f"{model} takes no videos"):
        optimize_video(clip("320x180", "10", 20), model=model)
    with pytest.raises(ArgumentError, match=f"(?m)^inputs.0. is a video, and {model} takes none$"):
        Video(MP4, model=model).encoded(model, "inputs[0]")


# The object.


def test_a_video_is_sent_as_a_data_url():
    """The contract takes a data URL."""
    part = Video(MP4, model=VIDEO_MODEL).encoded(VIDEO_MODEL, "inputs[0][1]")

    assert f"data:video/mp4;base64,{base64.b64encode(MP4).decode()}" == part.video_base64


@pytest.mark.parametrize(
    ("data", "type_"),
    [
        (MP4, "video/mp4"),
        (MP4.replace(b"mp42", b"qt  "), "video/quicktime"),
        (MP4.replace(b"mp42", b"avif"), None),
        (b"\x1a\x45\xdf\xa3\x9f\x42\x82\x84webm", "video/webm"),
        (b"\x1a\x45\xdf\xa3\x9f\x42\x82\x88matroska", "video/x-matroska"),
        (b"RIFF\x00\x00\x00\x00AVI LIST", "video/x-msvideo"),
        (b"GIF89a", "image/gif"),
        (b"", None),
    ],
)
def test_the_type_is_detected_from_the_bytes(data, type_):
    """File names can be wrong."""
    assert type_ == Video(data, model=VIDEO_MODEL).mime_type


def test_what_is_not_mp4_is_refused_before_it_is_sent():
    """The official client would send it labelled as MP4."""
    video = Video(b"GIF89a", model=VIDEO_MODEL)
    with pytest.raises(ArgumentError) as caught:
        video.encoded(VIDEO_MODEL, "inputs[0][1]")

    assert "inputs[0][1]" == caught.value.argument
    assert (
        "inputs[0][1] is a video of type image/gif, but the API takes video/mp4; convert it "
        "with optimize_video, or pass mime_type='video/mp4' if it is one"
    ) == str(caught.value)
    labelled = Video(b"GIF89a", model=VIDEO_MODEL, mime_type="video/mp4")
    assert labelled.encoded(VIDEO_MODEL, "inputs[0][1]").video_base64.endswith("R0lGODlh")


def test_a_video_that_is_too_large_is_refused_before_it_is_sent():
    """Uploading it would be in vain."""
    limit = MODELS[VIDEO_MODEL].media.video_max_bytes
    video = Video(MP4 + bytes(limit + 1 - len(MP4)), model=VIDEO_MODEL)
    with pytest.raises(ArgumentError, match=f"has {limit + 1:,} bytes, but .* at most {limit:,};"):
        video.encoded(VIDEO_MODEL, "inputs[0][0]")


def test_videos_are_values():
    """Programs pickle and compare videos."""
    video = Video(MP4, model=MODEL, num_frames=2)

    assert video == pickle.loads(pickle.dumps(video))
    assert hash(video) == hash(Video(MP4, model=MODEL, num_frames=2))
    assert video != Video(MP4, model=MODEL, num_frames=4)
    assert video != Video(MP4 + b"0", model=MODEL, num_frames=2)


def test_a_video_is_short_to_look_at():
    """The bytes would fill the screen."""
    assert (
        "Video(<24 bytes>, model='voyage-multimodal-next', optimized=False, "
        "mime_type='video/mp4', num_pixels=None, num_frames=2, estimated_num_tokens=None)"
    ) == repr(Video(MP4, model=MODEL, num_frames=2))


ADDED = [("model", REQUIRED), ("optimize", True), ("optimizer_kwargs", None)]


@pytest.mark.parametrize(
    ("function", "official"),
    [
        (Video, [("data", REQUIRED), ("model", REQUIRED), ("optimized", False), ("mime_type", None),
                 ("num_pixels", None), ("num_frames", None), ("estimated_num_tokens", None)]),
        (Video.from_path, [("path", REQUIRED), *ADDED]),
        (Video.from_file, [("file_obj", REQUIRED), *ADDED]),
        (Video.to_file, [("self", REQUIRED), ("path", REQUIRED)]),
        (optimize_video, [("video", REQUIRED), ("model", REQUIRED), ("resize", True),
                          ("resize_multiple", 28), ("downsample_fps", True),
                          ("max_video_tokens", 32000)]),
    ],
)  # fmt: skip
def test_signatures_are_the_official_ones(function, official):
    """The expected signatures were read from the official client 0.5.0."""
    parameters = inspect.signature(function).parameters.values()

    assert official == [(parameter.name, parameter.default) for parameter in parameters]
    assert not [
        parameter.name
        for parameter in parameters
        if parameter.name in dict(official[1:]) and parameter.name not in {"path"}
        and parameter.kind is not inspect.Parameter.KEYWORD_ONLY
    ]  # fmt: skip


def test_importing_videos_starts_nothing():
    """Programs without videos must not pay for them at import."""
    script = (
        "import sys, voyageai.video_utils\n"
        "print([name for name in ('subprocess', 'tempfile', 'imageio_ffmpeg', 'huggingface_hub')"
        " if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert "[]" == done.stdout.strip()
