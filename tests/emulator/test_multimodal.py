"""The responses of the multimodal endpoint."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
from voyageai_emulator import running
from voyageai_rest.catalogue import MODELS

from tests.emulator.contract_client import ContractClient
from tests.emulator.sample_media import data_url, drawing, encoded, film, needs_ffmpeg
from tests.emulator.test_answers import vectors
from tests.emulator.test_validation import PREAMBLE
from tests.emulator.web_server import Host, hosting

PATH = "/multimodalembeddings"
MODEL = MODELS["voyage-multimodal-3.5"]


def text(content: str) -> dict[str, str]:
    """Return a text part."""
    return {"type": "text", "text": content}


def words(number: int) -> dict[str, str]:
    """Return a text part of so many tokens."""
    return text(" ".join(["word"] * number))


def image(data: bytes) -> dict[str, str]:
    """Return an image part with base64."""
    return {"type": "image_base64", "image_base64": data_url(data)}


def image_url(url: str) -> dict[str, str]:
    """Return an image part with a URL."""
    return {"type": "image_url", "image_url": url}


def inputs(*contents: list[dict[str, str]], **options: Any) -> dict[str, Any]:
    """Return a request with inputs of these parts."""
    return {
        "inputs": [{"content": content} for content in contents],
        "model": MODEL.name,
        **options,
    }


@pytest.fixture
def host() -> Iterator[Host]:
    """Run a web server."""
    with hosting() as host:
        yield host


@pytest.fixture
def allowed(host: Host) -> Iterator[ContractClient]:
    """Run an emulator that may fetch from the web server."""
    with running(allow_hosts=[host.place]) as url, httpx2.Client(base_url=url, timeout=30) as http:
        yield ContractClient(http)


def test_a_picture_has_one_vector_however_it_comes(host: Host, allowed: ContractClient) -> None:
    """The picture may be a URL, a data URL, bare base64, or the official client's WEBP."""
    picture = drawing(1)
    data = encoded(picture)
    bare = {"type": "image_base64", "image_base64": base64.b64encode(data).decode()}
    copy = encoded(picture, "WEBP", lossless=True)
    sent = vectors(allowed(PATH, inputs([image(data)], [bare], [image(copy)])))
    fetched = vectors(allowed(PATH, inputs([image_url(host.put("/a.png", data))])))
    assert [fetched[0].tolist()] * 3 == sent.tolist()


def test_an_image_is_similar_to_its_copies_only(ask: ContractClient) -> None:
    """A search by thumbnail finds the original."""
    picture = drawing(1)
    copies = [encoded(picture, "JPEG"), encoded(picture.resize((160, 120)))]
    others = [encoded(drawing(seed)) for seed in (2, 3, 4)]
    contents = [[image(data)] for data in (encoded(picture), *copies, *others)]
    for dimension in (256, 1024):
        body = inputs(*contents, output_dimension=dimension)
        near = (found := vectors(ask(PATH, body)))[1:] @ found[0]
        assert near[:2].min() > 0.7
        assert 0.4 > near[2:].max()


def test_pictures_and_words_share_a_vector(ask: ContractClient) -> None:
    """Each part affects the vector, and a detailed picture does not outweigh the text."""
    words, data = text("A ripe yellow banana."), image(encoded(drawing(1)))
    both, shown, said = vectors(ask(PATH, inputs([words, data], [data], [words])))
    assert min(both @ shown, both @ said) > 0.4
    assert 0.1 > abs(shown @ said)


def test_a_picture_differs_by_input_type_as_a_text_does(ask: ContractClient) -> None:
    """The prompt precedes the whole input, as users compare queries with documents."""
    for content in ([image(encoded(drawing(1)))], [text("the keeper of the lighthouse")]):
        none, query, document = (
            vectors(ask(PATH, inputs(content, input_type=kind)))[0]
            for kind in (None, "query", "document")
        )
        for one, other in ((none, query), (none, document), (query, document)):
            assert 0.5 < one @ other < 0.99


def test_usage_adds_up(ask: ContractClient) -> None:
    """Each image and video counts by itself, as in the documented example."""
    large, small = (encoded(drawing(1, side, side)) for side in (1600, 10))
    body = inputs([text("one two"), image(large)], [image(small), image(small)])
    assert {
        "text_tokens": 2,
        "image_pixels": 2000000 + 2 * 50000,
        "video_pixels": 0,
        "total_tokens": 2 + 3571 + 2 * 89,
    } == ask(PATH, body)["usage"]


