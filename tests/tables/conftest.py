"""Both clients over an in-memory API, and jobs with small slices."""

from __future__ import annotations

import asyncio
import base64
import inspect
import json
import zlib
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import httpx2
import pytest
import voyageai
import voyageai_emulator
from voyageai.flow import Environment
from voyageai.tables.job import AsyncTableJob, TableJob
from voyageai.tables.options import contextualized_spec, embed_spec, rerank_spec
from voyageai.tables.preparing import prepare
from voyageai.tables.sources import source_of
from voyageai.transport import AsyncTransport, Transport
from voyageai_emulator import Emulator

KEY = "pa-secret-5f2e"
SPECS = {"embed": embed_spec, "contextualized_embed": contextualized_spec, "rerank": rerank_spec}
OPTIONS: dict[str, Any] = {"input_type": "document", "output_dimension": 256}
WIDTH = 256


def done(value: Any) -> Any:
    """Return the result of a call of either client."""

    async def wait() -> Any:
        return await value

    return asyncio.run(wait()) if inspect.isawaitable(value) else value


def number_of(text: str) -> float:
    """Return the number of which a text's vector consists."""
    return float(zlib.crc32(text.encode()) % 1000)


class Api:
    """An in-memory API that records requests.

    Attributes:
        bodies: Bodies of the successful requests, in order.
        sent: Number of all requests.
        waits: Seconds of each wait.
        tokens_per_word: Billed tokens per word.
        refuse: Function that returns the status with which a text is refused, or None.
        before: Function that is called with each body, and may return a response or raise.
    """

    def __init__(self) -> None:
        self.bodies: list[Any] = []
        self.sent = 0
        self.waits: list[float] = []
        self.tokens_per_word = 1
        self.refuse: Callable[[str], int | None] = lambda text: None
        self.before: Callable[[Any], httpx2.Response | None] = lambda body: None

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        """Answer a request."""
        body = json.loads(request.content)
        self.sent += 1
        if (early := self.before(body)) is not None:
            return early
        texts = texts_in(body)
        status = next((found for found in map(self.refuse, texts) if found is not None), None)
        if status is not None:
            return httpx2.Response(status, json={"detail": "this text is refused"})
        self.bodies.append(body)
        data: list[Any]
        if "documents" in body:
            data = [
                {"index": place, "relevance_score": number_of(text) / 1000}
                for place, text in enumerate(body["documents"])
            ]
        elif "inputs" in body:
            data = [
                {"object": "list", "index": place, "data": entries(chunks)}
                for place, chunks in enumerate(body["inputs"])
            ]
        else:
            data = entries(body["input"])
        tokens = self.tokens_per_word * sum(len(text.split()) for text in texts)
        answer = {
            "object": "list",
            "data": data,
            "model": body["model"],
            "usage": {"total_tokens": tokens},
        }
        return httpx2.Response(200, json=answer)

    @property
    def texts(self) -> list[str]:
        """All texts of the successful requests, in order."""
        return [text for body in self.bodies for text in texts_in(body)]

    def client(self, kind: str = "Client", **settings: Any) -> Any:
        """Return a client of this API whose waits take no time."""
        mock = httpx2.MockTransport(self)
        client: Any = getattr(voyageai, kind)(**{"api_key": KEY, "transport": mock} | settings)
        environment = Environment(random=lambda: 0.5)

        async def sleep(seconds: float) -> None:
            self.waits.append(seconds)

        if kind == "Client":
            client._transport = Transport(
                http=mock, sleep=self.waits.append, environment=environment
            )
        else:
            client._transport = AsyncTransport(http=mock, sleep=sleep, environment=environment)
        return client


def texts_in(body: Any) -> list[str]:
    """Return the texts of a request."""
    if "documents" in body:
        return list(body["documents"])
    if "inputs" in body:
        return [text for chunks in body["inputs"] for text in chunks]
    return list(body["input"])


def entries(texts: list[str]) -> list[dict[str, Any]]:
    """Return the response's entry for each text: a vector that holds only its number."""
    return [
        {
            "object": "embedding",
            "index": place,
            "embedding": base64.b64encode(array("f", [number_of(text)] * WIDTH).tobytes()).decode(),
        }
        for place, text in enumerate(texts)
    ]


def job_of(
    client: Any,
    rows: Any,
    into: Path,
    *,
    method: str = "embed",
    columns: tuple[str, ...] = ("body",),
    model: str = "voyage-4",
    slice_rows: int = 10,
    **options: Any,
) -> Any:
    """Return a job with small slices."""
    given = {"id": "id", "progress": False, **({} if method == "rerank" else OPTIONS), **options}
    if given.get("via") != "batch":
        given.setdefault("concurrency", 4)
    if method == "contextualized_embed":
        columns = (columns[0], "doc") if len(columns) == 1 else columns
    own = () if method == "rerank" else (None,)
    spec = SPECS[method](method, *columns, model, given, *own)
    spec = attrs.evolve(spec, slice_rows=slice_rows)
    prepared = prepare(spec, source_of(rows), into)
    kind = TableJob if isinstance(client, voyageai.Client) else AsyncTableJob
    return kind(client.tables.sender, prepared, given)


def rows_of(count: int) -> list[dict[str, Any]]:
    """Return rows with an id and a text of four words."""
    return [{"id": f"r{row}", "body": f"text number {row} here"} for row in range(count)]


def table_in(path: Path) -> list[tuple[Any, float | None]]:
    """Return each id of a table with the number of which its vector consists."""
    import pyarrow.parquet as pq

    found: list[tuple[Any, float | None]] = []
    for part in sorted(path.glob("part-*.parquet")):
        for row in pq.read_table(part).to_pylist():
            vector = row["embedding"]
            assert vector is None or [vector[0]] * WIDTH == vector
            found.append((row["id"], None if vector is None else vector[0]))
    return found


def expected(rows: list[dict[str, Any]]) -> list[tuple[Any, float | None]]:
    """Return the rows that `table_in` finds after a complete job."""
    return [(row["id"], number_of(row["body"])) for row in rows]


@pytest.fixture
def api() -> Api:
    """An in-memory API."""
    return Api()


@pytest.fixture(params=["Client", "AsyncClient"])
def vo(request: pytest.FixtureRequest, api: Api) -> Any:
    """Each of the two clients, connected to the in-memory API."""
    return api.client(request.param)


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """A new emulator for each test."""
    with voyageai_emulator.running() as found:
        yield found
