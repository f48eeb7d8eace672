"""Requests that are sent, and arguments that are refused before anything is sent."""

from __future__ import annotations

import json
import re
import sys
import warnings

import httpx2
import numpy as np
import pytest
import voyageai
from voyageai.error import ArgumentError, InvalidRequestError
from voyageai.local import helpers
from voyageai.prompts import DoublePromptWarning, render
from voyageai.version import VERSION

from tests.calls import calls_of

from .conftest import Face

EMBED = {"texts": ["a", "b"], "model": "voyage-4"}
CONTEXTUALIZED = {"inputs": [["a", "b"], ["c"]], "model": "voyage-context-4"}
MULTIMODAL = {"inputs": [["a"]], "model": "voyage-multimodal-3.5"}
RERANK = {"query": "q", "documents": ["a", "b"], "model": "rerank-2.5"}
IMAGE = {"type": "image_url", "image_url": "https://example.com/a.png"}
VIDEO = {"type": "video_base64", "video_base64": "data:video/mp4;base64,AAAA"}


@pytest.mark.parametrize(
    ("method", "arguments", "expected"),
    [
        (
            "embed",
            EMBED,
            {
                "input": ["a", "b"],
                "model": "voyage-4",
                "truncation": True,
                "encoding_format": "base64",
            },
        ),
        (
            "embed",
            {
                **EMBED,
                "texts": "bare",
                "input_type": "query",
                "truncation": False,
                "output_dtype": "int8",
                "output_dimension": 256,
            },
            {
                "input": "bare",
                "model": "voyage-4",
                "input_type": "query",
                "truncation": False,
                "output_dtype": "int8",
                "output_dimension": 256,
                "encoding_format": "base64",
            },
        ),
        (
            "embed_query",
            {"text": "q", "model": "voyage-4"},
            {
                "input": "q",
                "model": "voyage-4",
                "input_type": "query",
                "truncation": True,
                "encoding_format": "base64",
            },
        ),
        (
            "embed_documents",
            {"texts": ("a", "b"), "model": "voyage-4"},
            {
                "input": ["a", "b"],
                "model": "voyage-4",
                "input_type": "document",
                "truncation": True,
                "encoding_format": "base64",
            },
        ),
        (
            "contextualized_embed",
            CONTEXTUALIZED,
            {
                "inputs": [["a", "b"], ["c"]],
                "model": "voyage-context-4",
                "encoding_format": "base64",
            },
        ),
        (
            "contextualized_embed",
            {**CONTEXTUALIZED, "inputs": ["a", "b"], "input_type": "query"},
            {
                "inputs": [["a"], ["b"]],
                "model": "voyage-context-4",
                "input_type": "query",
                "encoding_format": "base64",
            },
        ),
        (
            "contextualized_embed",
            {**CONTEXTUALIZED, "inputs": [["a b"]], "chunk_fn": str.split},
            {"inputs": [["a", "b"]], "model": "voyage-context-4", "encoding_format": "base64"},
        ),
        (
            "multimodal_embed",
            {**MULTIMODAL, "inputs": [["a", IMAGE], [VIDEO]]},
            {
                "inputs": [
                    {"content": [{"type": "text", "text": "a"}, IMAGE]},
                    {"content": [VIDEO]},
                ],
                "model": "voyage-multimodal-3.5",
                "truncation": True,
                "encoding_format": "base64",
            },
        ),
        (
            "multimodal_embed",
            {**MULTIMODAL, "inputs": [{"content": [{"type": "text", "text": "a"}, IMAGE]}]},
            {
                "inputs": [{"content": [{"type": "text", "text": "a"}, IMAGE]}],
                "model": "voyage-multimodal-3.5",
                "truncation": True,
                "encoding_format": "base64",
            },
        ),
        (
            "rerank",
            {**RERANK, "top_k": 1},
            {
                "query": "q",
                "documents": ["a", "b"],
                "model": "rerank-2.5",
                "top_k": 1,
                "truncation": True,
            },
        ),
    ],
)
def test_arguments_become_the_body(face, method, arguments, expected):
    """Omitted arguments are left to the server, and vectors are requested in base64."""
    face.call(face.client(), method, **arguments)

    assert expected == face.body


