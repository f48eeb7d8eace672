"""Clients, transports and values of legacy `httpx`, the only version that many tools know."""

from __future__ import annotations

import asyncio
import gzip
import inspect
import sys
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import httpx2
import pytest
import voyageai
from voyageai import error
from voyageai_emulator import running
from voyageai_emulator.emulator import Emulator

from .conftest import KEY, Face, answer_to
from .file_server import FILE, LINE, done, jsonl

EMBED: dict[str, Any] = {"texts": ["a", "b"], "model": "voyage-4", "input_type": "document"}
LINES = jsonl(LINE, {**LINE, "custom_id": "b"})
QUICK = voyageai.RetryPolicy(max_retries=2, initial_delay=0.001)
Handler = Callable[[httpx.Request], httpx.Response]


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    """Run an emulator."""
    with running() as emulator:
        yield emulator


def answering(request: httpx.Request) -> httpx.Response:
    """Answer as the API would."""
    same = httpx2.Request(request.method, str(request.url), content=request.read())
    found = answer_to(same)
    return httpx.Response(found.status_code, headers=found.headers.raw, content=found.content)


def kind_of(face: Face) -> Any:
    """Return legacy httpx's client of the same kind."""
    return httpx.Client if face.kind is voyageai.Client else httpx.AsyncClient


def over(face: Face, way: str, handler: Handler) -> dict[str, Any]:
    """Return the argument that makes a client send through a handler."""
    mock = httpx.MockTransport(handler)
    return {way: kind_of(face)(transport=mock) if way == "http_client" else mock}


class Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A response body to read once, which raises exceptions among its pieces and counts closes."""

    def __init__(self, *pieces: bytes | Exception) -> None:
        self.pieces = iter(pieces)
        self.closed = 0

    def __iter__(self) -> Iterator[bytes]:
        for piece in self.pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece

    async def __aiter__(self) -> Any:
        for piece in self:
            yield piece

    def close(self) -> None:
        self.closed += 1

    async def aclose(self) -> None:
        self.closed += 1


class Reader(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport that reads request bodies like a real one, and gives these responses."""

    def __init__(self, *answers: httpx.Response) -> None:
        self.answers = list(answers)
        self.bodies: list[bytes] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(request.stream, httpx.SyncByteStream)
        self.bodies.append(b"".join(request.stream))
        return self.answers.pop(0)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(request.stream, httpx.AsyncByteStream)
        self.bodies.append(b"".join([piece async for piece in request.stream]))
        return self.answers.pop(0)


@pytest.fixture(params=["http_client", "transport"])
def way(request: pytest.FixtureRequest) -> str:
    """Return the name of an argument that takes a client or a transport."""
    return request.param


# Requests and responses


def test_a_call_is_sent_by_the_legacy_client(face, way):
    """Existing transports, such as a company's own or respx, work with legacy httpx only."""
    seen = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return answering(request)

    result = done(face.kind(KEY, **over(face, way, handle)).embed(**EMBED))

    assert [[0.0, 0.5], [1.0, 1.5]] == [list(vector) for vector in result]
    [request] = seen
    assert f"Bearer {KEY}" == request.headers["authorization"]
    assert 1 == len(request.headers.get_list("host")) == len(request.headers.get_list("user-agent"))
    assert str(len(request.content)) == request.headers["content-length"]
    assert "transfer-encoding" not in request.headers


def test_a_legacy_client_sends_what_httpx2_sends(face):
    """The same headers in the same order, so request matchers work with either library."""
    seen = []

    def handle(request: Any) -> Any:
        seen.append((request.method, str(request.url), request.headers.raw, request.content))
        return (answering if isinstance(request, httpx.Request) else answer_to)(request)

    for mock in (httpx.MockTransport(handle), httpx2.MockTransport(handle)):
        done(face.kind(KEY, transport=mock).embed(**EMBED))

    assert seen[1] == seen[0]


def test_a_real_client_talks_to_a_server(face, emulator):
    """The user's client keeps its pool and stays open, as other code may share it."""
    own = kind_of(face)()
    vo = face.kind(KEY, base_url=emulator.url, http_client=own)

    async def twice() -> list[Any]:
        async with own:
            return [await vo.embed(**EMBED), await vo.rerank("a", ["b", "a"], model="rerank-2.5")]

    if face.kind is voyageai.Client:
        with own:
            embedded, ranked = vo.embed(**EMBED), vo.rerank("a", ["b", "a"], model="rerank-2.5")
            vo.close()
            assert not own.is_closed
    else:
        embedded, ranked = asyncio.run(twice())

    assert [2, 1024] == [len(embedded), len(embedded.embeddings[0])]
    assert 1 == ranked.results[0].index


