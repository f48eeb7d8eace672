"""Servers that send what no right answer has: it is not read, parsed or believed."""

from __future__ import annotations

import asyncio
import json
import sys
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import httpx2
import pytest
import voyageai
from voyageai import error
from voyageai.response_limits import ERROR_SIZE, PARSED_AT_ONCE

from .scripted_server import Peer, Server

MB = 1 << 20
EMBED: dict[str, Any] = {"texts": ["a", "b"], "model": "voyage-4", "input_type": "query"}
GOOD = {
    "object": "list",
    "data": [{"object": "embedding", "embedding": [0.6, 0.8], "index": place} for place in (0, 1)],
    "model": "voyage-4",
    "usage": {"total_tokens": 2},
}

Embed = Callable[..., Any]


@pytest.fixture(params=["Client", "AsyncClient"])
def embed(request: pytest.FixtureRequest) -> Embed:
    """Embeds two texts, or what is given, and gives the result."""
    kind: Any = getattr(voyageai, request.param)

    def call(
        arguments: dict[str, Any] | None = None, method: str = "embed", **settings: Any
    ) -> Any:
        async def looping() -> Any:
            async with kind("pa-key", **{"timeout": 30, **settings}) as client:
                return await getattr(client, method)(**(arguments or EMBED))

        if kind is voyageai.AsyncClient:
            return asyncio.run(looping())
        with kind("pa-key", **{"timeout": 30, **settings}) as client:
            return getattr(client, method)(**(arguments or EMBED))

    return call


def packed(window: int, megabytes: int) -> Iterator[bytes]:
    """Zeros, of which a block of a megabyte is about a kilobyte."""
    packer = zlib.compressobj(9, zlib.DEFLATED, window)
    for _ in range(2):
        block = packer.compress(b"\0" * MB) + packer.flush(zlib.Z_FULL_FLUSH)
        yield block
    yield from [block] * megabytes


def brotli(megabytes: int) -> Iterator[bytes]:
    packer = pytest.importorskip("brotli").Compressor(quality=1)
    for _ in range(megabytes):
        yield packer.process(b"\0" * MB) + packer.flush()


def zstandard(megabytes: int) -> Iterator[bytes]:
    module = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
    frame = pytest.importorskip(module).compress(b"\0" * MB)
    for _ in range(megabytes):
        yield frame


def padded(megabytes: int) -> Iterator[bytes]:
    """A body that ends at once, and what follows is no part of it."""
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    yield packer.compress(b"{}") + packer.flush()
    for _ in range(megabytes):
        yield b"\0" * MB


def plain(megabytes: int) -> Iterator[bytes]:
    for _ in range(megabytes):
        yield b" " * MB


CODINGS = {
    "gzip": partial(packed, zlib.MAX_WBITS | 16),
    "deflate": partial(packed, zlib.MAX_WBITS),
    "br": brotli,
    "zstd": zstandard,
}


class Flood:
    """A script that sends one long body, and counts what was taken of it.

    Attributes:
        sent: Bytes.
    """

    def __init__(self, status: int, headers: bytes, pieces: Iterator[bytes]) -> None:
        self.sent = 0
        self._head = b"HTTP/1.1 %d X\r\nX-Request-ID: r-1\r\n%s\r\n" % (status, headers)
        self._chunked = b"chunked" in headers
        self._pieces = pieces

    def __call__(self, peer: Peer) -> None:
        peer.read()
        peer.send(self._head)
        for piece in self._pieces:
            peer.send(b"%x\r\n%s\r\n" % (len(piece), piece) if self._chunked else piece)
            self.sent += len(piece)


