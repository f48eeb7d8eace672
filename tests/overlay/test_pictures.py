"""Pictures in every form that users have them, converted to what the API takes."""

from __future__ import annotations

import asyncio
import base64
import io
import sys
import threading

import httpx2
import numpy as np
import pytest
import voyageai
from PIL import Image
from voyageai.error import ArgumentError
from voyageai.media import pictures
from voyageai_rest.catalogue import MODELS

from .conftest import KEY, answer_to

MODEL = "voyage-multimodal-3.5"
RED = (200, 30, 20)


def file_of(image: Image.Image, kind: str, **options) -> bytes:
    """Return an image as the bytes of a file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


@pytest.fixture
def scene() -> Image.Image:
    """Return 40 x 20 pixels: red on the left, a dark gradient on the right."""
    image = Image.new("RGB", (40, 20), RED)
    image.paste(Image.linear_gradient("L").resize((20, 20)).convert("RGB"), (20, 0))
    return image


def sent_part(face):
    """Return media type, bytes and decoded picture of the only part that was sent."""
    [part] = face.body["inputs"][0]["content"]
    head, _, data = part["image_base64"].partition(";base64,")
    raw = base64.b64decode(data)
    return head.removeprefix("data:"), raw, Image.open(io.BytesIO(raw))


FORMS = {
    "bytes": lambda raw, path: raw,
    "bytearray": lambda raw, path: bytearray(raw),
    "memoryview": lambda raw, path: memoryview(raw),
    "path": lambda raw, path: path,
    "file": lambda raw, path: io.BytesIO(raw),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("kind", "media_type"), pictures.ACCEPTED.items())
def test_a_file_of_a_kind_that_the_api_takes_goes_as_it_is(
    face, scene, tmp_path, form, kind, media_type
):
    """Encoding it again would cost time, and quality or size."""
    raw = file_of(scene, kind)
    path = tmp_path / "no-suffix"
    path.write_bytes(raw)
    face.call(face.client(), "multimodal_embed", [[FORMS[form](raw, path)]], MODEL)

    assert (media_type, raw) == sent_part(face)[:2]


@pytest.mark.parametrize("form", ["image", "array", "bitmap"])
def test_other_pictures_are_encoded_without_loss(face, scene, form):
    """Pixels in memory, and formats that the API refuses, arrive as lossless WebP."""
    given = {"image": scene, "array": np.asarray(scene), "bitmap": file_of(scene, "BMP")}[form]
    face.call(face.client(), "multimodal_embed", [[given]], MODEL)
    media_type, _, image = sent_part(face)

    assert "image/webp" == media_type
    np.testing.assert_array_equal(np.asarray(scene), np.asarray(image.convert("RGB")))


def test_dicts_may_hold_pictures_too(face, scene):
    """Users mix pictures with parts in the API's own form."""
    text = {"type": "text", "text": "a cat"}
    face.call(face.client(), "multimodal_embed", [{"content": [text, scene]}], MODEL)

    assert ["text", "image_base64"] == [part["type"] for part in face.body["inputs"][0]["content"]]


def test_urls_are_objects(face):
    """A string would be embedded as a text."""
    part = voyageai.ImageUrl("https://example.com/cat.png")
    video = voyageai.VideoUrl("https://example.com/cat.mp4")
    face.call(face.client(), "multimodal_embed", [["a cat", part, video]], MODEL)

    assert [
        {"type": "text", "text": "a cat"},
        {"type": "image_url", "image_url": part.url},
        {"type": "video_url", "video_url": video.url},
    ] == face.body["inputs"][0]["content"]


@pytest.mark.parametrize(
    "url", ["cat.png", "file:///etc/passwd", "data:image/png;base64,AA==", "https://"]
)
@pytest.mark.parametrize("kind", [voyageai.ImageUrl, voyageai.VideoUrl])
def test_a_url_that_is_not_http_is_refused(kind, url):
    """The API could not fetch such a URL."""
    with pytest.raises(ArgumentError, match="url must start with http"):
        kind(url)


