"""Images and videos: pixels, tokens, visual words, and which ones are refused."""

from __future__ import annotations

import base64
import itertools
import random
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest
import trustme
from PIL import Image
from voyageai_emulator.media import MediaItem, MediaReader, UnreadableError
from voyageai_emulator.media.limits import count_video
from voyageai_rest.catalogue import MODELS, Model
from voyageai_rest.models import (
    ImageBase64Content,
    ImageUrlContent,
    VideoBase64Content,
    VideoUrlContent,
)

from tests.emulator.sample_media import claiming, data_url, drawing, encoded, film, needs_ffmpeg
from tests.emulator.web_server import Host, endless, hosting

MODEL = MODELS["voyage-multimodal-3.5"]


@pytest.fixture
def host() -> Iterator[Host]:
    """Run a web server."""
    with hosting() as host:
        yield host


def read_image(data: bytes, model: Model = MODEL) -> MediaItem:
    """Read an image that is sent as base64."""
    return MediaReader().read(ImageBase64Content(image_base64=data_url(data)), model)


def read_video(data: bytes, model: Model = MODEL) -> MediaItem:
    """Read a video that is sent as base64."""
    return MediaReader().read(VideoBase64Content(video_base64=data_url(data, "video/mp4")), model)


def limited(**limits: int) -> Model:
    """Return the model with other limits."""
    assert MODEL.media is not None
    return attrs.evolve(MODEL, media=attrs.evolve(MODEL.media, **limits))


def similarity(one: MediaItem, other: MediaItem) -> float:
    """Return the share of visual words that two images or videos have in common."""
    both = set(one.visual_words) & set(other.visual_words)
    return len(both) / max(len(one.visual_words), len(other.visual_words))


@pytest.mark.parametrize(
    ("side", "pixels", "tokens"),
    [(1, 50000, 89), (256, 65536, 117), (400, 160000, 285), (1600, 2000000, 3571)],
)
def test_pixels_are_counted_between_the_models_bounds(side: int, pixels: int, tokens: int) -> None:
    """Pixels below or above the model's bounds are billed at the bound."""
    item = read_image(encoded(Image.new("RGB", (side, side))))
    assert ("image", pixels, tokens) == (item.kind, item.pixels, item.tokens)


def test_a_model_without_figures_counts_pixels_as_they_are() -> None:
    """The catalogue may lack the figures of a new model."""
    model = attrs.evolve(MODEL, pixels=None, media=None)
    item = read_image(encoded(drawing(1, 30, 20)), model)
    assert (600, 0) == (item.pixels, item.tokens)


@pytest.mark.parametrize("format", ["PNG", "GIF", "WEBP"])
def test_a_picture_is_known_by_what_it_shows(format: str) -> None:
    """The official client converts a PNG to lossless WEBP, which is the same picture."""
    options = {"lossless": True} if format == "WEBP" else {}
    picture = drawing(1).quantize(16).convert("RGB")
    assert (
        read_image(encoded(picture)).visual_words
        == read_image(encoded(picture, format, **options)).visual_words
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda picture: encoded(picture, "JPEG", quality=90),
        lambda picture: encoded(picture, "JPEG", quality=40),
        lambda picture: encoded(picture, "WEBP", quality=60),
        lambda picture: encoded(picture.resize((161, 117))),
        lambda picture: encoded(picture.resize((800, 600)), "JPEG"),
    ],
)
def test_another_encoding_or_size_is_nearly_the_same_picture(change) -> None:
    """A thumbnail finds its original, and no other picture."""
    pictures = [drawing(seed) for seed in range(6)]
    originals = [read_image(encoded(picture)) for picture in pictures]
    for number, picture in enumerate(pictures):
        changed = read_image(change(picture))
        near = [similarity(changed, original) for original in originals]
        own = near.pop(number)
        assert own > 0.7
        assert own > max(near) + 0.4