def peak(act: Callable[[], None]) -> int:
    """Bytes that were allocated at once at most, beside what there was."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        act()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize("coding", CODINGS)
def test_a_body_that_grows_when_it_is_decompressed_is_not_read(
    embed: Embed, coding: str, status: int
) -> None:
    """Ten megabytes become ten gigabytes, and the process is killed."""
    flood = Flood(
        status,
        b"Content-Encoding: %s\r\nTransfer-Encoding: chunked\r\n" % coding.encode(),
        CODINGS[coding](10_000),
    )
    with Server(flood) as server:

        def act() -> None:
            kind = error.MalformedResponseError if status == 200 else error.ServerError
            with pytest.raises(kind) as caught:
                embed(base_url=f"{server.origin}/v1")
            assert status == caught.value.http_status
            assert "r-1" == caught.value.request_id
            if status == 200:
                assert "max_response_bytes" in str(caught.value)

        assert peak(act) < 64 * MB


@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize(
    "headers",
    [
        b"Transfer-Encoding: chunked\r\n",
        b"Connection: close\r\n",
        b"Content-Length: 1000000000000000000\r\n",
    ],
)
def test_a_body_without_end_is_left(embed: Embed, headers: bytes, status: int) -> None:
    """However it is framed, no more is read than a right answer has."""
    flood = Flood(status, headers, plain(10_000))
    kind = error.MalformedResponseError if status == 200 else error.ServerError
    with Server(flood) as server:

        def act() -> None:
            with pytest.raises(kind):
                embed(base_url=f"{server.origin}/v1")

        assert peak(act) < 64 * MB
    assert flood.sent < 64 * MB


def test_what_follows_a_compressed_body_is_not_gathered(embed: Embed) -> None:
    """Decompressors keep what is beyond the end, and copy it each time that there is more."""
    headers = b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n"
    flood = Flood(200, headers, padded(1000))
    with Server(flood) as server, pytest.raises(error.MalformedResponseError, match="123,904"):
        embed({**EMBED, "texts": ["a"]}, base_url=f"{server.origin}/v1")
    assert flood.sent < 64 * MB


def slowly(pieces: Iterator[bytes], now: list[float]) -> httpx2.MockTransport:
    """Answers with pieces that take a second each, which passes as they are taken."""

    class Stream(httpx2.SyncByteStream, httpx2.AsyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            for piece in pieces:
                now[0] += 1
                yield piece

        async def __aiter__(self) -> Any:
            for piece in self:
                yield piece

    def handle(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, stream=Stream(), request=request)

    return httpx2.MockTransport(handle)


def test_the_time_is_looked_at_between_pieces(
    embed: Embed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transport that a user gives knows nothing of the time for the call."""
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    pieces = iter([b" "] * 1000)
    with pytest.raises(error.Timeout):
        embed(timeout=3.5, transport=slowly(pieces, now))

    assert 1000 - 4 == len(list(pieces))