def test_a_picture_taken_sideways_is_turned_upright(face, scene):
    """The API is not documented to honour EXIF orientation."""
    exif = Image.Exif()
    exif[pictures.ORIENTATION] = 6
    face.call(
        face.client(), "multimodal_embed", [[file_of(scene, "JPEG", quality=95, exif=exif)]], MODEL
    )
    media_type, _, image = sent_part(face)

    assert ("image/webp", (20, 40)) == (media_type, image.size)
    assert pictures.ORIENTATION not in image.getexif()
    assert all(
        abs(a - b) < 12 for a, b in zip(RED, image.convert("RGB").getpixel((10, 5)), strict=True)
    )


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparent_pixels_are_put_on_white(face, mode):
    """Dropping the alpha channel would reveal any colour hidden below it."""
    image = Image.new("RGBA", (2, 1), (0, 0, 0, 0))
    image.putpixel((1, 0), (0, 0, 0, 255))
    face.call(
        face.client(),
        "multimodal_embed",
        [[file_of(image.convert(mode) if mode != "RGBA" else image, "PNG")]],
        MODEL,
    )
    _, _, found = sent_part(face)

    assert "RGB" == found.mode
    assert [(255, 255, 255), (0, 0, 0)] == [found.getpixel((x, 0)) for x in (0, 1)]


def test_a_side_too_long_for_webp_is_written_as_png(face):
    """The official client fails on such a picture."""
    long = Image.new("RGB", (pictures.LONGEST_WEBP + 1, 2), RED)
    face.call(face.client(), "multimodal_embed", [[long]], MODEL)

    assert "image/png" == sent_part(face)[0]


def test_an_image_is_not_changed_by_being_sent(face, scene):
    """The user's image object stays unmodified."""
    before = scene.tobytes()
    face.call(face.client(), "multimodal_embed", [[scene]], MODEL)

    assert before == scene.tobytes()


MEDIA = MODELS[MODEL].media


