"""Calls and answers whose outcome was observed with the official client, and how to observe one.

Runs with either client, so it imports neither and nothing but the standard library.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import threading
import warnings
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "pa-recorded"
USAGE = {"total_tokens": 7}
MEDIA_USAGE = {"text_tokens": 5, "image_pixels": 50, "video_pixels": 0, "total_tokens": 7}
HEADERS = re.compile(r"\{'Server': .*\}|<CIMultiDictProxy.*>")


def packed(numbers: list[float], kind: str = "f") -> str:
    """Return a vector in the base64 form of the API."""
    return base64.b64encode(array(kind, numbers).tobytes()).decode()


@dataclass(frozen=True)
class Case:
    """A call, and the responses of the server.

    Attributes:
        id: Its name.
        method: Method of the client.
        given: Makes the keyword arguments anew.
        status: Status of the answer.
        answer: Body of the answer, as text or to be written as JSON; made from the request's by
            default.
        kind: Content type of the answer.
        settings: Keyword arguments of the client.
    """

    id: str
    method: str
    given: Callable[[], dict[str, Any]]
    status: int = 200
    answer: Any = None
    kind: str = "application/json"
    settings: dict[str, Any] = field(default_factory=dict)


def right_answer(path: str, body: Any) -> Any:
    """Answer roughly as the API would: vector i is [i, i + 0.5]."""

    def entry(place: int, number: float) -> dict[str, Any]:
        kind = {"int8": "b", "binary": "b", "uint8": "B", "ubinary": "B"}.get(
            body.get("output_dtype"), "f"
        )
        numbers = [number, number + 0.5] if kind == "f" else [int(number), 7]
        return {"object": "embedding", "embedding": packed(numbers, kind), "index": place}

    data: list[Any]
    usage: dict[str, int] = USAGE
    match path.rsplit("/", 1)[-1]:
        case "embeddings":
            count = 1 if isinstance(body["input"], str) else len(body["input"])
            data = [entry(n, n) for n in range(count)]
        case "multimodalembeddings":
            data = [entry(n, n) for n in range(len(body["inputs"]))]
            usage = MEDIA_USAGE
        case "contextualizedembeddings":
            data = [
                {
                    "object": "list",
                    "index": n,
                    "data": [entry(m, n + m) for m in range(len(chunks))],
                }
                for n, chunks in enumerate(body["inputs"])
            ]
        case _:
            count = len(body["documents"])
            data = [{"index": n, "relevance_score": n / 8} for n in reversed(range(count))]
    return {"object": "list", "data": data, "model": body["model"], "usage": usage}


class Recorder:
    """A server that gives the responses of the current case, and records requests."""

    def __init__(self) -> None:
        self.case: Case | None = None
        self.requests: list[dict[str, Any]] = []
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers.get("content-length", 0)))
                try:
                    body = json.loads(raw)
                except ValueError:
                    body = raw.decode("latin-1")
                recorder.requests.append({"path": self.path, "body": body})
                case = recorder.case
                assert case is not None
                answer = right_answer(self.path, body) if case.answer is None else case.answer
                text = answer if isinstance(answer, str) else json.dumps(answer)
                sent = text.encode()
                self.send_response(case.status)
                self.send_header("content-type", case.kind)
                if case.status not in (204, 304):
                    self.send_header("content-length", str(len(sent)))
                self.end_headers()
                if case.status not in (204, 304):
                    self.wfile.write(sent)

            def log_message(self, *given: Any) -> None:
                """Keep the server quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"

    @contextmanager
    def running(self) -> Iterator[Recorder]:
        """Serve inside a `with` block."""
        thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()


def observe(module: Any, kind: str, case: Case, recorder: Recorder) -> dict[str, Any]:
    """Run a case; return its requests, its warnings, and its result or error.

    Args:
        module: The package `voyageai`.
        kind: `Client` or `AsyncClient`.
        case: The case.
        recorder: The server.
    """
    recorder.case, recorder.requests = case, []
    outcome: dict[str, Any] = {}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            client = getattr(module, kind)(
                **{"api_key": KEY, "base_url": recorder.url} | case.settings
            )
            answer = getattr(client, case.method)(**case.given())
            if asyncio.iscoroutine(answer):
                answer = asyncio.run(_closed(client, answer))
            outcome["result"] = shown(answer)
        except Exception as error:  # noqa: BLE001  # whatever it is is what is recorded
            outcome["error"] = shown_error(error)
    outcome["requests"] = recorder.requests
    outcome["warnings"] = sorted(
        {
            f"{one.category.__name__}: {one.message}"
            for one in caught
            if issubclass(one.category, UserWarning)
        }
    )
    return outcome


