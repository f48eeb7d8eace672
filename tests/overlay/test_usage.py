"""Tokens and pixels of inputs, counted before sending them."""

from __future__ import annotations

import base64
import io
import json
import shutil

import numpy as np
import pytest
from huggingface_hub import constants
from PIL import Image
from voyageai import ImageUrl, VideoUrl
from voyageai.error import ArgumentError, VideoProcessingError
from voyageai.media import sizing
from voyageai.media.usage import count_usage
from voyageai.video_utils import Video, optimize_video
from voyageai_rest.catalogue import MODELS
from voyageai_rest.models import ImageBase64Content, TextContent, VideoBase64Content

from tests.hub_cache import hide_hub, keep

from .sample_videos import film

MODEL = next(name for name, model in MODELS.items() if "video" in model.modalities)
NEXT = "voyage-multimodal-next"  # not in the catalogue
CONFIG = {
    "multimodal_image_pixels_min": 100,
    "multimodal_image_pixels_max": 1_000,
    "multimodal_image_to_tokens_ratio": 10,
    "multimodal_video_pixels_min": 1_000,
    "multimodal_video_pixels_max": 100_000,
    "multimodal_video_to_tokens_ratio": 1_120,
}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """Return a Hub cache with the configuration above for two models; the Hub is unreachable."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    hide_hub(monkeypatch)
    for model in (MODEL, NEXT):
        keep(tmp_path / "hub", model, sizing.CONFIG, json.dumps(CONFIG))
    sizing._config.cache_clear()
    yield tmp_path / "hub"
    sizing._config.cache_clear()


def letters(texts):
    """Count tokens as one per letter and one per text."""
    return sum(len(text) + 1 for text in texts)


def usage(text, image, video, total):
    """Return a usage in the official client's form."""
    return {
        "text_tokens": text,
        "image_pixels": image,
        "video_pixels": video,
        "total_tokens": total,
    }


def png(image):
    """Return a picture as the bytes of a PNG."""
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def url(data, media_type="image/png"):
    """Return bytes as a data URL."""
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


@pytest.mark.parametrize(
    ("sides", "pixels", "tokens"),
    [
        ((256, 256), 65_536, 117),
        ((400, 400), 160_000, 285),
        ((10, 10), 50_000, 89),
        ((3000, 3000), 2_000_000, 3571),
    ],
)
def test_pictures_count_with_the_pixels_that_the_model_sees(sides, pixels, tokens):
    """The expected numbers are from the official client's tests."""
    assert usage(1, pixels, 0, 1 + tokens) == count_usage([[Image.new("L", sides)]], MODEL, letters)


def test_texts_of_an_input_count_as_one():
    """Counting parts separately would add special tokens to each and split words."""
    counted = []
    picture = Image.new("RGB", (300, 200))

    def count(texts):
        counted.append(texts)
        return letters(texts)

    assert usage(8, 120_000, 0, 8 + 2 * 107) == count_usage(
        [["ab", picture, "cd"], ["x"], [picture]], MODEL, count
    )
    assert [["abcd", "x", ""]] == counted


def test_pictures_count_the_same_in_every_form(tmp_path):
    """Users estimate costs with pictures in any form that they can send."""
    picture = Image.new("RGB", (300, 200))
    data = png(picture)
    (tmp_path / "picture.png").write_bytes(data)
    forms = [
        picture,
        data,
        bytearray(data),
        tmp_path / "picture.png",
        io.BytesIO(data),
        np.zeros((200, 300, 3), np.uint8),
        {"type": "image_base64", "image_base64": url(data)},
        ImageBase64Content(image_base64=url(data)),
    ]
    for form in forms:
        expected = usage(1, 60_000, 0, 108)

        assert expected == count_usage([[form]], MODEL, letters)
        assert expected == count_usage([{"content": [form]}], MODEL, letters)


def test_texts_count_the_same_in_every_form():
    """Users estimate costs with texts in any form that they can send."""
    forms = ["abc", {"type": "text", "text": "abc"}, TextContent(text="abc")]

    assert [usage(4, 0, 0, 4)] * 3 == [count_usage([[form]], MODEL, letters) for form in forms]


def test_a_file_can_be_read_again(tmp_path):
    """Users count a file before sending it."""
    file = io.BytesIO(b"before" + png(Image.new("L", (300, 200))))
    file.seek(6)
    count_usage([[file]], MODEL, letters)

    assert 6 == file.tell()


