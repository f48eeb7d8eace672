"""Both clients over a mock transport; each test runs for both."""

from __future__ import annotations

import asyncio
import base64
import inspect
import json
from array import array
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
import voyageai
from voyageai.flow import BatchLimits, Environment
from voyageai.transport import AsyncTransport, Transport

VARIABLES = ("VOYAGE_API_KEY", "VOYAGE_API_KEY_PATH", "VOYAGE_BASE_URL")
KEY = "pa-secret-5f2e"


def packed(numbers: list[float], kind: str = "f") -> str:
    """Return a vector in the base64 form of the API."""
    return base64.b64encode(array(kind, numbers).tobytes()).decode()


def answer_to(request: httpx2.Request) -> httpx2.Response:
    """Answer as the API would: vector i is [i, i + 0.5], documents are ranked backwards."""
    body = json.loads(request.content)
    endpoint = request.url.path.rsplit("/", 1)[-1]
    usage = {"total_tokens": 7}

    def vector(n: int) -> str:
        numbers = body.get("output_dimension")
        kind = {"int8": "b"}.get(body.get("output_dtype", "float"), "f")
        return packed([n, n + 0.5] if numbers is None else [n] * numbers, kind)

    def entries(count: int, first: int = 0) -> list[dict[str, Any]]:
        return [
            {"object": "embedding", "embedding": vector(n), "index": n - first}
            for n in range(first, first + count)
        ]

    match endpoint:
        case "embeddings":
            data = entries(1 if isinstance(body["input"], str) else len(body["input"]))
        case "multimodalembeddings":
            data = entries(len(body["inputs"]))
            usage |= {"text_tokens": 5, "image_pixels": 50, "video_pixels": 0}
        case "contextualizedembeddings":
            data = [
                {"object": "list", "index": place, "data": entries(len(chunks), 10 * place)}
                for place, chunks in enumerate(body["inputs"])
            ]
        case _:
            count = len(body["documents"])
            data = [{"index": n, "relevance_score": n / count} for n in reversed(range(count))]
            data = data[: body.get("top_k") or count]
    answer = {"object": "list", "data": data, "model": body["model"], "usage": usage}
    return httpx2.Response(200, json=answer, headers={"x-request-id": "req-1"})


def requesting(kind: type) -> dict[str, inspect.Signature]:
    """Return the methods of a client that send requests: those with the parameter `options`."""
    found = {
        name: inspect.signature(member)
        for name, member in vars(kind).items()
        if inspect.isfunction(member) and not name.startswith("_")
    }
    return {name: one for name, one in found.items() if "options" in one.parameters}


class Face:
    """One of the two clients, called the same way as the other."""

    def __init__(self, name: str) -> None:
        self.kind = getattr(voyageai, name)
        self.requests: list[httpx2.Request] = []
        self.waits: list[float] = []
        self.time = 1000.0
        self.batch_limits = BatchLimits()

    def client(
        self, handler: Callable[[httpx2.Request], httpx2.Response] = answer_to, **options: Any
    ) -> Any:
        """Return a client whose requests go to the handler, and whose waits take no time."""

        def recorded(request: httpx2.Request) -> httpx2.Response:
            self.requests.append(request)
            return handler(request)

        def wait(seconds: float) -> None:
            self.waits.append(seconds)
            self.time += seconds

        async def sleep(seconds: float) -> None:
            wait(seconds)

        mock = httpx2.MockTransport(recorded)
        client = self.kind(**{"api_key": KEY, "transport": mock} | options)
        environment = Environment(
            clock=lambda: self.time, random=lambda: 0.5, batch_limits=self.batch_limits
        )
        if issubclass(self.kind, voyageai.Client):
            client._transport = Transport(http=mock, sleep=wait, environment=environment)
        else:
            client._transport = AsyncTransport(http=mock, sleep=sleep, environment=environment)
        return client

    def call(self, client: Any, method: str, *args: Any, **kwargs: Any) -> Any:
        """Call a method and return its result."""
        result = getattr(client, method)(*args, **kwargs)
        return asyncio.run(result) if asyncio.iscoroutine(result) else result

    @property
    def body(self) -> Any:
        """Return the JSON of the last request."""
        return json.loads(self.requests[-1].content)


@pytest.fixture(params=["Client", "AsyncClient"])
def face(request: pytest.FixtureRequest) -> Face:
    """Return one of the two clients."""
    return Face(request.param)


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Remove keys, paths and hosts from the environment and the module settings."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(voyageai, "api_key", None)
    monkeypatch.setattr(voyageai, "api_key_path", None)
    return


@pytest.fixture
def key() -> str:
    """Return the API key of the clients."""
    return KEY