def test_files_go_up_and_come_down_in_pieces(face, emulator, tmp_path):
    """A file may be larger than memory."""
    (tmp_path / "lines.jsonl").write_bytes(LINES)

    def whole(vo: Any) -> Any:
        file = vo.files.upload(tmp_path / "lines.jsonl")
        return file, b"".join(vo.files.content(file.id).iter_bytes())

    async def awhole(vo: Any) -> Any:
        file = await vo.files.upload(tmp_path / "lines.jsonl")
        pieces = [piece async for piece in vo.files.content(file.id).iter_bytes()]
        return file, b"".join(pieces)

    async def within() -> Any:
        async with httpx.AsyncClient() as own:
            return await awhole(face.kind(KEY, base_url=emulator.url, http_client=own))

    if face.kind is voyageai.Client:
        with httpx.Client() as own:
            file, content = whole(face.kind(KEY, base_url=emulator.url, http_client=own))
    else:
        file, content = asyncio.run(within())

    assert [len(LINES), LINES] == [file.bytes, content]
    [sent] = emulator.requests.of("uploadFile")[-1:]
    assert sent.headers["content-length"].isdigit()
    assert "transfer-encoding" not in sent.headers


def test_an_upload_can_be_sent_again(face):
    """Both a retry and the answer to a digest challenge need the body again."""
    challenge = {"www-authenticate": 'Digest realm="r", nonce="n", qop="auth", algorithm=MD5'}
    reader = Reader(
        httpx.Response(429), httpx.Response(401, headers=challenge), httpx.Response(200, json=FILE)
    )
    own = kind_of(face)(transport=reader, auth=httpx.DigestAuth("user", "password"))
    done(face.kind(KEY, QUICK, http_client=own).files.upload(LINES))

    assert [True] * 3 == [LINES in body for body in reader.bodies]


def test_hooks_of_a_legacy_client_run_once_per_attempt(face):
    """Hooks log, count and sign requests, and may read the response's body."""
    seen, left = [], [503, 200]

    def asked(request: httpx.Request) -> None:
        request.headers["x-signed"] = "yes"

    def answered(response: httpx.Response) -> None:
        seen.append((response.status_code, response.request.headers["x-signed"], response.read()))

    async def aasked(request: httpx.Request) -> None:
        asked(request)

    async def aanswered(response: httpx.Response) -> None:
        await response.aread()
        answered(response)

    def handle(request: httpx.Request) -> httpx.Response:
        packed = gzip.compress(answering(request).content)
        headers = {"content-encoding": "gzip", "content-length": str(len(packed))}
        return httpx.Response(left.pop(0), headers=headers, stream=Body(packed))

    given = over(face, "http_client", handle)
    hooks = [asked, answered] if face.kind is voyageai.Client else [aasked, aanswered]
    given["http_client"].event_hooks = {"request": hooks[:1], "response": hooks[1:]}
    result = done(face.kind(KEY, QUICK, **given).embed(**EMBED))

    assert [(503, "yes"), (200, "yes")] == [one[:2] for one in seen]
    assert b'"list"' in seen[1][2]
    assert 2 == len(result)


def test_compressed_answers_are_read_once(face, way):
    """A body is decoded exactly once, whether the response was built from bytes or a stream."""

    def handle(request: httpx.Request) -> httpx.Response:
        packed = gzip.compress(answering(request).content)
        headers = {"content-encoding": "gzip"}
        if b'"a"' in request.content:
            return httpx.Response(200, headers=headers, content=packed)
        return httpx.Response(200, headers=headers, stream=Body(packed[:9], packed[9:]))

    for text in "ab":
        vo = face.kind(KEY, **over(face, way, handle))
        assert 1 == len(done(vo.embed([text], model="voyage-4", input_type="query")))