def test_files_that_can_only_be_read_count_too():
    """Web libraries hand out files that can't seek."""

    class Reader:
        def read(self):
            return png(Image.new("L", (300, 200)))

    assert usage(1, 60_000, 0, 108) == count_usage([[Reader()]], MODEL, letters)


def test_videos_count_the_same_in_every_form(tmp_path):
    """Each form gives 8 frames of 40,000 pixels."""
    path = film(tmp_path / "film.mp4", "200x200", "4", 9)
    data = path.read_bytes()
    forms = [
        Video(data, model=NEXT),
        Video(data, model="another", num_pixels=1, num_frames=1, estimated_num_tokens=1),
        Video.from_path(path, model=NEXT, optimize=False),
        {"type": "video_base64", "video_base64": url(data, "video/mp4")},
        VideoBase64Content(video_base64=url(data, "video/mp4")),
    ]

    assert [usage(1, 0, 320_000, 1 + 285)] * len(forms) == [
        count_usage([[form]], NEXT, letters) for form in forms
    ]


def test_what_is_known_of_a_video_is_not_looked_up_again(tmp_path, monkeypatch):
    """Decoding a video takes time."""
    video = optimize_video(film(tmp_path / "film.mp4", "200x200", "4", 8), model=MODEL)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", "/no/ffmpeg")

    assert video.num_pixels == count_usage([[video]], MODEL, letters)["video_pixels"]


def test_a_model_newer_than_the_catalogue_counts_by_what_the_hub_says():
    """Users can count for a new model without a new release."""
    inputs = [["a", Image.new("L", (1, 1)), Image.new("L", (20, 20)), Image.new("L", (90, 90))]]

    assert usage(2, 1500, 0, 152) == count_usage(inputs, NEXT, letters)


@pytest.mark.parametrize(
    ("inputs", "argument", "message"),
    [
        ([["a", ImageUrl("https://a.b/c.png")]], "inputs[0][1]", "count_usage does not support image URL segments, and inputs[0][1] is one; pass the file instead"),
        ([[VideoUrl("https://a.b/c.mp4")]], "inputs[0][0]", "count_usage does not support video URL segments, and inputs[0][0] is one; pass the file instead"),
        ([{"content": [{"type": "image_url", "image_url": "https://a.b"}]}], "inputs[0][0]", "count_usage does not support image URL segments, and inputs[0][0] is one; pass the file instead"),
        ([{"content": [{"type": "video_url", "video_url": "https://a.b"}]}], "inputs[0][0]", "count_usage does not support video URL segments, and inputs[0][0] is one; pass the file instead"),
        ([[{"type": "video_base64", "video_base64": "data:video/mp4;base64,?"}]], "inputs[0][0]", "inputs[0][0] is not a data URL with base64: Only base64 data is allowed"),
        ([[b"abc"]], "inputs[0][0]", None),
        ([], "inputs", "'inputs' must be a non-empty list"),
        ((["a"],), "inputs", "'inputs' must be a non-empty list"),
        ([["a"], {"content": ["a"]}], "inputs[1]", None),
        ([["a"], ["b", 3]], "inputs[1][1]", None),
    ],
)  # fmt: skip
def test_what_cannot_be_counted_is_named(inputs, argument, message):
    """The errors are those of `multimodal_embed`, with the same index."""
    with pytest.raises(ArgumentError) as caught:
        count_usage(inputs, MODEL, letters)

    assert argument == caught.value.argument
    assert message in (None, str(caught.value))


def test_a_model_without_pictures_is_named():
    """The catalogue says which models take images."""
    model = next(name for name, model in MODELS.items() if "image" not in model.modalities)
    with pytest.raises(ArgumentError, match=f"{model} takes no images"):
        count_usage([[Image.new("L", (9, 9))]], model, letters)


def test_a_video_that_cannot_be_read_is_refused():
    """Otherwise it would count as nothing."""
    with pytest.raises(VideoProcessingError, match="ffmpeg can't process the video"):
        count_usage([[Video(b"abc", model=MODEL)]], MODEL, letters)


def test_without_a_connection_videos_are_not_guessed(cache):
    """An estimate that may be wrong by half is worse than none."""
    shutil.rmtree(cache)
    with pytest.raises(OSError, match="could not be fetched"):
        count_usage([[Video(b"abc", model=MODEL)]], MODEL, letters)