def test_auto_chunking_sends_its_options(face):
    """The chunking options of the API reach the request."""
    answer = {
        "data": [{"index": 0, "data": [{"index": 0, "embedding": [0.5], "text": "a b"}]}],
        "usage": {"total_tokens": 2},
        "chunker_version": "1.0.0",
    }
    client = face.client(lambda request: httpx2.Response(200, json=answer))
    result = face.call(
        client,
        "contextualized_embed",
        ["a b"],
        "voyage-context-4",
        "document",
        enable_auto_chunking=True,
        chunk_size=64,
        chunk_overlap=8,
    )

    expected = {
        "inputs": [["a b"]],
        "model": "voyage-context-4",
        "input_type": "document",
        "encoding_format": "base64",
        "enable_auto_chunking": True,
        "chunk_size": 64,
        "chunk_overlap": 8,
    }
    assert expected == face.body
    assert "1.0.0" == result.chunker_version
    assert [["a b"]] == result.chunk_texts
    assert ["a b"] == result.results[0].chunk_texts


@pytest.mark.parametrize(
    ("method", "arguments", "argument", "message"),
    [
        ("embed", {**EMBED, "texts": []}, "texts", "is empty"),
        ("embed", {**EMBED, "texts": ""}, "texts", "is empty"),
        ("embed", {**EMBED, "texts": ["a", ""]}, "texts[1]", "is empty"),
        ("embed", {**EMBED, "texts": ["a", 3]}, "texts[1]", "must be a string, not of type int"),
        ("embed", {**EMBED, "texts": None}, "texts", "must be a list of strings, not None"),
        ("embed", {**EMBED, "texts": {"a": 1}}, "texts", r"make it one: list\(texts\)"),
        ("embed", {**EMBED, "texts": (text for text in "ab")}, "texts", r"list\(texts\)"),
        ("embed", {**EMBED, "texts": ["a"] * 1001}, "texts", "1,001 items.*at most 1,000"),
        ("embed", {**EMBED, "model": ""}, "model", "name of a model"),
        ("embed", {**EMBED, "input_type": "doc"}, "input_type", "'query', 'document' or None"),
        ("embed", {**EMBED, "truncation": "yes"}, "truncation", "True, False or None"),
        ("embed", {**EMBED, "output_dtype": "float32"}, "output_dtype", "'float', 'int8'"),
        ("embed", {**EMBED, "output_dimension": 100}, "output_dimension", "256, 512, 1024, 2048"),
        ("embed", {**EMBED, "output_dimension": "256"}, "output_dimension", "positive integer"),
        (
            "embed",
            {**EMBED, "model": "voyage-law-2", "output_dtype": "int8"},
            "output_dtype",
            "voyage-law-2; it has 'float'",
        ),
        ("contextualized_embed", {**CONTEXTUALIZED, "inputs": []}, "inputs", "must not be empty"),
        ("contextualized_embed", {**CONTEXTUALIZED, "inputs": [[]]}, "inputs[0]", "is empty"),
        (
            "contextualized_embed",
            {**CONTEXTUALIZED, "inputs": ["a"]},
            "inputs",
            "requires enable_auto_chunking=True or input_type='query'",
        ),
        (
            "contextualized_embed",
            {**CONTEXTUALIZED, "inputs": [["a"], "b"]},
            "inputs[1]",
            "wrap it in a list",
        ),
        (
            "contextualized_embed",
            {**CONTEXTUALIZED, "chunk_fn": str.split, "enable_auto_chunking": True},
            "chunk_fn",
            "cannot be combined",
        ),
        (
            "contextualized_embed",
            {**CONTEXTUALIZED, "chunk_size": 5},
            "chunk_size",
            "require enable_auto_chunking=True",
        ),
        (
            "contextualized_embed",
            {**CONTEXTUALIZED, "enable_auto_chunking": True, "chunk_size": 5, "chunk_overlap": 5},
            "chunk_overlap",
            r"chunk_overlap \(5\) must be less than chunk_size \(5\)",
        ),
        (
            "contextualized_embed",
            {**CONTEXTUALIZED, "enable_auto_chunking": True, "chunk_size": 0},
            "chunk_size",
            "greater than or equal to 1",
        ),
        (
            "contextualized_embed",
            {**CONTEXTUALIZED, "enable_auto_chunking": True, "chunk_overlap": 5},
            "chunk_overlap",
            "chunk_overlap requires chunk_size",
        ),
        (
            "contextualized_embed",
            {**CONTEXTUALIZED, "enable_auto_chunking": True},
            "enable_auto_chunking",
            "requires input_type='document'",
        ),
        (
            "contextualized_embed",
            {**CONTEXTUALIZED, "enable_auto_chunking": True, "input_type": "document"},
            "inputs[0]",
            "has 2 chunks; auto-chunking expects one string per document",
        ),
        (
            "multimodal_embed",
            {**MULTIMODAL, "inputs": []},
            "inputs",
            "'inputs' must be a non-empty list",
        ),
        (
            "multimodal_embed",
            {**MULTIMODAL, "inputs": "a"},
            "inputs",
            "'inputs' must be a non-empty list",
        ),
        ("multimodal_embed", {**MULTIMODAL, "inputs": [[]]}, "inputs[0]", "is empty"),
        (
            "multimodal_embed",
            {**MULTIMODAL, "inputs": [["a"], {"content": ["a"]}]},
            "inputs[1]",
            "all are dicts or all are lists",
        ),
        (
            "multimodal_embed",
            {**MULTIMODAL, "inputs": [{"text": "a"}]},
            "inputs[0]",
            "has no 'content'",
        ),
        (
            "multimodal_embed",
            {**MULTIMODAL, "inputs": [[3]]},
            "inputs[0][0]",
            "must be a string or a dict with a 'type', not int",
        ),
        (
            "multimodal_embed",
            {**MULTIMODAL, "inputs": [[{"type": "audio"}]]},
            "inputs[0][0]",
            "must be one of 'text', 'image_url'",
        ),
        (
            "multimodal_embed",
            {**MULTIMODAL, "inputs": [[{"type": "text"}]]},
            "inputs[0][0]",
            "text: missing",
        ),
        (
            "multimodal_embed",
            {**MULTIMODAL, "inputs": [[{**IMAGE, "alt": "a"}]]},
            "inputs[0][0]",
            "unknown keys: alt",
        ),
        ("rerank", {**RERANK, "query": None}, "query", "must be a string, not None"),
        ("rerank", {**RERANK, "documents": []}, "documents", "is empty"),
        ("rerank", {**RERANK, "documents": "ab"}, "documents", r"wrap it in a list: \[documents\]"),
        (
            "rerank",
            {**RERANK, "documents": ["a"] * 1001},
            "documents",
            "split it into several calls",
        ),
        ("rerank", {**RERANK, "top_k": 1.5}, "top_k", "must be an integer or None"),
    ],
)
def test_a_wrong_argument_is_refused_before_anything_is_sent(
    face, method, arguments, argument, message
):
    """The error names the argument and the fix, and nothing is billed."""
    client = face.client()
    with pytest.raises(ArgumentError, match=message) as raised:
        face.call(client, method, **arguments)

    assert [] == face.requests
    assert argument == raised.value.argument
    assert isinstance(raised.value, InvalidRequestError)
    assert isinstance(raised.value, ValueError)


