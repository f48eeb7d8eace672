"""Speed of the emulator, compared with a route of the same server that sends prepared bytes.

With two or more cores, the server has one to itself, and this process, the client, has another.
"""

from __future__ import annotations

import json
import random
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from . import bars
from .bars import EACH, EACH_CPU
from .contenders import Environment
from .measure import HERE, WARM_UP, cpu_clock, first_line, on_own_core
from .tables import Section

SECONDS = 0.3
"""How long each reading of small requests goes on."""
WORDS = [
    "a",
    "answer",
    "are",
    "below",
    "bread",
    "by",
    "came",
    "cities",
    "cold",
    "each",
    "early",
    "fell",
    "field",
    "from",
    "garden",
    "he",
    "house",
    "in",
    "it",
    "keys",
    "late",
    "light",
    "long",
    "may",
    "morning",
    "near",
    "night",
    "of",
    "old",
    "on",
    "only",
    "over",
    "people",
    "rain",
    "river",
    "road",
    "rose",
    "she",
    "small",
    "snow",
    "some",
    "spring",
    "stone",
    "street",
    "table",
    "the",
    "their",
    "they",
    "to",
    "town",
    "two",
    "under",
    "up",
    "walk",
    "wall",
    "warm",
    "was",
    "water",
    "where",
    "window",
    "winter",
    "with",
    "year",
]


@dataclass(frozen=True)
class Asked:
    """A request to measure.

    Attributes:
        section: Title of the table.
        path: Path, relative to the base URL.
        body: JSON body.
    """

    section: str
    path: str
    body: Mapping[str, Any]


def texts(count: int) -> list[str]:
    """Return texts of thirty words, always the same."""
    dice = random.Random(count)
    return [" ".join(dice.choices(WORDS, k=30)) for _ in range(count)]


SMALL = (
    Asked(bars.EMULATOR_EMBED, "embeddings", {"input": texts(1), "model": "voyage-4"}),
    Asked(
        bars.EMULATOR_CONTEXTUALIZED,
        "contextualizedembeddings",
        {"inputs": [texts(2)], "model": "voyage-context-4"},
    ),
    Asked(
        bars.EMULATOR_MULTIMODAL,
        "multimodalembeddings",
        {
            "inputs": [{"content": [{"type": "text", "text": texts(1)[0]}]}],
            "model": "voyage-multimodal-3.5",
        },
    ),
    Asked(
        bars.EMULATOR_RERANK,
        "rerank",
        {"query": "Where are the keys?", "documents": texts(3), "model": "rerank-2.5"},
    ),
)
LARGE = (
    Asked(
        bars.EMULATOR_BASE64,
        "embeddings",
        {"input": texts(1000), "model": "voyage-4-lite", "encoding_format": "base64"},
    ),
    Asked(
        bars.EMULATOR_LISTS,
        "embeddings",
        {"input": texts(1000), "model": "voyage-4-lite"},
    ),
)


def sections(environment: Environment, rounds: int) -> Iterator[Section]:
    """Yield each table when its measurement is complete."""
    command = [str(environment.python), "-I"]
    with ExitStack() as stack:
        server = stack.enter_context(on_own_core([*command, "-m", "voyageai_emulator"]))
        base = urlsplit(first_line(server).split()[-1])
        asked = [*SMALL, *LARGE]
        answers = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for number, one in enumerate(asked):
            with Asker(base.port, f"{base.path}/{one.path}", one.body) as asker:
                (answers / str(number)).write_bytes(asker.ask())
        other = stack.enter_context(on_own_core([*command, str(HERE / "bare.py"), str(answers)]))
        bare = int(first_line(other))
        for number, one in enumerate(asked):
            section = Section(one.section, bars.BARE_ROUTE)
            seconds = SECONDS if one in SMALL else 0
            with (
                Asker(base.port, f"{base.path}/{one.path}", one.body) as emulator,
                Asker(bare, f"/{number}", one.body) as starlette,
            ):
                rows = (
                    (bars.EMULATOR, emulator, cpu_clock(server.pid)),
                    (bars.BARE_ROUTE, starlette, cpu_clock(other.pid)),
                )
                for turn in range(-WARM_UP, rounds):
                    for row, asker, cpu in rows:
                        reading = asker.timed(seconds, cpu)
                        if turn >= 0:
                            section.add(row, reading)
            yield section


class Asker:
    """A client that repeats one request with little CPU: its bytes are prepared once."""

    def __init__(self, port: int | None, path: str, body: Mapping[str, Any]) -> None:
        content = json.dumps(body).encode()
        self._request = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer benchmark\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        ).encode() + content
        self._socket = socket.create_connection(("127.0.0.1", port or 0))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Asker:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def ask(self) -> bytes:
        """Send the request, and return the response body; exit unless the status is 200."""
        self._socket.sendall(self._request)
        head = b""
        while b"\r\n\r\n" not in head:
            head += self._receive(65_536)
        head, _, start = head.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            sys.exit(f"not a success: {head.decode()}\n{start.decode()}")
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r")[0])
        body = bytearray(start)
        while len(body) < length:
            body += self._receive(1 << 20)
        return bytes(body)

    def _receive(self, most: int) -> bytes:
        received = self._socket.recv(most)
        if not received:
            sys.exit("the server closed the connection")
        return received

    def timed(self, seconds: float, cpu: Callable[[], float]) -> dict[str, float]:
        """Return the mean time and CPU of a request in milliseconds.

        Args:
            seconds: Time to repeat the request; 0 for a single request.
            cpu: Function that returns the CPU time of the server.
        """
        start, used = time.perf_counter(), cpu()
        count = 0
        while not count or time.perf_counter() < start + seconds:
            self.ask()
            count += 1
        used, elapsed = cpu() - used, time.perf_counter() - start
        return {EACH: 1000 * elapsed / count, EACH_CPU: 1000 * used / count}