def answering(body: Any, status: int = 200) -> httpx2.MockTransport:
    """Answers with a body."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx2.MockTransport(lambda _: httpx2.Response(status, content=content))


def test_the_bound_can_be_set(embed: Embed) -> None:
    """A gateway may add what we know nothing of."""
    padding = {**GOOD, "padding": "x" * MB}
    with pytest.raises(error.MalformedResponseError, match="max_response_bytes"):
        embed(transport=answering(padding))
    assert 2 == len(embed(transport=answering(padding), max_response_bytes=2 * MB))
    with pytest.raises(error.MalformedResponseError, match="more than 100 bytes"):
        embed(transport=answering(GOOD), max_response_bytes=100)
    for wrong in (0, -1, 1.5, True, "1"):
        with pytest.raises(error.ArgumentError, match="max_response_bytes"):
            embed(max_response_bytes=wrong)


@pytest.mark.parametrize("filler", [b"{},", b"[],", b"[[]],", b"1,"])
def test_json_of_very_many_values_is_not_parsed(
    embed: Embed, filler: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It holds the interpreter, and with it every other thread, for as long as it takes."""
    texts = ["a"] * 1000
    body = b'{"data": [' + filler * (20 * MB // len(filler)) + b"{}]}"
    parsed: list[int] = []
    loads = json.loads
    monkeypatch.setattr(
        json, "loads", lambda text, **more: parsed.append(len(text)) or loads(text, **more)
    )

    with pytest.raises(
        error.MalformedResponseError, match=r"more than [0-9,]+ (objects|numbers) or"
    ):
        embed({**EMBED, "texts": texts}, transport=answering(body))
    assert all(size <= PARSED_AT_ONCE for size in parsed)


def test_the_largest_right_answers_are_read(embed: Embed) -> None:
    """As base64 and, from gateways that know no other, as numbers with all their digits."""
    number = -0.12345678901234567
    rows = [
        {"object": "embedding", "embedding": [number] * 2048, "index": place}
        for place in range(1000)
    ]
    body = json.dumps({**GOOD, "data": rows}, indent=1).encode()
    arguments = {**EMBED, "texts": ["a"] * 1000, "output_dimension": 2048}

    assert 1000 == len(embed(arguments, transport=answering(body)))


@pytest.mark.parametrize(
    "tokens", [-1, -1_000_000, 10**12, 10**400], ids=["-1", "-10^6", "10^12", "10^400"]
)
@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("embed", EMBED),
        ("rerank", {"query": "a", "documents": ["b", "c"], "model": "rerank-2.5"}),
        (
            "contextualized_embed",
            {"inputs": [["a", "b"]], "model": "voyage-context-4", "input_type": "document"},
        ),
        ("multimodal_embed", {"inputs": [["a"]], "model": "voyage-multimodal-3.5"}),
    ],
)
def test_a_count_that_a_request_cannot_have_is_no_answer(
    embed: Embed, method: str, arguments: dict[str, Any], tokens: int
) -> None:
    """Believed once, it would hold back every later call of a shared rate limit."""
    limiter = voyageai.RateLimiter(voyageai.RateLimit(tpm=1_000, rpm=100))
    vectors = [{"object": "embedding", "embedding": [0.6, 0.8], "index": 0}]
    entries: dict[str, Any] = {
        "embed": [{**vectors[0], "index": place} for place in (0, 1)],
        "multimodal_embed": vectors,
        "contextualized_embed": [
            {"object": "list", "data": [{**vectors[0], "index": n} for n in (0, 1)], "index": 0}
        ],
        "rerank": [{"relevance_score": 0.5, "index": place} for place in (0, 1)],
    }
    usage = {"total_tokens": tokens, "text_tokens": 1, "image_pixels": 0, "video_pixels": 0}
    body = json.dumps({"object": "list", "data": entries[method], "model": "m", "usage": usage})

    for _ in range(3):
        with pytest.raises(error.MalformedResponseError) as caught:
            embed(
                arguments,
                method,
                transport=answering(body.encode()),
                rate_limit=limiter,
                deadline=5,
            )
    assert len(str(caught.value)) < 1000
    if tokens < 10**400:  # which no interpreter reads
        assert "usage.total_tokens" in str(caught.value)


def test_the_message_of_a_huge_refusal_is_cut(embed: Embed) -> None:
    """Messages are logged, and shown to people."""
    with pytest.raises(error.InvalidRequestError) as caught:
        embed(transport=answering({"detail": "x" * 100 * MB}, 400))

    assert len(str(caught.value)) < 100_000
    assert len(caught.value.http_body) < 100_000


def test_an_error_keeps_the_beginning_of_a_long_body(embed: Embed) -> None:
    """Its status says enough to retry; what is read of it is bounded."""
    with pytest.raises(error.ServerError) as caught:
        embed(transport=answering(b"x" * (2 * ERROR_SIZE), 500))

    assert caught.value.http_body.startswith("xxx")
    assert caught.value.http_body.endswith(f"({ERROR_SIZE} characters)")


def test_an_event_loop_goes_on_while_a_flood_is_refused() -> None:
    """Steps of the loop go on between pieces of a body; none is larger than a megabyte."""
    ticks = 0
    headers = b"Transfer-Encoding: chunked\r\n"
    flood = Flood(200, headers, plain(10_000))

    async def main(origin: str) -> None:
        nonlocal ticks

        async def tick() -> None:
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0)

        ticking = asyncio.ensure_future(tick())
        client = voyageai.AsyncClient("pa-key", base_url=f"{origin}/v1", timeout=30)
        texts = ["a"] * 1000
        with pytest.raises(error.MalformedResponseError):
            await client.embed(texts, "voyage-4", "query")
        ticking.cancel()
        await client.aclose()

    with Server(flood) as server:
        asyncio.run(main(server.origin))
    assert ticks > 10
