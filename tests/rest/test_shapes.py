"""Reading any response gives the model, or a typed error that says what is wrong and where."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest
from hypothesis import example as with_example
from hypothesis import given
from hypothesis import strategies as st
from voyageai_rest import models
from voyageai_rest.api.embeddings import create_contextualized_embeddings, create_embeddings
from voyageai_rest.api.files import list_files
from voyageai_rest.api.reranking import rerank
from voyageai_rest.errors import MalformedResponse, ResponseError, ShapeError
from voyageai_rest.operations import OPERATIONS, Operation
from voyageai_rest.status import StatusError

ModuleOf = Callable[[Operation], ModuleType]

VECTOR = {"object": "embedding", "embedding": [0.6, 0.8], "index": 0}
VECTORS = {"object": "list", "data": [VECTOR] * 5, "model": "m", "usage": {"total_tokens": 1}}
DOCUMENTS = {**VECTORS, "data": [{"object": "list", "data": [VECTOR] * 3, "index": 0}] * 2}
RANKING = {**VECTORS, "data": [{"index": 0, "relevance_score": 0.5}] * 2}
FILE = {
    "id": "a",
    "bytes": 1,
    "created_at": "2025-12-01T12:00:00Z",
    "filename": "b",
    "purpose": "batch",
}
FILES = {"object": "list", "data": [FILE] * 2, "has_more": False}

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
times = st.datetimes().map(str) | st.from_regex(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|\.\d+Z)?")
json_values = st.recursive(
    scalars | times,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
statuses = st.integers(min_value=100, max_value=599)
operations = st.sampled_from(OPERATIONS)  # all are of one template


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Return every path in a JSON value, outermost first."""
    yield path
    if isinstance(value, (dict, list)):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[key], (*path, key))


def changed(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """Return a copy with another value at a path."""
    if not path:
        return new
    value = json.loads(json.dumps(value))  # no two entries are one object
    target = value
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = new
    return value


def without(value: Any, *path: Any) -> Any:
    """Return a copy without a field."""
    value = json.loads(json.dumps(value))  # no two entries are one object
    target = value
    for key in path[:-1]:
        target = target[key]
    del target[path[-1]]
    return value


@pytest.mark.parametrize(
    ("operation_module", "body", "reason"),
    [
        (create_embeddings, [], "the whole body: expected an object, found a list"),
        (create_embeddings, None, "the whole body: expected an object, found null"),
        (create_embeddings, without(VECTORS, "data"), "data: missing"),
        (create_embeddings, without(VECTORS, "usage"), "usage: missing"),
        (
            create_embeddings,
            changed(VECTORS, ("data",), {}),
            "data: expected a list, found an object",
        ),
        (
            create_embeddings,
            changed(VECTORS, ("data", 3, "index"), "3"),
            "data[3].index: expected an integer, found a string",
        ),
        (
            create_embeddings,
            changed(VECTORS, ("data", 3, "index"), True),
            "data[3].index: expected an integer, found a boolean",
        ),
        (
            create_embeddings,
            changed(VECTORS, ("data", 3, "index"), 0.5),
            "data[3].index: expected an integer, found a number",
        ),
        (create_embeddings, without(VECTORS, "data", 4, "index"), "data[4].index: missing"),
        (
            create_embeddings,
            changed(VECTORS, ("data", 0, "embedding"), None),
            "data[0].embedding: expected a string, found null; or expected a list, found null",
        ),
        (
            create_embeddings,
            changed(VECTORS, ("data", 1), "x"),
            "data[1]: expected an object, found a string",
        ),
        (
            create_embeddings,
            changed(VECTORS, ("usage", "total_tokens"), None),
            "usage.total_tokens: expected an integer, found null",
        ),
        (
            create_contextualized_embeddings,
            without(DOCUMENTS, "data", 1, "data", 2, "embedding"),
            "data[1].data[2].embedding: missing",
        ),
        (
            rerank,
            changed(RANKING, ("data", 1, "relevance_score"), "high"),
            "data[1].relevance_score: expected a number, found a string",
        ),
        (
            list_files,
            changed(FILES, ("data", 1, "created_at"), "yesterday"),
            "data[1].created_at: expected a time, found 'yesterday'",
        ),
        (
            list_files,
            changed(FILES, ("data", 1, "created_at"), 1764590400),
            "data[1].created_at: expected a string, found a number",
        ),
        (
            list_files,
            changed(FILES, ("has_more",), "no"),
            "has_more: expected a boolean, found a string",
        ),
    ],
)
def test_the_message_names_the_place(
    operation_module: Any, body: Any, reason: str, raw: type
) -> None:
    """A user sees which of a thousand entries is broken."""
    response = raw(200, json.dumps(body).encode(), {})
    with pytest.raises(MalformedResponse) as caught:
        operation_module.parse_response(response)
    assert reason == caught.value.reason
    assert f"HTTP 200: {reason}" == str(caught.value)
    assert isinstance(caught.value.__cause__, ShapeError)


def test_unbroken_bodies_are_read(raw: type) -> None:
    """Otherwise the bodies above could fail for another reason."""
    for module, body in (
        (create_embeddings, VECTORS),
        (create_contextualized_embeddings, DOCUMENTS),
        (rerank, RANKING),
        (list_files, FILES),
    ):
        assert module.parse_response(raw(200, json.dumps(body).encode(), {})).data


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html><body>Bad gateway</body></html>",
        b"{",
        b"\xff\xfe\xfd",
        b'{"a": "\xff"}',
        b"[" * 100_000,
        b"9" * 10_000,
        b"\x00",
        b"\xef\xbb\xbf{",
    ],
    ids=["empty", "html", "cut", "bytes", "latin", "deep", "long-number", "nul", "bom"],
)
def test_a_body_that_is_not_json_is_malformed(content: bytes, raw: type) -> None:
    """Proxies answer with HTML or nothing."""
    with pytest.raises(MalformedResponse, match="the body is not JSON") as caught:
        create_embeddings.parse_response(raw(200, content, {"x-request-id": "r-1"}))
    assert content == caught.value.content
    assert "r-1" == caught.value.request_id