@pytest.mark.parametrize("form", ["file", "image"])
def test_a_picture_of_too_many_pixels_is_refused_before_it_is_sent(face, form):
    """The error names the picture and the limit."""
    wide = Image.new("1", (MEDIA.image_max_pixels // 1000, 1001))
    given = file_of(wide, "PNG") if form == "file" else wide
    message = (
        rf"inputs\[0\]\[1\] has {wide.width} x 1001 pixels, .* at most {MEDIA.image_max_pixels:,};"
    )
    with pytest.raises(ArgumentError, match=message):
        face.call(face.client(), "multimodal_embed", [["a", given]], MODEL)
    assert [] == face.requests


def test_a_file_of_too_many_bytes_is_refused_before_it_is_read(face):
    """The size is checked before decoding, whether the bytes are a picture or not."""
    message = rf"inputs\[0\]\[1\] has 20,000,001 bytes, .* at most {MEDIA.image_max_bytes:,}; scale"
    given = bytes(MEDIA.image_max_bytes + 1)
    with pytest.raises(ArgumentError, match=message):
        face.call(face.client(), "multimodal_embed", [["a", given]], MODEL)
    assert [] == face.requests


def test_a_picture_that_becomes_a_file_of_too_many_bytes_is_refused():
    """A picture in memory has its size only once encoded, and noise doesn't compress."""
    wide = pictures.LONGEST_WEBP + 1
    high = MEDIA.image_max_bytes // (3 * wide) + 1
    noise = np.random.default_rng(1).integers(0, 256, (high, wide, 3), np.uint8)
    with pytest.raises(ArgumentError, match=r"the picture has 2\d,[\d,]+ bytes, .*; scale it down"):
        pictures.encode(noise, MODEL, "the picture")


@pytest.mark.parametrize(
    "given",
    [
        b"",
        b"no picture",
        io.BytesIO(b"GIF89a"),
        np.zeros((2, 2), np.complex64),
        file_of(Image.new("RGB", (9, 9)), "PNG")[:40],
        file_of(Image.new("RGB", (90, 90)), "BMP")[:900],
        file_of(Image.effect_noise((90, 90), 9), "PNG")[:900],
        np.zeros((2, 2), np.float32),  # Pillow takes each of these for something else
        np.zeros((2, 2, 3), np.float64),
        np.zeros((2, 2), np.uint16),
        np.zeros((3, 2, 2), np.uint8),
        np.zeros(2, np.uint8),
        np.zeros((0, 2, 3), np.uint8),
        np.float32(1),
    ],
)
def test_a_value_that_is_not_an_image_is_refused(face, given):
    """The error gives its index, and comes before anything is sent."""
    with pytest.raises(ArgumentError, match=r"inputs\[0\]\[0\] can't be read as a picture"):
        face.call(face.client(), "multimodal_embed", [[given]], MODEL)
    assert [] == face.requests


@pytest.mark.parametrize("channels", [(), (1,), (3,)])
def test_arrays_are_height_by_width_by_channels(face, channels):
    """An array without channels, or with one, is greyscale."""
    array = np.full((2, 3, *channels), 77, np.uint8)
    face.call(face.client(), "multimodal_embed", [[array]], MODEL)
    _, _, found = sent_part(face)

    assert ((3, 2), (77, 77, 77)) == (found.size, found.convert("RGB").getpixel((2, 1)))


def test_an_image_that_was_opened_stays_open(face, tmp_path):
    """Users send frames one by one, or count an image before sending it."""
    frames = [Image.new("L", (4, 4), shade) for shade in (10, 200)]
    frames[0].save(tmp_path / "film.gif", save_all=True, append_images=frames[1:])
    image = Image.open(tmp_path / "film.gif")
    pictures.pixels(image, MODEL, "image")
    shades = []
    for place in range(2):
        image.seek(place)
        face.call(face.client(), "multimodal_embed", [[image, image]], MODEL)
        content = face.body["inputs"][0]["content"]
        assert content[0] == content[1]
        raw = base64.b64decode(content[0]["image_base64"].partition(",")[2])
        shades.append(Image.open(io.BytesIO(raw)).convert("L").getpixel((1, 1)))
    image.close()

    assert [10, 200] == shades


def test_one_opened_image_may_be_in_many_calls_at_once(tmp_path):
    """Only one thread decodes the image, as Pillow's file objects are not thread-safe."""
    Image.effect_noise((600, 600), 80).save(tmp_path / "noise.png")  # takes a while to read
    bodies = []

    def handler(request):
        bodies.append(request.content)
        return answer_to(request)

    async def embed():
        async with voyageai.AsyncClient(KEY, transport=httpx2.MockTransport(handler)) as client:
            with Image.open(tmp_path / "noise.png") as image:
                calls = [client.multimodal_embed([[image]], MODEL) for _ in range(8)]
                await asyncio.gather(*calls)

    asyncio.run(embed())
    assert (8, 1) == (len(bodies), len(set(bodies)))


def test_an_image_that_was_closed_is_refused(face, tmp_path):
    """Pillow reads pixels lazily, so a closed image has none."""
    Image.new("L", (4, 4)).save(tmp_path / "closed.png")
    with Image.open(tmp_path / "closed.png") as image:
        pass
    with pytest.raises(ArgumentError, match=r"inputs\[0\]\[0\] can't be read as a picture"):
        face.call(face.client(), "multimodal_embed", [[image]], MODEL)


def test_grey_of_16_bits_keeps_its_shades(face):
    """Pillow's own conversion would turn everything above 255 white."""
    grey = Image.fromarray(np.array([[0, 128 * 256, 255 * 256]], np.uint16))
    face.call(face.client(), "multimodal_embed", [[grey]], MODEL)
    _, _, found = sent_part(face)

    assert [0, 128, 255] == [found.convert("L").getpixel((x, 0)) for x in range(3)]


def test_texts_of_numpy_are_texts(face):
    """Strings from data frames are numpy objects that look like arrays."""
    face.call(face.client(), "multimodal_embed", [list(np.array(["a cat"]))], MODEL)

    assert [{"type": "text", "text": "a cat"}] == face.body["inputs"][0]["content"]


@pytest.mark.parametrize("text", ["a", b"GIF8"])
def test_inputs_are_lists_with_pictures_and_without(face, text):
    """The rule for containers doesn't depend on what they contain."""
    for inputs in (([text],), [(text,)]):
        with pytest.raises(ArgumentError, match="list"):
            face.call(face.client(), "multimodal_embed", inputs, MODEL)
    assert [] == face.requests


def test_the_url_of_a_video_needs_a_model_that_takes_videos(face):
    """The check is that of a video itself."""
    video = voyageai.VideoUrl("https://example.com/cat.mp4")
    with pytest.raises(
        ArgumentError, match=r"inputs\[0\]\[0\] is a video, and voyage-multimodal-3"
    ):
        face.call(face.client(), "multimodal_embed", [[video]], "voyage-multimodal-3")
    face.call(face.client(), "multimodal_embed", [[video]], "voyage-multimodal-99")


class Watched(io.BytesIO):
    """The file of a picture, which calls a function when it is read."""

    def __init__(self, image, on_read):
        super().__init__(file_of(image, "PNG"))
        self._on_read = on_read

    def read(self, size=-1):
        self._on_read()
        return super().read(size)


def test_wrong_arguments_are_found_before_pictures_are_encoded(scene):
    """Encoding a large picture takes long, so cheap checks come first."""
    picture = Watched(scene, lambda: pytest.fail("encoded"))
    client = voyageai.Client(KEY)
    for wrong in ({"output_dtype": "int4"}, {"truncation": "no"}, {"input_type": "passage"}):
        with pytest.raises(ArgumentError):
            client.multimodal_embed([[picture]], MODEL, **wrong)
    with pytest.raises(ArgumentError, match="model must be the name"):
        client.multimodal_embed([[picture]], None)


def test_a_file_open_as_text_is_refused(face):
    """Decoding as text has already destroyed the bytes."""
    with pytest.raises(ArgumentError, match="open it with mode 'rb'"):
        face.call(face.client(), "multimodal_embed", [[io.StringIO("a")]], MODEL)


def test_without_pillow_the_error_says_how_to_get_it(face, monkeypatch):
    """Pillow is an extra, and the error names it."""
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    with pytest.raises(ImportError, match='extra `images`: pip install "pillow'):
        face.call(face.client(), "multimodal_embed", [[b"\x89PNG"]], MODEL)


def test_a_picture_is_encoded_once_however_often_it_is_sent(face, scene):
    """A retry sends the same bytes; the official client encodes again for each attempt."""
    reads = []
    picture = Watched(scene, lambda: reads.append(1))
    answers = iter([httpx2.Response(503, json={"detail": "busy"})] * 2)
    client = face.client(lambda request: next(answers, None) or answer_to(request), max_retries=2)
    face.call(client, "multimodal_embed", [[picture]], MODEL)

    assert (1, 3) == (len(reads), len(face.requests))
    assert 1 == len({request.content for request in face.requests})


def test_pictures_are_encoded_off_the_event_loop(scene):
    """Encoding on the event loop would block all other tasks."""
    threads = []
    picture = Watched(scene, lambda: threads.append(threading.current_thread()))

    async def embed():
        async with voyageai.AsyncClient(KEY, transport=httpx2.MockTransport(answer_to)) as client:
            await client.multimodal_embed([[picture]], MODEL)

    asyncio.run(embed())
    assert [True] == [thread is not threading.main_thread() for thread in threads]