def test_pictures_that_differ_in_one_pixel_differ() -> None:
    """Only equal pictures have equal vectors."""
    picture = drawing(1)
    other = picture.copy()
    other.putpixel((5, 5), (1, 2, 3))
    one, two = read_image(encoded(picture)), read_image(encoded(other))
    assert 0.95 < similarity(one, two) < 1


def test_pictures_of_one_colour_are_known_by_it() -> None:
    """They have no contrast, but different colours must differ."""
    grey, same, red = (
        read_image(encoded(Image.new("RGB", size, colour)))
        for size, colour in [((60, 40), "grey"), ((9, 9), "grey"), ((60, 40), "red")]
    )
    assert similarity(grey, same) > 0.9
    assert 0 == similarity(grey, red)


def test_a_photograph_is_turned_upright() -> None:
    """Cameras store the rotation beside the pixels, and people see the rotated picture."""
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = drawing(1).transpose(Image.Transpose.ROTATE_90)
    turned, upright, unturned = (
        read_image(data)
        for data in (encoded(lying, exif=exif), encoded(drawing(1)), encoded(lying))
    )
    assert upright.visual_words == turned.visual_words
    assert upright.visual_words != unturned.visual_words


def test_what_is_transparent_is_white() -> None:
    """The background is white, as on a web page."""
    clear = Image.new("RGBA", (40, 40), (255, 0, 0, 0))
    clear.paste((0, 0, 255, 255), (0, 0, 20, 20))
    white = Image.new("RGB", (40, 40), "white")
    white.paste((0, 0, 255), (0, 0, 20, 20))
    palette = clear.convert("RGB").quantize(4)
    red = palette.getpixel((30, 30))
    assert read_image(encoded(white)).visual_words == read_image(encoded(clear)).visual_words
    assert (
        read_image(encoded(white)).visual_words
        == read_image(encoded(palette, transparency=red)).visual_words
    )


def test_a_moving_picture_is_its_first_frame() -> None:
    """The official client sends only the first frame."""
    first, second = (drawing(seed).quantize(16) for seed in (1, 2))
    moving = encoded(first, "GIF", save_all=True, append_images=[second])
    assert read_image(encoded(first)).visual_words == read_image(moving).visual_words


def test_sixteen_bits_per_pixel_are_seen_as_eight() -> None:
    """Scans have 16 bits, and would all be white if values were cut off at 255."""
    grey = drawing(1, 40, 30).convert("L")
    deep = Image.new("I;16", grey.size)
    deep.putdata([value * 256 for value in grey.tobytes()])
    assert read_image(encoded(grey)).visual_words == read_image(encoded(deep)).visual_words


@pytest.mark.parametrize(
    "head",
    [
        "",
        "data:image/png;base64,",
        "data:image/jpeg;base64,",
        "data:;base64,",
        "data:image/png;charset=utf-8;base64,",
        "DATA:IMAGE/PNG;BASE64,",
    ],
)
def test_the_claimed_type_does_not_matter(head: str) -> None:
    """The API accepts a PNG that claims to be a JPEG, and vendor examples omit the prefix."""
    data = encoded(drawing(1))
    part = ImageBase64Content(image_base64=head + base64.b64encode(data).decode())
    assert read_image(data) == MediaReader().read(part, MODEL)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("data:image/png;base64", "a data URL must be of the form"),
        ("data:image/png,abcd", "a data URL must be of the form"),
        ("data:image/png;base64,ab*d", "not valid base64"),
        ("data:image/png;base64,abcd\nabcd", "not valid base64"),
        ("data:image/png;base64,abc", "not valid base64"),
        ("data:image/png;base64,YQ==YQ==", "not valid base64"),
        ("data:image/png;base64,äöüß", "not valid base64"),
        ("data:image/png;base64,", "not an image in one of the formats PNG, JPEG, WEBP, GIF"),
        (data_url(b"<svg/>"), "not an image in one of the formats"),
        (data_url(encoded(drawing(1), "BMP")), "not an image in one of the formats"),
        (data_url(encoded(drawing(1))[:-200]), "the image is broken"),
    ],
)
def test_a_value_that_is_not_an_image_is_refused(value: str, reason: str) -> None:
    """The refusal says what is wrong with the value."""
    with pytest.raises(UnreadableError, match=reason):
        MediaReader().read(ImageBase64Content(image_base64=value), MODEL)


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF"])
def test_damaged_pictures_are_read_or_refused(format: str) -> None:
    """Decoders fail in many ways, none of which may be an error of the emulator."""
    exif = Image.Exif()
    exif[0x0112] = 3
    options = {} if format == "GIF" else {"exif": exif}
    whole = encoded(drawing(1, 32, 24), format, **options)
    damage = random.Random(1)
    refused = 0
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(damage.randint(1, 4)):
            data[damage.randrange(min(200, len(data)))] = damage.randrange(256)
        try:
            read_image(bytes(data))
        except UnreadableError:
            refused += 1
    assert 0 < refused