async def _closed(client: Any, answer: Any) -> Any:
    try:
        return await answer
    finally:
        if hasattr(client, "aclose"):
            await client.aclose()


def shown_error(error: Exception) -> dict[str, Any]:
    """Return an exception as data."""
    try:
        message = str(error)
    except TypeError as broken:
        message = f"<str() raises {type(broken).__name__}>"
    return {
        "classes": [kind.__name__ for kind in type(error).__mro__[:-2]],
        "message": message,
        "http_status": getattr(error, "http_status", None),
        "json_body": getattr(error, "json_body", None),
    }


ATTRIBUTES = (
    *("embeddings", "total_tokens", "text_tokens", "image_pixels", "video_pixels"),
    *("chunk_texts", "chunker_version"),
)


def shown(result: Any) -> Any:
    """Return a result as data."""
    if result is None or isinstance(result, (int, str)):
        return result
    found = {name: getattr(result, name) for name in ATTRIBUTES if hasattr(result, name)}
    if hasattr(result, "results"):
        found["results"] = [
            {
                name: getattr(one, name)
                for name in ("index", "embeddings", "chunk_texts", "document", "relevance_score")
                if hasattr(one, name)
            }
            for one in result.results
        ]
    return {"class": type(result).__name__, **found}


def _text(*texts: str) -> dict[str, Any]:
    return {"texts": list(texts or ("a", "b")), "model": "voyage-4", "input_type": "document"}


