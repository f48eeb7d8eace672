"""Malicious responses: they are neither read in full, nor parsed, nor believed."""

from __future__ import annotations

import json
import sys
import time
import tracemalloc
import zlib
from functools import partial
from typing import Any

import httpx2
import pytest
import voyageai
from voyageai import error
from voyageai.response_limits import ERROR_SIZE, PARSED_AT_ONCE

from tests.overlay.conftest import answer_to

from .conftest import Body, embed
from .scripted_server import Server

MB = 1 << 20
VECTOR: dict[str, Any] = {"object": "embedding", "embedding": [0.6, 0.8], "index": 0}
GOOD: dict[str, Any] = {"data": [VECTOR], "model": "voyage-4", "usage": {"total_tokens": 2}}


def packed(window):
    """Return compressed zeros; a block of a megabyte shrinks to about a kilobyte."""
    packer = zlib.compressobj(9, zlib.DEFLATED, window)
    for _ in range(2):
        block = packer.compress(b"\0" * MB) + packer.flush(zlib.Z_FULL_FLUSH)
        yield block
    yield from [block] * 10_000


def brotli():
    packer = pytest.importorskip("brotli").Compressor(quality=1)
    for _ in range(10_000):
        yield packer.process(b"\0" * MB) + packer.flush()


def zstandard():
    module = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
    yield from [pytest.importorskip(module).compress(b"\0" * MB)] * 10_000


def padded():
    """Return a compressed body that ends at once, followed by bytes that don't belong to it."""
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    yield packer.compress(b"{}") + packer.flush()
    yield from [b"\0" * MB] * 10_000


def plain():
    yield from [b" " * MB] * 10_000


gzip = partial(packed, zlib.MAX_WBITS | 16)
deflate = partial(packed, zlib.MAX_WBITS)


def peak(act):
    """Return the peak of allocated bytes, less what was allocated before."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        act()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("status", "coding", "pieces"),
    [
        (200, "identity", plain),
        (200, "gzip", gzip),
        (200, "deflate", deflate),
        (200, "br", brotli),
        (200, "zstd", zstandard),
        (200, "gzip", padded),
        (500, "identity", plain),
        (500, "gzip", gzip),
    ],
)
def test_no_more_of_a_body_is_read_than_a_right_one_has(call, status, coding, pieces):
    """Ten compressed megabytes can expand to ten gigabytes, which would kill the process."""
    taken = 0

    def flood(peer):
        nonlocal taken
        peer.read()
        coded = "" if coding == "identity" else f"Content-Encoding: {coding}\r\n"
        peer.send(f"HTTP/1.1 {status} X\r\nX-Request-ID: r-1\r\n{coded}\r\n".encode())
        for piece in pieces():
            peer.send(piece)
            taken += len(piece)

    def refused():
        with pytest.raises(error.VoyageError) as caught:
            call(server.base)
        assert (status, "r-1") == (caught.value.http_status, caught.value.request_id)
        if status == 200:
            assert isinstance(caught.value, error.MalformedResponseError)
            assert "max_response_bytes" in str(caught.value)
        else:  # an error keeps the beginning
            assert isinstance(caught.value, error.ServerError)
            assert caught.value.http_body.endswith(f"({ERROR_SIZE} characters)")

    with Server(flood) as server:
        assert peak(refused) < 64 * MB
    assert taken < 64 * MB


def test_the_timeout_is_checked_between_pieces(call, monkeypatch):
    """A user's own transport knows no deadline, so the client checks it between pieces."""
    now, taken = 0.0, 0

    def pieces():
        nonlocal now, taken
        for _ in range(1000):
            now, taken = now + 1, taken + 1
            yield b" "

    def handle(request):
        return httpx2.Response(200, stream=Body(pieces()))

    monkeypatch.setattr(time, "monotonic", lambda: now)
    with pytest.raises(error.Timeout):
        call(timeout=3.5, transport=httpx2.MockTransport(handle))
    assert 4 == taken


def answering(body):
    """Return a handler that answers with a body."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx2.MockTransport(lambda _: httpx2.Response(200, content=content))


def test_the_bound_can_be_set(call):
    """A gateway may add fields of any size, so users can raise the bound."""
    padding = {**GOOD, "padding": "x" * MB}
    with pytest.raises(error.MalformedResponseError, match="max_response_bytes"):
        call(transport=answering(padding))
    assert 1 == len(call(transport=answering(padding), max_response_bytes=2 * MB))
    with pytest.raises(error.MalformedResponseError, match="more than 100 bytes"):
        call(transport=answering(GOOD), max_response_bytes=100)
    for wrong in (0, -1, 1.5, True, "1"):
        with pytest.raises(error.ArgumentError, match="max_response_bytes"):
            call(max_response_bytes=wrong)


@pytest.mark.parametrize("filler", [b"{},", b"[],", b"1,"])
def test_json_of_very_many_values_is_not_parsed(call, filler, monkeypatch):
    """Parsing such a body holds the interpreter, and with it every other thread."""
    body = b'{"data": [' + filler * (20 * MB // len(filler)) + b"{}]}"
    parsed = []
    loads = json.loads
    monkeypatch.setattr(
        json, "loads", lambda text, **more: parsed.append(len(text)) or loads(text, **more)
    )

    with pytest.raises(error.MalformedResponseError, match=r"more than [0-9,]+ (objects|numbers)"):
        call(None, lambda vo: vo.embed(["a"] * 1000, "voyage-4"), transport=answering(body))
    assert all(size <= PARSED_AT_ONCE for size in parsed)


def test_the_largest_right_answers_are_read(call):
    """Gateways without base64 send vectors as numbers with all their digits."""
    rows = [{**VECTOR, "embedding": [-0.12345678901234567] * 2048, "index": n} for n in range(200)]
    answer = answering(json.dumps({**GOOD, "data": rows}, indent=1).encode())

    def act(client):
        return client.embed(["a"] * 200, "voyage-4", output_dimension=2048)

    assert 200 == len(call(None, act, transport=answer))


@pytest.mark.parametrize(
    "act",
    [
        embed,
        lambda vo: vo.rerank("a", ["b", "c"], "rerank-2.5"),
        lambda vo: vo.contextualized_embed([["a", "b"]], "voyage-context-4", "document"),
        lambda vo: vo.multimodal_embed([["a"]], "voyage-multimodal-3.5"),
    ],
    ids=["embed", "rerank", "contextualized_embed", "multimodal_embed"],
)
def test_a_count_that_a_request_cannot_have_is_no_answer(call, act):
    """A forged token count would hold back every later call of a shared rate limit."""
    limiter = voyageai.RateLimiter(voyageai.RateLimit(tpm=1_000, rpm=100))

    def forge(request):
        answer = answer_to(request).json()
        answer["usage"]["total_tokens"] = tokens
        return httpx2.Response(200, json=answer)

    for tokens in (-1, -1_000_000, 10**12, 10**400):
        forged = httpx2.MockTransport(forge)
        with pytest.raises(error.MalformedResponseError) as caught:
            call(None, act, transport=forged, rate_limit=limiter, deadline=5)
        assert len(str(caught.value)) < 1000
        if tokens < 10**400:  # which no interpreter reads
            assert "usage.total_tokens" in str(caught.value)