def test_answers_are_closed(face, way):
    """Every response that stays open would hold a connection of the pool, whatever its outcome."""
    bodies: list[Body] = []

    def answers(status: int, *pieces: bytes | Exception) -> Any:
        def handle(request: httpx.Request) -> httpx.Response:
            bodies.append(Body(*(pieces or [answering(request).content])))
            return httpx.Response(status, stream=bodies[-1])

        return face.kind(KEY, **over(face, way, handle))

    done(answers(200).embed(**EMBED))
    with pytest.raises(error.ServerError):
        done(answers(500).embed(**EMBED))
    with pytest.raises(error.APIConnectionError):
        done(answers(200, b"{", httpx.ReadError("reset")).embed(**EMBED))

    vo = answers(200, b"a", b"b")

    async def first() -> bytes:
        async with vo.files.content("file-1") as content:
            async for piece in content.iter_bytes():
                return piece
        return b""

    if face.kind is voyageai.Client:
        with vo.files.content("file-1") as content:
            assert b"a" == next(iter(content.iter_bytes()))
    else:
        assert b"a" == asyncio.run(first())
    assert [True] * 4 == [body.closed > 0 for body in bodies]


# Failures


def failures(library: Any) -> dict[str, type[Exception]]:
    """Return all exceptions for requests by name."""
    kinds = {name: getattr(library, name) for name in library.__all__}
    return {
        name: kind
        for name, kind in kinds.items()
        if inspect.isclass(kind) and issubclass(kind, library.RequestError)
    }


def test_every_legacy_exception_has_a_counterpart():
    """A new exception of legacy httpx would otherwise pass through unconverted."""
    assert set() == failures(httpx).keys() - failures(httpx2).keys()


@pytest.mark.parametrize("name", failures(httpx))
def test_an_exception_becomes_that_of_the_same_name(face, way, name):
    """Users' error handling and retries do not depend on the HTTP library."""

    def raised(library: Any, given: dict[str, Any]) -> tuple[Any, ...]:
        with pytest.raises(error.VoyageError) as caught:
            done(face.kind(KEY, QUICK, **given).embed(**EMBED))
        found = caught.value
        assert failures(library)[name] is type(found.__cause__)
        return type(found), str(found), found.attempts, found.outcome_unknown

    def handle(request: Any) -> Any:
        library = httpx if isinstance(request, httpx.Request) else httpx2
        raise getattr(library, name)("no", request=request)

    expected = raised(httpx2, {"transport": httpx2.MockTransport(handle)})
    assert expected == raised(httpx2, over(face, way, handle))
    assert 3 == expected[2]


def test_a_derived_exception_becomes_its_base_classs_counterpart(face, way):
    """Companies derive exceptions of their own in their transports."""

    class GatewayTimeout(httpx.ReadTimeout):
        """An exception that a company derives."""

    def handle(request: httpx.Request) -> httpx.Response:
        raise GatewayTimeout("late", request=request)

    with pytest.raises(error.Timeout, match="ReadTimeout late"):
        done(face.kind(KEY, **over(face, way, handle)).embed(**EMBED))


def test_a_body_that_breaks_off_is_a_connection_error(face, way):
    """The call is retried as if the connection had never opened."""
    left = [Body(b"{", httpx.RemoteProtocolError("cut")), None]

    def handle(request: httpx.Request) -> httpx.Response:
        body = left.pop(0)
        return answering(request) if body is None else httpx.Response(200, stream=body)

    assert 2 == len(done(face.kind(KEY, QUICK, **over(face, way, handle)).embed(**EMBED)))
    assert [] == left


def test_a_server_that_fails_is_asked_again(face, emulator):
    """Retries also work over real connections that break."""
    emulator.faults.next("status", status=503)
    emulator.faults.next("reset_before")
    emulator.faults.next("truncated")
    policy = voyageai.RetryPolicy(max_retries=3, initial_delay=0.001)

    async def call() -> Any:
        async with httpx.AsyncClient() as own:
            return await face.kind(KEY, policy, base_url=emulator.url, http_client=own).embed(
                **EMBED
            )

    before = len(emulator.requests)
    if face.kind is voyageai.Client:
        with httpx.Client() as own:
            result = face.kind(KEY, policy, base_url=emulator.url, http_client=own).embed(**EMBED)
    else:
        result = asyncio.run(call())

    assert 2 == len(result)
    assert 4 == len(emulator.requests) - before