def _bodies() -> Iterator[Case]:
    def case(name: str, method: str, **given: Any) -> Case:
        return Case(f"body/{method}/{name}", method, lambda: dict(given))

    texts = {"texts": ["a", "b"], "model": "voyage-4"}
    yield case("plain", "embed", **texts)
    for input_type in ("query", "document", None):
        yield case(f"input_type={input_type}", "embed", **texts, input_type=input_type)
    for truncation in (True, False):
        yield case(f"truncation={truncation}", "embed", **texts, truncation=truncation)
    for dtype in ("float", "int8", "uint8", "binary", "ubinary"):
        yield case(f"output_dtype={dtype}", "embed", **texts, output_dtype=dtype)
    yield case("a string", "embed", texts="a", model="voyage-4")
    yield case("no model", "embed", texts=["a"])
    yield case("unicode", "embed", texts=["日本", "🌧"], model="voyage-4")
    yield case("a tuple", "embed", texts=("a", "b"), model="voyage-4")
    yield case("an empty list", "embed", texts=[], model="voyage-4")
    yield case("an empty text", "embed", texts=[""], model="voyage-4")
    yield case("an unknown model", "embed", texts=["a"], model="voyage-99")
    yield case("an unknown dtype", "embed", texts=["a"], model="voyage-4", output_dtype="float32")
    yield case("an unknown input_type", "embed", **texts, input_type="passage")
    yield case("an unknown dimension", "embed", **texts, output_dimension=300)
    yield case("a dimension as text", "embed", **texts, output_dimension="256")
    yield case("a text that is none", "embed", texts=["a", None], model="voyage-4")
    yield case("texts that are no list", "embed", texts={"a": 1}.keys(), model="voyage-4")
    yield case("too many texts", "embed", texts=["a"] * 1001, model="voyage-4")
    ranked = {"query": "q", "documents": ["a", "b", "c"], "model": "rerank-2.5"}
    yield case("plain", "rerank", **ranked)
    yield case("an empty list", "rerank", **ranked | {"documents": []})
    yield case("a document that is none", "rerank", **ranked | {"documents": ["a", None]})
    yield case("top_k of 0", "rerank", **ranked, top_k=0)
    yield case("more top_k than documents", "rerank", **ranked, top_k=9)
    yield case("an empty query", "rerank", **ranked | {"query": ""})
    yield case("top_k", "rerank", **ranked, top_k=3)
    yield case("truncation=False", "rerank", **ranked, truncation=False)
    chunks = {"inputs": [["a", "b"], ["c"]], "model": "voyage-context-3"}
    context = "contextualized_embed"
    yield case("plain", context, **chunks)
    yield case("document", context, **chunks, input_type="document")
    yield case("int8", context, **chunks, output_dtype="int8")
    yield case(
        "flat queries", context, inputs=["a", "b"], model="voyage-context-3", input_type="query"
    )
    yield case("chunk_fn", context, **chunks, chunk_fn=lambda text: [text, text + "!"])
    yield case(
        "chunk_fn leaves out", context, **chunks | {"inputs": [["", "a b"]]}, chunk_fn=str.split
    )
    yield case("tuples", context, **chunks | {"inputs": (("a", "b"), ("c",))})
    yield case("an empty chunk", context, **chunks | {"inputs": [["a", ""]]})
    yield case("an empty document", context, **chunks | {"inputs": [[], ["a"]]})
    auto = {"input_type": "document", "enable_auto_chunking": True}
    yield case("auto-chunking", context, inputs=[["a"], ["b"]], model="voyage-context-3", **auto)
    yield case("auto-chunking flat", context, inputs=["a", "b"], model="voyage-context-3", **auto)
    yield case("auto-chunking sizes", context, inputs=["a"], model="voyage-context-3", chunk_size=64, chunk_overlap=8, **auto)  # fmt: skip
    for name, given in {
        "chunk_fn and auto-chunking": {"chunk_fn": list, **auto},
        "chunk_size without auto-chunking": {"chunk_size": 8},
        "overlap not below size": {"chunk_size": 8, "chunk_overlap": 8, **auto},
        "size below 1": {"chunk_size": 0, **auto},
        "overlap below 0": {"chunk_size": 8, "chunk_overlap": -1, **auto},
        "overlap without size": {"chunk_overlap": 4, **auto},
        "auto-chunking of queries": {"enable_auto_chunking": True, "input_type": "query"},
        "auto-chunking of chunks": auto,
    }.items():
        yield case(name, context, **chunks, **given)
    yield case("no inputs", context, inputs=[], model="voyage-context-3")
    yield case("flat without input_type", context, inputs=["a"], model="voyage-context-3")
    media = "multimodal_embed"
    content = [
        {"type": "text", "text": "a"},
        {"type": "image_url", "image_url": "https://e.test/a.png"},
    ]
    yield case("dicts", media, inputs=[{"content": content}], model="voyage-multimodal-3.5")
    yield case("lists", media, inputs=[["a"], ["b"]], model="voyage-multimodal-3.5")
    yield case("an empty text", media, inputs=[[""]], model="voyage-multimodal-3.5")
    yield case(
        "an unknown input_type",
        media,
        inputs=[["a"]],
        model="voyage-multimodal-3.5",
        input_type="passage",
    )
    yield case("int8", media, inputs=[["a"]], model="voyage-multimodal-3.5", output_dtype="int8")
    yield case(
        "extra keys", media, inputs=[{"content": content, "note": 1}], model="voyage-multimodal-3.5"
    )
    for name, inputs in {
        "no inputs": [],
        "a tuple": (["a"],),
        "a string": "a",
        "mixed": [["a"], {"content": content}],
        "empty content": [{"content": []}],
        "no content": [{"text": "a"}],
        "unknown part": [{"content": [{"type": "audio", "audio": "a"}]}],
        "extra key in a part": [{"content": [{"type": "text", "text": "a", "lang": "en"}]}],
        "a number": [[3]],
    }.items():
        yield case(name, media, inputs=inputs, model="voyage-multimodal-3.5")

    def picture() -> dict[str, Any]:
        from PIL import Image

        image = Image.new("RGB", (3, 2), "red")
        image.putpixel((1, 1), (0, 128, 255))
        return {"inputs": [["a", image]], "model": "voyage-multimodal-3.5"}

    yield Case("body/multimodal_embed/an image", media, picture)

    def of_mode(mode: str) -> Callable[[], dict[str, Any]]:
        def given() -> dict[str, Any]:
            made = picture()
            made["inputs"][0][1] = made["inputs"][0][1].convert(mode)
            return made

        return given

    for mode in ("1", "L", "P", "CMYK", "I", "F", "RGBA", "LA"):
        yield Case(f"body/multimodal_embed/an image of mode {mode}", media, of_mode(mode))


def _statuses() -> Iterator[Case]:
    codes = [400, 401, 402, 403, 404, 405, 408, 409, 413, 418, 422, 429, 500, 501, 502, 503, 504, 520, 529]  # fmt: skip
    for status in codes:
        yield Case(f"status/{status}", "embed", _text, status, {"detail": "What is wrong."})
    yield Case("status/204", "embed", _text, 204, "")
    for status in (400, 401, 429, 500, 503):
        yield Case(f"status/{status} html", "embed", _text, status, "<html>no</html>", "text/html")
        yield Case(f"status/{status} empty", "embed", _text, status, "")
        yield Case(
            f"status/{status} no detail", "embed", _text, status, {"error": {"message": "m"}}
        )
        yield Case(f"status/{status} list", "embed", _text, status, ["a"])
    detail = [{"loc": ["body", "input"], "msg": "field required", "type": "missing"}]
    for status in (400, 422):
        yield Case(f"status/{status} detail list", "embed", _text, status, {"detail": detail})