@pytest.mark.parametrize(
    ("width", "height", "reason"),
    [
        (5000, 4000, "5000 x 4000 are 20000000 pixels, and the model takes up to 16000000"),
        (60000, 60000, "the image is too large"),
    ],
)
def test_a_picture_that_is_too_large_is_not_decoded(width: int, height: int, reason: str) -> None:
    """A small file can hold more pixels than fit in memory."""
    with pytest.raises(UnreadableError, match=reason):
        read_image(claiming(width, height))


def test_a_file_may_have_as_many_bytes_as_the_model_takes() -> None:
    """The limit applies to the file, not to its base64 form."""
    data = encoded(drawing(1, 32, 24))
    read_image(data, limited(image_max_bytes=len(data)))
    with pytest.raises(UnreadableError, match=f"the file has {len(data)} bytes"):
        read_image(data, limited(image_max_bytes=len(data) - 1))


def test_a_picture_is_the_same_from_a_host(host: Host) -> None:
    """A URL and inline data give the same picture."""
    data = encoded(drawing(1))
    url = host.put("/a%20picture.png?size=1&name=%C3%A9", data)
    media = MediaReader([host.place])
    assert read_image(data) == media.read(ImageUrlContent(image_url=url), MODEL)
    unquoted = f"http://{host.place}/a picture.png?size=1&name=é"
    assert read_image(data) == media.read(ImageUrlContent(image_url=unquoted), MODEL)


def fetch_error(media: MediaReader, url: str, model: Model = MODEL) -> str:
    """Return the reason for which an image is not fetched."""
    with pytest.raises(UnreadableError) as refused:
        media.read(ImageUrlContent(image_url=url), model)
    return str(refused.value)


@pytest.mark.parametrize("allow_hosts", [[], ["127.0.0.1"], ["127.0.0.1:1"], ["localhost"]])
def test_nothing_is_fetched_from_hosts_that_are_not_allowed(
    host: Host, allow_hosts: list[str]
) -> None:
    """No host is allowed by default, and a host without a port only on the default port."""
    url = host.put("/a.png", encoded(drawing(1)))
    said = fetch_error(MediaReader(allow_hosts), url)
    assert f"allow_hosts=['{host.place}'] or --allow-host {host.place}" in said
    assert [] == host.asked


@pytest.mark.parametrize(
    "url",
    [
        "http://{place}@example.com/a.png",
        "http://example.com#@{place}/a.png",
        "http://example.com\\@{place}.example.com/a.png",
        "https://example.com/http://{place}/",
        "//{place}/a.png",
        "file:///etc/passwd",
        "ftp://{place}/a.png",
        "data:image/png;base64,iVBORw0KGgo=",
        "http:///a.png",
        "http://[::1/a.png",
        "http://example.com:99999/a.png",
        "http://\ud800/a.png",
        "http://{place}/\ud800.png",
        "http://a..b/a.png",
        "",
    ],
)
def test_no_spelling_gets_around_the_list(host: Host, url: str) -> None:
    """The check and the request must see the same host."""
    host.put("/a.png", encoded(drawing(1)))
    fetch_error(MediaReader([host.place]), url.format(place=host.place))
    assert [] == host.asked