def test_a_text_that_is_not_unicode_is_refused_with_a_fix(face):
    """A badly decoded file contains lone surrogates, which can't be encoded."""
    client = face.client()
    with pytest.raises(ArgumentError, match="lone surrogate"):
        face.call(client, "embed", ["\ud800"], model="voyage-4")

    assert [] == face.requests


def test_a_model_newer_than_this_release_is_used_unchecked(face):
    """Users can call a new model without a new release."""
    result = face.call(
        face.client(),
        "embed",
        ["a"],
        model="voyage-unknown",
        output_dimension=77,
        output_dtype="float",
    )

    assert "voyage-unknown" == result.model
    assert 77 == face.body["output_dimension"]


def test_texts_of_other_scripts_are_sent_as_they_are(face):
    """Escapes would double the size of most of the world's texts."""
    face.call(face.client(), "embed", ["今天天气 🌧"], model="voyage-4")

    assert "今天天气 🌧".encode() in face.requests[-1].content


def test_a_missing_model_warns_and_is_the_official_default(face):
    """The official client behaves the same."""
    with pytest.warns(UserWarning, match="defaults to voyage-2"):
        face.call(face.client(), "embed", ["a"])

    assert "voyage-2" == face.body["model"]


def test_a_chunk_function_may_leave_out_what_is_empty(face):
    """`default_chunk_fn` drops empty texts, so inputs may contain some."""
    context = {"model": "voyage-context-4", "input_type": "document"}
    split = voyageai.default_chunk_fn(4)
    client = face.client()
    result = face.call(client, "contextualized_embed", [["", "one two"]], chunk_fn=split, **context)

    assert [["one ", "two"]] == face.body["inputs"] == result.chunk_texts
    for empty, message in (([[""]], r"chunk_fn\(inputs\)\[0\] is empty"), ([[]], "is empty")):
        with pytest.raises(ArgumentError, match=message):
            face.call(client, "contextualized_embed", empty, chunk_fn=split, **context)
    with pytest.raises(ArgumentError, match=r"inputs\[0\]\[0\] must be a string, not of type int"):
        face.call(client, "contextualized_embed", [[3]], chunk_fn=split, **context)
    with pytest.raises(ArgumentError, match=r"make it one: list\(inputs\)"):
        face.call(client, "contextualized_embed", np.array([["a"]]), **context)
    assert 1 == len(face.requests)