def _results() -> Iterator[Case]:
    def vectors(*entries: Any, **more: Any) -> dict[str, Any]:
        data = [
            {"object": "embedding", "embedding": value, "index": place} for place, value in entries
        ]
        return {"object": "list", "data": data, "model": "voyage-4", "usage": USAGE, **more}

    def case(name: str, answer: Any, method: str = "embed", **given: Any) -> Case:
        return Case(
            f"result/{method}/{name}", method, lambda: dict(given) or _text(), answer=answer
        )

    one, two = packed([0.25, -1.0]), packed([3.0, 4.5])
    yield case("base64", vectors((0, one), (1, two)))
    yield case("lists of floats", vectors((0, [0.1, 0.2]), (1, [0.3, 0.4])))
    yield case("out of order", vectors((1, two), (0, one)))
    yield case("an index twice", vectors((0, one), (0, two)))
    yield case("too few", vectors((0, one)))
    yield case("bad base64", vectors((0, "?"), (1, two)))
    yield case("no data", {"object": "list", "usage": USAGE})
    yield case("no usage", {"object": "list", "data": []})
    yield case("an empty object", {})
    yield case("a list", [])
    yield case("null data", {"object": "list", "data": None, "usage": USAGE})
    yield Case("result/embed/text", "embed", _text, answer="hello", kind="text/plain")
    ranked = {"query": "q", "documents": ["a", "b"], "model": "rerank-2.5"}

    def ranking(*entries: tuple[int, float]) -> dict[str, Any]:
        data = [{"index": index, "relevance_score": score} for index, score in entries]
        return {"object": "list", "data": data, "model": "rerank-2.5", "usage": USAGE}

    yield case("in the server's order", ranking((1, 0.25), (0, 0.75)), "rerank", **ranked)
    yield case("an index of no document", ranking((1, 0.5), (2, 0.25)), "rerank", **ranked)
    media = {"inputs": [["a"]], "model": "voyage-multimodal-3.5"}
    yield case("usage", vectors((0, one), usage=MEDIA_USAGE), "multimodal_embed", **media)
    no_video = {name: value for name, value in MEDIA_USAGE.items() if name != "video_pixels"}
    yield case("no video_pixels", vectors((0, one), usage=no_video), "multimodal_embed", **media)
    chunked = {
        "inputs": ["a", "b"],
        "model": "voyage-context-3",
        "input_type": "document",
        "enable_auto_chunking": True,
    }

    def documents(*texts: list[str | None], **more: Any) -> dict[str, Any]:
        data = [
            {
                "object": "list",
                "index": place,
                "data": [
                    {"object": "embedding", "embedding": one, "index": number}
                    | ({} if text is None else {"text": text})
                    for number, text in enumerate(chunks)
                ],
            }
            for place, chunks in enumerate(texts)
        ]
        return {"object": "list", "data": data, "model": "m", "usage": USAGE, **more}

    context = "contextualized_embed"
    yield case(
        "chunk texts", documents(["a1", "a2"], ["b1"], chunker_version="1.0.0"), context, **chunked
    )
    yield case("some texts missing", documents(["a1", None], ["b1"]), context, **chunked)
    yield case("a document without texts", documents(["a1"], [None]), context, **chunked)


def _settings() -> Iterator[Case]:
    for name, given in {
        "max_retries=None": {"max_retries": None},
        "max_retries=-1": {"max_retries": -1},
        "timeout=0": {"timeout": 0},
        "timeout of two": {"timeout": (3, 5)},
        "timeout below 0": {"timeout": -1},
    }.items():
        yield Case(f"settings/{name}", "embed", _text, settings=given)


def _retries() -> Iterator[Case]:
    yield Case("retries/none by default", "embed", _text, 503, {"detail": "busy"})
    yield Case(
        "retries/max_retries=1",
        "embed",
        _text,
        503,
        {"detail": "busy"},
        settings={"max_retries": 1},
    )
    yield Case(
        "retries/400 is not retried",
        "embed",
        _text,
        400,
        {"detail": "no"},
        settings={"max_retries": 3},
    )


def official(outcome: dict[str, Any]) -> dict[str, Any]:
    """Return an outcome without parts that depend on the day, the port or the HTTP library."""
    error = outcome.get("error")
    if error:
        error["message"] = HEADERS.sub("<headers>", error["message"])
    return outcome


CASES = {
    one.id: one for make in (_bodies, _statuses, _results, _settings, _retries) for one in make()
}