@pytest.mark.parametrize(
    ("allowed", "url"),
    [
        ("example.com", "http://EXAMPLE.com/"),
        ("Example.com", "https://example.com:443/"),
        ("example.com:8000", "https://example.com:8000/"),
        ("[::1]:8000", "http://[::1]:8000/"),
        ("bücher.example", "http://xn--bcher-kva.example/"),
    ],
)
def test_hosts_are_allowed_as_people_write_them(
    monkeypatch: pytest.MonkeyPatch, allowed: str, url: str
) -> None:
    """Case and default ports do not matter."""

    def refuse(*_: object, **__: object) -> None:
        raise ConnectionRefusedError("nobody there")

    monkeypatch.setattr(socket, "create_connection", refuse)
    reason = fetch_error(MediaReader([allowed]), url)
    assert reason.startswith("cannot fetch from ")
    assert reason.endswith(": nobody there")


@pytest.mark.parametrize("host", ["", "http://example.com", "example.com/a", "a@b", "a:x", "::1"])
def test_what_is_not_a_host_cannot_be_allowed(host: str) -> None:
    """The error comes at the start, not when a picture is refused."""
    with pytest.raises(ValueError, match="allow_hosts"):
        MediaReader([host])


def test_one_host_is_not_a_list() -> None:
    """Each letter of the string would be taken for a host."""
    with pytest.raises(ValueError, match=r"such as \['example.com'\]"):
        MediaReader("example.com")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed_three_times(host: Host, status: int) -> None:
    """The API follows few redirects, so a longer chain must fail here too."""
    data = encoded(drawing(1))
    host.put("/0", data)
    urls = [host.send_on(f"/{number + 1}", f"/{number}", status) for number in range(4)]
    media = MediaReader([host.place])
    assert read_image(data) == media.read(ImageUrlContent(image_url=urls[2]), MODEL)
    assert ["/3", "/2", "/1", "/0"] == host.asked
    assert "redirects more than 3 times" in fetch_error(media, urls[3])


@pytest.mark.parametrize(
    "to", ["http://{place}/a.png", "//{place}/a.png", "file:///etc/passwd", "http://[::1"]
)
def test_redirects_go_to_allowed_hosts_only(host: Host, to: str) -> None:
    """An allowed host may redirect to one that is not allowed."""
    with hosting() as other:
        other.put("/a.png", encoded(drawing(1)))
        url = host.send_on("/a.png", to.format(place=other.place))
        fetch_error(MediaReader([host.place]), url)
        assert (["/a.png"], []) == (host.asked, other.asked)


def test_a_file_must_say_how_long_it_is(host: Host) -> None:
    """The API requires `Content-Length`, by which a large file is refused before its download."""
    data = encoded(drawing(1))
    media = MediaReader([host.place])
    unknown = host.put("/unknown", data, headers={})
    assert "has no Content-Length" in fetch_error(media, unknown)
    chunked = host.put("/chunked", b"0\r\n\r\n", headers={"transfer-encoding": "chunked"})
    assert "has no Content-Length" in fetch_error(media, chunked)
    large = host.put("/large", data)
    assert f"has {len(data)} bytes" in fetch_error(media, large, limited(image_max_bytes=10))
    short = host.put("/short", data, headers={"content-length": str(len(data) + 1)})
    assert f"sent {len(data)} of {len(data) + 1} bytes" in fetch_error(media, short)


@pytest.mark.parametrize("status", [204, 302, 404, 500])
def test_only_success_is_a_picture(host: Host, status: int) -> None:
    """An error page may contain a picture."""
    url = host.put("/a.png", encoded(drawing(1)), status=status)
    assert f"answered {status}" in fetch_error(MediaReader([host.place]), url)


def test_a_page_is_not_a_picture(host: Host) -> None:
    """A login page has a status of success."""
    url = host.put("/a.png", b"<!doctype html>")
    assert "not an image in one of the formats" in fetch_error(MediaReader([host.place]), url)


def test_a_silent_host_is_given_up(host: Host) -> None:
    """A request must not hang because of a host."""
    url = host.put("/a.png", silent=True)
    assert "timed out" in fetch_error(MediaReader([host.place], timeout=0.05), url)