@pytest.mark.parametrize(
    ("method", "role"), [("embed", None), ("embed_query", "query"), ("embed_documents", "document")]
)
def test_models_of_this_machine_are_run_here_by_every_method(face, method, role, monkeypatch):
    """The methods for queries and documents run local models too, which the API would refuse."""
    given = {"output_dimension": 256, "truncation": None, "max_retries": 3}
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with calls_of(helpers.embed_local) as calls, pytest.raises(ImportError, match="local"):
        face.call(face.client(), method, ["a"], model="voyage-4-nano", **given)

    expected = {
        "texts": ["a"],
        "model": "voyage-4-nano",
        "input_type": role,
        "truncation": True,
        "output_dtype": None,
        "output_dimension": 256,
    }
    assert [expected] == calls
    assert [] == face.requests


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("retries", "; did you mean 'max_retries'?"),
        ("output_dim", "'output_dimension'?"),
        ("x", ""),
    ],
)
@pytest.mark.parametrize("model", ["voyage-4", "voyage-4-nano"])
def test_an_unknown_argument_is_refused_with_the_name_that_is_near(face, model, name, hint):
    """A typo would otherwise have no effect, for local models as well."""
    expected = rf"^embed\(\) got an unexpected keyword argument '{name}'.*{re.escape(hint)}$"
    with pytest.raises(TypeError, match=expected):
        face.call(face.client(), "embed", ["a"], model=model, **{name: 1})

    assert [] == face.requests


