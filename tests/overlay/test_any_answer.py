"""For any response, a method returns a result or raises a VoyageError."""

from __future__ import annotations

import json

import httpx2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from voyageai.error import VoyageError

from .conftest import Face, answer_to
from .test_results import CALLS

ANY = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
NAMES = st.sampled_from(["Client", "AsyncClient"])
ANY_CALL = st.sampled_from(CALLS)
STATUSES = st.integers(200, 599)
HEADERS = st.dictionaries(
    st.sampled_from(["content-type", "retry-after", "retry-after-ms", "x-should-retry", "x-request-id"]),
    st.text(st.characters(codec="latin-1", categories=["L", "N", "P"]), max_size=30),
)  # fmt: skip


def answered(face, method, arguments, response):
    """Call a method that gets this response; any exception but a VoyageError fails the test."""
    failure = None
    try:
        face.call(face.client(lambda request: response()), method, **arguments)
    except VoyageError as raised:
        failure = raised
    if failure is not None:
        assert str(failure)
        assert repr(failure)


@ANY
@given(
    name=NAMES,
    call=ANY_CALL,
    status=STATUSES,
    content=st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()),
    headers=HEADERS,
)
def test_any_bytes_with_any_status(name, call, status, content, headers):
    """Users never have to catch JSONDecodeError, UnicodeDecodeError, KeyError or AttributeError."""
    method, arguments, _ = call
    answered(
        Face(name),
        method,
        arguments,
        lambda: httpx2.Response(status, content=content, headers={k: v.encode("latin-1") for k, v in headers.items()}),
    )  # fmt: skip


def paths(value, path=()):
    """Yield the path of each value in a JSON value."""
    yield path
    if isinstance(value, dict):
        for key, item in value.items():
            yield from paths(item, (*path, key))
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from paths(item, (*path, place))


@ANY
@given(name=NAMES, call=ANY_CALL, data=st.data())
def test_a_right_answer_with_anything_put_anywhere(name, call, data):
    """Nearly right responses reach parsing code that random bytes never reach."""
    method, arguments, _ = call
    face = Face(name)
    seen = []

    def right(request):
        seen.append(answer_to(request))
        return seen[-1]

    face.call(face.client(right), method, **arguments)
    body = seen[0].json()
    path = data.draw(st.sampled_from([found for found in paths(body) if found]))
    spoilt = body
    for step in path[:-1]:
        spoilt = spoilt[step]
    if data.draw(st.booleans()) and isinstance(spoilt, dict):
        del spoilt[path[-1]]
    else:
        spoilt[path[-1]] = data.draw(JSON)
    content = json.dumps(body).encode()
    answered(face, method, arguments, lambda: httpx2.Response(200, content=content))