def test_a_slow_download_is_given_up(host: Host) -> None:
    """A host that sends a byte now and then never triggers a timeout per read."""
    url = host.put("/a.png", encoded(drawing(1)))
    hours = itertools.count(step=3600)
    media = MediaReader([host.place], timeout=5, monotonic=lambda: next(hours))
    assert "took more than 5 seconds" in fetch_error(media, url)


@pytest.mark.parametrize(
    ("first", "again"),
    [
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\nx-a: ", b"a"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 10000000\r\n\r\n", b"a"),
    ],
    ids=["answers that announce another", "a head", "a body"],
)
def test_an_endless_download_is_given_up(first: bytes, again: bytes) -> None:
    """The time limit applies to the whole file, not to each byte."""
    looks = itertools.count()
    with endless(first, again) as place:
        media = MediaReader([place], timeout=5, monotonic=lambda: next(looks))
        assert "took more than 5 seconds" in fetch_error(media, f"http://{place}/a.png")
    assert next(looks) <= 8


def test_redirects_share_the_time_of_one_file(host: Host) -> None:
    """Otherwise each redirect would start the time limit again."""
    host.send_on("/one", "/two")
    host.send_on("/two", "/three")
    host.put("/three", encoded(drawing(1)))
    url = f"http://{host.place}/one"
    for timeout, refused in ((5000, True), (12_000, False)):
        host.asked.clear()
        media = MediaReader(
            [host.place], timeout=timeout, monotonic=lambda: 3600.0 * len(host.asked)
        )
        if refused:
            assert f"took more than {timeout} seconds" in fetch_error(media, url)
        else:
            assert "image" == media.read(ImageUrlContent(image_url=url), MODEL).kind


def test_a_model_without_limits_takes_no_file_of_any_size(host: Host) -> None:
    """Otherwise any host could fill the memory."""
    url = host.put("/a.png", headers={"content-length": str(10**12)})
    model = attrs.evolve(MODEL, media=None)
    assert "the model takes up to 20000000" in fetch_error(MediaReader([host.place]), url, model)


def test_a_secure_host_must_prove_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Certificates are checked against those of the system, as in browsers."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    data = encoded(drawing(1))
    with hosting(context) as host, authority.cert_pem.tempfile() as trusted:
        url = host.put("/a.png", data).replace("http:", "https:")
        assert "CERTIFICATE_VERIFY_FAILED" in fetch_error(MediaReader([host.place]), url)
        monkeypatch.setenv("SSL_CERT_FILE", trusted)
        assert read_image(data) == MediaReader([host.place]).read(
            ImageUrlContent(image_url=url), MODEL
        )


def test_what_is_not_http_is_refused(host: Host) -> None:
    """An https URL may name a server without TLS."""
    url = f"https://{host.place}/a.png"
    assert f"cannot fetch from {host.place}" in fetch_error(MediaReader([host.place]), url)


