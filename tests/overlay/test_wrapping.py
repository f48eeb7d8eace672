"""Methods wrapped by tracing packages, caches and tests keep being called."""

from __future__ import annotations

import asyncio
import functools
import types
import warnings

import httpx2
import pytest
import voyageai
from voyageai.batches import Batches
from voyageai.files import Files
from voyageai.prompts import DoublePromptWarning, render

from .conftest import Face
from .file_server import BATCH, FILE

FORMS = {
    "embed": (["a"], "voyage-4"),
    "contextualized_embed": ([["a"]], "voyage-context-4"),
    "multimodal_embed": ([["a"]], "voyage-multimodal-3.5"),
}
pytestmark = pytest.mark.filterwarnings("error::voyageai.prompts.MissingInputTypeWarning")


class Wrapped:
    """A descriptor in place of a method, as made by `wrapt`."""

    def __init__(self, method, wrapper):
        self.method, self.wrapper = method, wrapper

    def __get__(self, instance, owner):
        method = self.method.__get__(instance, owner)
        return lambda *args, **kwargs: self.wrapper(method, instance, args, kwargs)


@pytest.fixture(params=["class", "descriptor", "object", "subclass"])
def wrapped(request, face, monkeypatch):
    """Return a function that wraps a method, and returns a client and the keywords seen."""

    def wrap(method):
        seen = []
        original = getattr(face.kind, method)

        @functools.wraps(original)
        def wrapper(self, *args, **kwargs):
            seen.append(kwargs)
            return original(self, *args, **kwargs)

        if request.param == "class":
            monkeypatch.setattr(face.kind, method, wrapper)
        elif request.param == "descriptor":

            def record(method, instance, args, kwargs):
                seen.append(kwargs)
                return method(*args, **kwargs)

            monkeypatch.setattr(face.kind, method, Wrapped(original, record))
        elif request.param == "subclass":
            monkeypatch.setattr(face, "kind", type("Mine", (face.kind,), {method: wrapper}))
        client = face.client()
        if request.param == "object":
            setattr(client, method, types.MethodType(wrapper, client))
        return client, seen

    return wrap


@pytest.mark.parametrize("method", FORMS)
def test_a_wrapper_sees_every_form_of_a_call(face, wrapped, method):
    """A trace without the methods for queries would miss half of the cost."""
    given, model = FORMS[method]
    client, seen = wrapped(method)
    raw = client.with_raw_response
    results = [
        face.call(client, method, given, model=model, input_type="query"),
        face.call(client, f"{method}_query", given, model=model),
        face.call(client, f"{method}_documents", given, model=model),
        face.call(raw, method, given, model=model, input_type="query").parse(),
        face.call(raw, f"{method}_query", given, model=model).parse(),
        face.call(raw, f"{method}_documents", given, model=model).parse(),
    ]

    roles = ["query", "query", "document"] * 2
    assert [(model, role) for role in roles] == [(one["model"], one["input_type"]) for one in seen]
    assert [results[0]] * 6 == results
    assert 6 == len(face.requests)


def test_a_wrapper_of_rerank_sees_raw_calls_too(face, wrapped):
    """Tracing counts raw calls as well."""
    client, seen = wrapped("rerank")
    plain = face.call(client, "rerank", "q", ["a", "b"], model="rerank-2.5")
    answer = face.call(client.with_raw_response, "rerank", "q", ["a", "b"], model="rerank-2.5")

    assert [{"model": "rerank-2.5"}] * 2 == seen
    assert (200, plain) == (answer.status_code, answer.parse())


@pytest.mark.parametrize("form", ["query", "documents"])
@pytest.mark.parametrize("method", FORMS)
def test_a_form_that_is_wrapped_itself_is_seen_too(face, wrapped, method, form):
    """A tool may wrap only some of the methods."""
    given, model = FORMS[method]
    client, seen = wrapped(f"{method}_{form}")
    answer = face.call(client.with_raw_response, f"{method}_{form}", given, model=model)

    assert [{"model": model}] == seen
    assert 200 == answer.status_code


def test_a_wrapper_may_call_a_copy_of_the_client(face):
    """A wrapper may change an option of its calls with `with_options`."""
    client = face.client()

    def patient(*args, **kwargs):
        return face.kind.embed(client.with_options(timeout=9), *args, **kwargs)

    client.embed = patient
    answer = face.call(client.with_raw_response, "embed_query", "a", model="voyage-4")

    assert 200 == answer.status_code


def test_only_the_method_that_is_asked_gives_a_raw_answer():
    """A chunk function may embed texts itself, and a wrapper may call another client."""
    face = Face("Client")
    client, other = face.client(), face.client()
    lengths = []

    def split(text):
        lengths.append(len(client.embed_documents([text], model="voyage-4").embeddings))
        return [text]

    def shadowed(*args, **kwargs):
        lengths.append(len(other.contextualized_embed(*args, **kwargs).results))
        return voyageai.Client.contextualized_embed(client, *args, **kwargs)

    client.contextualized_embed = shadowed
    answer = client.with_raw_response.contextualized_embed_documents(
        [["a b"]], model="voyage-context-4", chunk_fn=split
    )

    assert [1, 1, 1] == lengths
    assert 200 == answer.status_code
    assert 1 == len(client.contextualized_embed_query("a", model="voyage-context-4").results)


def test_calls_at_the_same_time_are_not_mistaken_for_raw_ones():
    """All tasks of a program share a client."""
    face = Face("AsyncClient")
    client = face.client()

    async def both():
        return await asyncio.gather(
            client.with_raw_response.embed_query("a", model="voyage-4"),
            client.embed_query("a", model="voyage-4"),
        )

    raw, plain = asyncio.run(both())

    assert raw.parse() == plain


def test_a_form_that_is_called_for_another_warns_of_the_callers_line():
    """The warning must not point at the line in this package that calls `embed`."""
    client = Face("Client").client()
    with pytest.warns(DoublePromptWarning) as caught:
        client.embed_query(render("a", "query"), model="voyage-4")
        client.with_raw_response.embed_query(render("a", "query"), model="voyage-4")

    assert [__file__] * 2 == [warning.filename for warning in caught]


def test_no_form_warns_of_a_model_that_is_left_out(face):
    """Only the general method has a default model, so the others raise instead."""
    for method in ("embed_query", "embed_documents"):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(voyageai.error.ArgumentError, match="model must be the name"):
                face.call(face.client(), method, "a", None)


@pytest.mark.parametrize(
    ("kind", "name", "found"), [(Files, "files", FILE), (Batches, "batches", BATCH)]
)
def test_wrapped_methods_of_resources_are_seen_too(kind, name, found, monkeypatch):
    """Resource objects are created on each access, so tools wrap their classes."""
    seen = []
    original = kind.retrieve

    def wrapper(self, *args, **kwargs):
        seen.append(args)
        return original(self, *args, **kwargs)

    monkeypatch.setattr(kind, "retrieve", wrapper)
    client = Face("Client").client(lambda request: httpx2.Response(200, json=found))
    answer = getattr(client, name).with_raw_response.retrieve("id-1")

    assert [("id-1",)] == seen
    assert found["id"] == answer.parse().id