@needs_ffmpeg
def test_videos_are_looked_at(ask: ContractClient, tmp_path: Path) -> None:
    """The same video has the same vector, and its pixels are counted apart from images."""
    part, other = (
        {
            "type": "video_base64",
            "video_base64": data_url(
                film(tmp_path / "a.mp4", f"{source}=size=320x240:rate=10", "-t", "1"), "video/mp4"
            ),
        }
        for source in ("testsrc2", "mandelbrot")
    )
    answer = ask(PATH, inputs([text("one"), part], [text("one"), part], [text("one"), other]))
    one, same, another = vectors(answer)
    assert one.tolist() == same.tolist()
    assert 0.6 > one @ another
    pixels = 320 * 240 * 10
    assert {
        "text_tokens": 3,
        "image_pixels": 0,
        "video_pixels": 3 * pixels,
        "total_tokens": 3 + 3 * (pixels // 1120),
    } == answer["usage"]


def test_what_cannot_be_read_is_named(ask: ContractClient) -> None:
    """The caller has to find one picture among a thousand."""
    broken = image(b"no picture")
    reason = ask.refused(PATH, inputs([text("a")], [text("b"), broken]))
    assert reason.startswith(
        f"{PREAMBLE}Error for argument 'inputs.1.content.1.image_base64': Value error, "
        "the file is not an image in one of the formats PNG, "
    )


def test_no_host_is_allowed_by_default(ask: ContractClient, host: Host) -> None:
    """Otherwise anybody could make a developer's emulator fetch internal addresses."""
    url = host.put("/a.png", encoded(drawing(1)))
    reason = ask.refused(PATH, inputs([image_url(url)]))
    assert f"start it with allow_hosts=['{host.place}']" in reason
    assert [] == host.asked


def test_a_request_has_pictures_in_one_form(ask: ContractClient) -> None:
    """By the documentation, all pictures and videos of a request are URLs or all are data."""
    picture = image(encoded(drawing(1)))
    links = [
        image_url("https://example.com/a.png"),
        {"type": "video_url", "video_url": "https://example.com/a.mp4"},
    ]
    for link in links:
        reason = ask.refused(PATH, inputs([link], [picture]))
        assert "images and videos either by URL or as data, not both" in reason


def test_only_models_with_video_take_it(ask: ContractClient) -> None:
    """The catalogue lists the modalities of each model."""
    video = {"type": "video_url", "video_url": "https://example.com/a.mp4"}
    old = MODELS["voyage-multimodal-3"].name
    reason = ask.refused(PATH, inputs([video], model=old))
    assert f"Request to model '{old}' failed. The model does not support video inputs." == reason
    assert "not allowed to fetch from example.com" in ask.refused(PATH, inputs([video]))


@pytest.mark.parametrize("room", [0, 1, 88])
def test_a_picture_that_does_not_fit_is_dropped_whole(ask: ContractClient, room: int) -> None:
    """By the documentation, everything after the dropped picture is dropped as well."""
    assert MODEL.context_length is not None
    long = words(MODEL.context_length - room)
    body = inputs([long, image(encoded(drawing(1, 10, 10))), text("after")])
    answer = ask(PATH, body)
    usage = answer["usage"]
    assert 0 == usage["image_pixels"]
    assert MODEL.context_length - room == usage["text_tokens"] == usage["total_tokens"]
    np.testing.assert_array_equal(vectors(ask(PATH, inputs([long]))), vectors(answer))
    reason = ask.refused(PATH, {**body, "truncation": False})
    assert "The example at index 0 in your batch has too many tokens" in reason


def test_a_picture_that_just_fits_is_kept(ask: ContractClient) -> None:
    """An input of exactly the context length is allowed."""
    assert MODEL.context_length is not None
    long = words(MODEL.context_length - 89)
    body = inputs([long, image(encoded(drawing(1, 10, 10)))], truncation=False)
    usage = ask(PATH, body)["usage"]
    assert (50000, MODEL.context_length) == (usage["image_pixels"], usage["total_tokens"])


def test_a_text_over_the_context_length_loses_its_end(ask: ContractClient) -> None:
    """The text is truncated as at other endpoints, to what the parts before it leave."""
    assert MODEL.context_length is not None
    long = words(MODEL.context_length + 1)
    usage = ask(PATH, inputs([image(encoded(drawing(1, 10, 10))), long]))["usage"]
    assert MODEL.context_length - 89 == usage["text_tokens"]
    assert MODEL.context_length == usage["total_tokens"]


def test_broken_pictures_are_refused_even_where_they_would_be_dropped(ask: ContractClient) -> None:
    """The validity of a request must not depend on the length of its texts."""
    assert MODEL.context_length is not None
    long = words(MODEL.context_length)
    assert "content.1" in ask.refused(PATH, inputs([long, image(b"no picture")]))