def test_proxies_are_not_asked(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy could reach forbidden hosts, and would see what is fetched."""
    with hosting() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://{proxy.place}")
        data = encoded(drawing(1))
        url = host.put("/a.png", data)
        assert read_image(data) == MediaReader([host.place]).read(
            ImageUrlContent(image_url=url), MODEL
        )
        assert [] == proxy.asked


@pytest.mark.parametrize(
    ("frame", "frames", "pixels", "tokens"),
    [(640 * 360, 64, 14745600, 13165), (1, 2, 100000, 89), (10**7, 2, 4000000, 3571), (1, 0, 0, 1)],
)
def test_frames_count_like_pictures(frame: int, frames: int, pixels: int, tokens: int) -> None:
    """By the documentation, each frame is billed as a picture, at twice the pixels per token."""
    assert MODEL.pixels is not None
    assert (pixels, tokens) == count_video(frame, frames, MODEL.pixels)


@needs_ffmpeg
@pytest.mark.parametrize(("frames", "counted"), [(10, 10), (11, 10)])
def test_a_videos_frames_are_counted_in_pairs(tmp_path: Path, frames: int, counted: int) -> None:
    """The official client estimates the usage in this way."""
    data = film(tmp_path / "a.mp4", "testsrc2=size=320x240:rate=10", "-frames:v", str(frames))
    item = read_video(data)
    assert ("video", 320 * 240 * counted) == (item.kind, item.pixels)
    assert 320 * 240 * counted // 1120 == item.tokens


@needs_ffmpeg
def test_a_video_is_similar_to_its_frames_and_other_encodings(tmp_path: Path) -> None:
    """A thumbnail or a smaller copy finds the video."""
    shown, other = tmp_path / "a.png", tmp_path / "b.png"
    drawing(1).save(shown)
    drawing(2).save(other)

    def still(picture: Path, name: str, *options: str) -> MediaItem:
        # The path is an argument of an ffmpeg filter, in which a colon separates options.
        source = f"movie=filename='{picture.as_posix()}',loop=loop=-1:size=1,fps=10"
        return read_video(film(tmp_path / name, source, "-t", "1", "-pix_fmt", "yuv420p", *options))

    video = still(shown, "a.mp4")
    assert video == still(shown, "same.mp4")
    smaller = still(shown, "smaller.mp4", "-vf", "scale=160:120", "-crf", "35")
    another = still(other, "b.mp4")
    assert similarity(video, smaller) > 0.7 > 0.3 > similarity(video, another)
    picture, stranger = (read_image(path.read_bytes()) for path in (shown, other))
    assert similarity(video, picture) > 0.7 > 0.3 > similarity(video, stranger)


@needs_ffmpeg
def test_a_video_is_the_same_from_a_host(tmp_path: Path, host: Host) -> None:
    """A URL and inline data give the same video."""
    data = film(tmp_path / "a.mp4", "testsrc2=size=64x64:rate=10", "-frames:v", "4")
    url = host.put("/a.mp4", data)
    assert read_video(data) == MediaReader([host.place]).read(VideoUrlContent(video_url=url), MODEL)
    with pytest.raises(UnreadableError, match=f"the file has {len(data)} bytes"):
        read_video(data, limited(video_max_bytes=len(data) - 1))


@needs_ffmpeg
@pytest.mark.parametrize(
    ("name", "source", "options", "reason"),
    [
        ("a.mp4", "sine", ["-t", "1"], "broken or has no pictures"),
        ("a.mov", "testsrc", ["-frames:v", "4"], "not an MP4 video"),
        ("a.webm", "testsrc", ["-frames:v", "4"], "not an MP4 video"),
        ("a.gif", "testsrc", ["-frames:v", "4"], "not an MP4 video"),
    ],
)
def test_only_mp4_with_pictures_is_a_video(
    tmp_path: Path, name: str, source: str, options: list[str], reason: str
) -> None:
    """MP4 is the only documented format, and sound alone has no pixels."""
    with pytest.raises(UnreadableError, match=reason):
        read_video(film(tmp_path / name, source, *options))


@needs_ffmpeg
def test_broken_and_oversized_videos_are_refused(tmp_path: Path) -> None:
    """An oversized video is refused before it is decoded."""
    data = film(tmp_path / "a.mp4", "testsrc2=size=320x240:rate=10", "-frames:v", "4")
    with pytest.raises(UnreadableError, match="broken or has no pictures"):
        read_video(data[: len(data) // 2])
    start = data.index(b"mdat") + 4
    size = int.from_bytes(data[start - 8 : start - 4]) - 8
    with pytest.raises(UnreadableError, match="no frame of the video can be decoded"):
        read_video(data[:start] + bytes(size) + data[start + size :])
    with pytest.raises(UnreadableError, match="320 x 240 are 76800 pixels"):
        read_video(data, limited(image_max_pixels=76799))


def test_without_ffmpeg_videos_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason names the program to install."""
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UnreadableError, match="which is not on its PATH: install ffmpeg"):
        read_video(b"\x00\x00\x00\x18ftypmp42")