@pytest.mark.parametrize(
    ("method", "given", "argument"),
    [
        ("embed", {"texts": "", "model": "voyage-4"}, "texts"),
        ("embed_query", {"text": "", "model": "voyage-4"}, "text"),
        ("embed_query", {"text": ["a", ""], "model": "voyage-4"}, "text[1]"),
        ("embed_query", {"text": 5, "model": "voyage-4"}, "text"),
        ("embed_documents", {"texts": [""], "model": "voyage-4"}, "texts[0]"),
        ("contextualized_embed_query", {"text": "", "model": "voyage-context-4"}, "text"),
    ],
)
def test_a_refusal_names_the_argument_of_the_method_that_was_called(face, method, given, argument):
    """`embed_query` has no argument `texts`, so the error must not mention it."""
    with pytest.raises(ArgumentError, match=rf"^{re.escape(argument)} ") as caught:
        face.call(face.client(), method, **given)

    assert argument == caught.value.argument


def test_warnings_point_at_the_callers_line():
    """A warning that names a line of this package helps nobody."""
    prompted = render("where?", "query")
    face = Face("Client")
    with pytest.warns(UserWarning) as caught:
        face.client().embed(["a"], input_type="query")
        face.client().embed([prompted], model="voyage-4", input_type="query")

    assert [__file__, __file__] == [warning.filename for warning in caught]


def test_a_text_with_its_prompt_already_there_warns(face):
    """The server would add the prompt a second time."""
    prompted = render("where?", "query")
    with pytest.warns(DoublePromptWarning, match="Text 1 already starts"):
        face.call(face.client(), "embed", ["a", prompted], model="voyage-4", input_type="query")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        face.call(face.client(), "embed", [prompted], model="voyage-4", input_type=None)
        face.call(face.client(), "embed", [prompted], model="voyage-4", input_type="document")


@pytest.mark.parametrize(
    ("method", "arguments", "optional"),
    [
        ("embed", EMBED, ["input_type", "truncation", "output_dtype", "output_dimension"]),
        (
            "contextualized_embed",
            CONTEXTUALIZED,
            ["input_type", "output_dtype", "output_dimension"],
        ),
        (
            "multimodal_embed",
            MULTIMODAL,
            ["input_type", "truncation", "output_dtype", "output_dimension"],
        ),
        ("rerank", RERANK, ["top_k", "truncation"]),
    ],
)
def test_none_is_omitted_and_never_sent_as_null(face, method, arguments, optional):
    """Atlas has refused null for these arguments since September 2026."""
    face.call(face.client(), method, **arguments, **dict.fromkeys(optional))

    sent = json.loads(face.requests[-1].content)
    assert set() == set(optional) & sent.keys()
    assert None not in sent.values()


def test_an_empty_document_is_refused_before_it_is_sent(face):
    """The API refuses it, but accepts a document of white space."""
    with pytest.raises(ArgumentError, match=r"documents\[1\] is empty"):
        face.call(face.client(), "rerank", **{**RERANK, "documents": ["a", ""]})
    assert [] == face.requests

    face.call(face.client(), "rerank", **{**RERANK, "documents": ["a", " "]})
    assert ["a", " "] == json.loads(face.requests[-1].content)["documents"]


def test_every_request_says_who_sends_it(face, key):
    """The key goes in the header, and the server learns the client's version."""
    face.call(face.client(), "rerank", **RERANK)
    sent = face.requests[-1]

    assert "POST" == sent.method
    assert "https://api.voyageai.com/v1/rerank" == str(sent.url)
    assert f"Bearer {key}" == sent.headers["authorization"]
    assert "application/json" == sent.headers["content-type"]
    assert sent.headers["user-agent"].startswith(f"voyageai-python/{VERSION} ")


def test_parameters_changed_after_construction_are_used(face):
    """Frameworks write into `_params`."""
    client = face.client()
    client._params["base_url"] = "http://localhost:5/v1/"
    client._params["request_timeout"] = 3
    face.call(client, "rerank", **RERANK)

    assert "http://localhost:5/v1/rerank" == str(face.requests[-1].url)
    assert {"connect": 3, "read": 3, "write": 3, "pool": 3} == face.requests[-1].extensions[
        "timeout"
    ]