def parse(operation: Operation, module_of: ModuleOf, response: Any) -> Any:
    """Return the model, or None for either of the two expected errors."""
    try:
        parsed = module_of(operation).parse_response(response)
    except (StatusError, MalformedResponse) as caught:
        error: ResponseError = caught
    else:
        assert 200 == response.status_code
        return parsed
    assert (response.status_code, response.content) == (error.status_code, error.content)
    assert isinstance(error, StatusError) == (response.status_code != 200)
    assert str(response.status_code) in str(error)
    return None


@given(operation=operations, status=statuses, content=st.binary(max_size=200))
def test_any_bytes_with_any_status_give_the_model_or_a_typed_error(
    module_of: ModuleOf, raw: type, operation: Operation, status: int, content: bytes
) -> None:
    """Users can list every exception that they have to catch."""
    parse(operation, module_of, raw(status, content, {}))


@given(operation=operations, status=st.just(200) | statuses, body=json_values)
def test_any_json_with_any_status_gives_the_model_or_a_typed_error(
    module_of: ModuleOf, raw: type, operation: Operation, status: int, body: Any
) -> None:
    """The same holds for bodies that are valid JSON."""
    parse(operation, module_of, raw(status, json.dumps(body).encode(), {}))


@given(operation=operations, data=st.data())
def test_a_body_with_anything_anywhere_gives_the_model_or_a_typed_error(
    module_of: ModuleOf, raw: type, contract: Any, operation: Operation, data: st.DataObject
) -> None:
    """Nearly right bodies reach every parser, and an accepted one can be written again."""
    schema = contract.answer(operation)
    body = contract.example(schema) if schema else {}
    path = data.draw(st.sampled_from(list(places(body))))
    body = changed(body, path, data.draw(json_values))
    parsed = parse(operation, module_of, raw(200, json.dumps(body).encode(), {}))
    if isinstance(parsed, models.Embedding.__base__):
        written = parsed.to_dict()
        assert type(parsed).from_dict(json.loads(json.dumps(written))) == parsed


@given(body=json_values, status=statuses.filter(lambda status: status != 200))
@with_example(body={"detail": "x"}, status=520)
def test_any_error_body_gives_a_status_error(raw: type, body: Any, status: int) -> None:
    """An unreadable body must not hide the status."""
    response = raw(status, json.dumps(body).encode(), {})
    with pytest.raises(StatusError) as caught:
        create_embeddings.parse_response(response)
    detail = body.get("detail") if isinstance(body, dict) else None
    expected = str(detail) if isinstance(detail, (str, list)) else "the body does not say why"
    assert expected == caught.value.reason


@pytest.mark.parametrize(
    ("start", "end"), [(b"[", b"]"), (b'{"a": ', b"}")], ids=["lists", "objects"]
)
def test_deep_bodies_give_typed_errors_and_models_that_can_be_shown(
    start: bytes, end: bytes, raw: type
) -> None:
    """Decoding and repr fail at different depths, so several are tried."""
    for depth in (*range(300, 1100), 5_000, 100_000):
        deep = start * depth + b"1" + end * depth
        with pytest.raises(StatusError):
            create_embeddings.parse_response(raw(500, b'{"detail": [' + deep + b"]}", {}))
        content = b'{"data": [], "usage": {"total_tokens": 1}, "x": ' + deep + b"}"
        try:
            parsed = create_embeddings.parse_response(raw(200, content, {}))
        except MalformedResponse:
            continue
        assert 300 > len(repr(parsed))


def test_every_operation_is_tried() -> None:
    """Each test above runs for every operation."""
    assert 14 <= len(OPERATIONS)
    assert issubclass(StatusError, ResponseError)
