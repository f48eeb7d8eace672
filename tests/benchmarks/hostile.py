"""Measure what a hostile response costs in event loop time and memory, next to a valid large one.

As a script, run by an interpreter that has the package, it measures and prints JSON.
"""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import subprocess
import threading
import time
import tracemalloc
import zlib
from collections.abc import Iterator
from contextlib import suppress

ROWS, DIMENSION, MODEL = 1000, 1024, "voyage-4"
MB = 1 << 20
STALL, PEAK = "longest stall ms", "peak MB"
RIGHT = "right, as numbers"
EMPTY, NUMBERS, BOMB, ENDLESS = HOSTILE = (
    "hostile, 20 MB of empty lists",
    "hostile, 20 MB of numbers",
    "hostile, 10 GB in 10 MB of gzip",
    "hostile, 10 GB without end",
)
Body = tuple[bytes, list[bytes]]
"""Additional header lines, and the body in pieces."""


def bodies() -> Iterator[tuple[str, Body]]:
    """Yield the name and the response of each row of the table."""
    text = base64.b64encode(bytes(4 * DIMENSION)).decode()
    yield "right, as base64", _plain(_answer(text))
    yield RIGHT, _plain(_answer([-0.012345678901234567] * DIMENSION))
    for row, filler in ((EMPTY, b"[],"), (NUMBERS, b"1,")):
        yield row, _plain(filler * (20 * MB // len(filler)))
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    blocks = [packer.compress(bytes(MB)) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2)]
    yield BOMB, (b"Content-Encoding: gzip\r\n", [*blocks, *[blocks[1]] * 10_000])
    yield ENDLESS, (b"", [bytes(MB)] * 10_000)


def _answer(vector: object) -> bytes:
    rows = [{"object": "embedding", "embedding": vector, "index": row} for row in range(ROWS)]
    body = {"object": "list", "data": rows, "model": MODEL, "usage": {"total_tokens": ROWS}}
    return json.dumps(body).encode()


def _plain(content: bytes) -> Body:
    return b"Content-Length: %d\r\n" % len(content), [content]


def _serve(listener: socket.socket, body: Body) -> None:
    """Send one response on each connection."""
    head, pieces = body
    while True:
        try:
            peer, _ = listener.accept()
        except OSError:
            return
        with peer, suppress(OSError):
            received = b""
            while b"\r\n\r\n" not in received:
                received += peer.recv(65536)
            left = int(received.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            left -= len(received.split(b"\r\n\r\n", 1)[1])
            while left > 0:
                left -= len(peer.recv(65536))
            peer.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n" + head + b"\r\n")
            for piece in pieces:
                peer.sendall(piece)


async def _stall(url: str) -> float:
    """Return the longest time, in milliseconds, for which a call blocked the event loop."""
    import voyageai

    longest = 0.0

    async def tick() -> None:
        nonlocal longest
        last = time.perf_counter()
        while True:
            await asyncio.sleep(0)
            now = time.perf_counter()
            longest, last = max(longest, now - last), now

    async with voyageai.AsyncClient("benchmark", base_url=url, timeout=60) as vo:
        ticking = asyncio.ensure_future(tick())
        await asyncio.sleep(0)
        with suppress(voyageai.error.MalformedResponseError):
            await vo.embed(["text"] * ROWS, MODEL, "query", output_dimension=DIMENSION)
        for _ in range(2):
            await asyncio.sleep(0)
        ticking.cancel()
    return 1000 * longest


def main() -> None:
    """Measure each row, and print the readings as JSON."""
    found: dict[str, dict[str, float]] = {}
    for row, body in bodies():
        with socket.create_server(("127.0.0.1", 0)) as listener:
            threading.Thread(target=_serve, args=(listener, body), daemon=True).start()
            url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
            asyncio.run(_stall(url))  # warm-up, as the first call imports modules
            stalls = sorted(asyncio.run(_stall(url)) for _ in range(3))
            tracemalloc.start()
            before, _ = tracemalloc.get_traced_memory()
            asyncio.run(_stall(url))
            peak = tracemalloc.get_traced_memory()[1] - before
            tracemalloc.stop()
            listener.shutdown(socket.SHUT_RDWR)
        found[row] = {STALL: stalls[1], PEAK: peak / MB}
    print(json.dumps(found))


def measured(python: str, environment: dict[str, str]) -> dict[str, dict[str, float]]:
    """Run this module with another interpreter, and return its readings."""
    done = subprocess.run(
        [python, __file__], env=environment, stdout=subprocess.PIPE, check=True, text=True
    )
    found: dict[str, dict[str, float]] = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    main()