@pytest.mark.parametrize("status", [401, None])
def test_the_key_is_in_no_traceback(face, way, status):
    """Error trackers keep the local variables of each frame, also those of causes."""

    def handle(request: httpx.Request) -> httpx.Response:
        if status is None:
            raise httpx.ConnectError("no", request=request)
        return httpx.Response(status, json={"detail": "no"})

    with pytest.raises(error.VoyageError) as caught:
        done(face.kind(KEY, **over(face, way, handle)).embed(**EMBED))

    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    frames = [line for line in shown.format() if "/voyageai/" in line or "/httpx/" in line]
    assert frames
    assert not [line for line in frames if KEY in line]


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_a_closed_client_says_so(face, library):
    """Using a closed client is a bug in the program, not a network failure to be retried."""
    own = library.Client() if face.kind is voyageai.Client else library.AsyncClient()
    done(own.close() if face.kind is voyageai.Client else own.aclose())

    with pytest.raises(error.ArgumentError, match=r"the http_client that was given .* is closed"):
        done(face.kind(KEY, QUICK, http_client=own).embed(**EMBED))


# Values


def test_a_legacy_timeout_bounds_the_phases(face):
    """Existing programs often have an `httpx.Timeout` at hand."""
    seen = []

    def handle(request: httpx2.Request) -> httpx2.Response:
        seen.append(request.extensions["timeout"])
        return answer_to(request)

    timeout = httpx.Timeout(7, connect=2)
    vo = face.kind(KEY, timeout=timeout, transport=httpx2.MockTransport(handle))
    done(vo.embed(**EMBED))
    done(vo.embed(**EMBED, timeout=httpx.Timeout(3)))

    assert [timeout.as_dict(), httpx.Timeout(3).as_dict()] == seen


def test_a_legacy_client_gets_the_timeouts(face, way):
    """The timeouts of a legacy client would otherwise end long calls."""
    seen = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request.extensions["timeout"])
        return answering(request)

    given = over(face, way, handle)
    done(face.kind(KEY, timeout=httpx2.Timeout(7, connect=2), **given).embed(**EMBED))

    assert [httpx.Timeout(7, connect=2).as_dict()] == seen


def test_legacy_limits_bound_the_pool(face, emulator):
    """With one connection, two concurrent calls take turns."""
    vo = face.kind(KEY, base_url=emulator.url, limits=httpx.Limits(max_connections=1))

    async def both() -> Any:
        async with vo:
            return await asyncio.gather(vo.embed(**EMBED), vo.embed(**EMBED))

    if face.kind is voyageai.Client:
        with vo:
            results = [vo.embed(**EMBED), vo.embed(**EMBED)]
    else:
        results = asyncio.run(both())

    assert results[0] == results[1]


# Refused arguments


class Session:
    """An object with the methods of a `requests` session, but not a transport."""

    def send(self, request: Any, **options: Any) -> None: ...


REFUSED = {
    "Client": [
        *(httpx.AsyncClient, httpx2.AsyncClient, httpx.AsyncHTTPTransport, Session),
        lambda: httpx.Client,
        lambda: httpx2.Client,
        lambda: httpx2.HTTPTransport,
        lambda: "http://localhost",
    ],
    "AsyncClient": [
        *(httpx.Client, httpx2.Client, httpx.HTTPTransport, Session),
        lambda: httpx.AsyncClient,
        lambda: httpx2.AsyncClient,
        lambda: httpx2.AsyncHTTPTransport,
        lambda: "http://localhost",
    ],
}


@pytest.mark.parametrize(
    ("name", "make"),
    [(name, make) for name, kinds in REFUSED.items() for make in kinds],
)
def test_a_wrong_kind_is_refused_when_the_client_is_made(way, name, make):
    """At the first call the error would be a puzzling AttributeError."""
    given = make()
    kind = given if isinstance(given, type) else type(given)

    with pytest.raises(error.ArgumentError, match=f"(?m)not .*{kind.__qualname__}$") as caught:
        getattr(voyageai, name)(KEY, **{way: given})
    assert "http_client" == caught.value.argument
    assert f"voyageai.{name} takes an httpx2.{name} or a transport of it" in str(caught.value)


def test_either_argument_takes_either(face):
    """Users can pass a client or a transport as either argument."""
    mock = httpx.MockTransport(answering)

    assert 2 == len(done(face.kind(KEY, http_client=mock).embed(**EMBED)))
    assert 2 == len(done(face.kind(KEY, transport=kind_of(face)(transport=mock)).embed(**EMBED)))


def test_legacy_httpx_is_not_required(monkeypatch, face):
    """legacy httpx is not a dependency, and works without being importable."""
    monkeypatch.setitem(sys.modules, "httpx", None)

    assert 2 == len(done(face.client().embed(**EMBED)))
    with pytest.raises(error.ArgumentError):
        face.kind(KEY, http_client=Session())
