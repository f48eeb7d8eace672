"""The arguments of both clients' methods match the fields of the contract."""

from __future__ import annotations

import inspect
import sys
import typing
from typing import Any, Literal, get_args, get_origin

import attrs
import pytest
import voyageai
import voyageai_rest.models
from voyageai import options
from voyageai.argument_checks import CONSTRAINTS
from voyageai.batches import AsyncBatches, Batches, JobOptions
from voyageai.batches.jobs import options as job_options
from voyageai.tables import AsyncTables, TableOptions, Tables
from voyageai.tables import options as table_options
from voyageai_rest import types
from voyageai_rest.models import (
    BatchContextualizedEmbeddingsParams,
    BatchEmbeddingsParams,
    BatchRerankParams,
    ContextualizedEmbeddingsRequest,
    EmbeddingsRequest,
    MultimodalEmbeddingsRequest,
    RerankRequest,
)
from voyageai_rest.types import UNSET

from .file_server import done

SET_BY_THE_CLIENT = {"encoding_format"}
NO_FIELDS = {"chunk_fn", "max_cost"}  # what the client does with them is not sent
LIVE = (voyageai.Client, voyageai.AsyncClient)
JOBS = (Batches, AsyncBatches)
TABLES = (Tables, AsyncTables)
CHUNKING = {"enable_auto_chunking", "chunk_size", "chunk_overlap"}  # rows are chunks

# The request of each method, the arguments that are its own, and its form of `**options`.
METHODS = {
    "embed": (EmbeddingsRequest, {"texts", "model"}, options.EmbedOptions),
    "embed_query": (EmbeddingsRequest, {"text", "model"}, options.EmbedOptions),
    "embed_documents": (EmbeddingsRequest, {"texts", "model"}, options.EmbedOptions),
    "contextualized_embed": (
        ContextualizedEmbeddingsRequest,
        {"inputs", "model"},
        options.ContextualizedEmbedOptions,
    ),
    "multimodal_embed": (
        MultimodalEmbeddingsRequest,
        {"inputs", "model"},
        options.MultimodalEmbedOptions,
    ),
    "multimodal_embed_query": (
        MultimodalEmbeddingsRequest,
        {"inputs", "model"},
        options.MultimodalEmbedOptions,
    ),
    "multimodal_embed_documents": (
        MultimodalEmbeddingsRequest,
        {"inputs", "model"},
        options.MultimodalEmbedOptions,
    ),
    "rerank": (RerankRequest, {"query", "documents", "model"}, options.RerankOptions),
}
OF_JOBS = {
    "embed": (BatchEmbeddingsParams, {"texts", "model"}, job_options.EmbedJobOptions),
    "contextualized_embed": (
        BatchContextualizedEmbeddingsParams,
        {"inputs", "model"},
        job_options.ContextualizedEmbedJobOptions,
    ),
    "rerank": (BatchRerankParams, {"pairs", "model"}, job_options.RerankJobOptions),
}
OF_TABLES = {
    "embed": (
        EmbeddingsRequest,
        {"source", "text", "into", "model"},
        table_options.EmbedTableOptions,
    ),
    "contextualized_embed": (
        ContextualizedEmbeddingsRequest,
        {"source", "text", "group", "into", "model"},
        table_options.ContextualizedEmbedTableOptions,
    ),
    "rerank": (
        RerankRequest,
        {"source", "query", "document", "into", "model"},
        table_options.RerankTableOptions,
    ),
}
NOT_OF_TABLES = {"top_k", "return_documents", *CHUNKING}
CASES = [
    *((kind, name, options.CallOptions, *METHODS[name]) for kind in LIVE for name in METHODS),
    *(
        (kind, f"{form}{name}", JobOptions, *OF_JOBS[name])
        for kind in JOBS
        for name in OF_JOBS
        for form in ("", "prepare_")
    ),
    *(
        (kind, f"{form}{name}", TableOptions, *OF_TABLES[name])
        for kind in TABLES
        for name in OF_TABLES
        for form in ("", "prepare_")
    ),
]
FIXED = {"embed_query", "embed_documents", "multimodal_embed_query", "multimodal_embed_documents"}
"""Methods whose names fix the input type."""


def hints(annotated: Any) -> dict[str, Any]:
    """Return annotations as types, including those imported only for type checkers."""
    names: dict[str, Any] = {}
    while True:
        try:
            return typing.get_type_hints(annotated, localns=names)
        except NameError as error:
            # Fields have only the contract's types, so any class that takes parameters will do.
            elsewhere = sys.modules.get(error.name, list)
            names[error.name] = getattr(voyageai_rest.models, error.name, elsewhere)


def members(of: Any) -> set[Any]:
    """Return the types of a union without None and UNSET, with `str` for the values of an enum."""
    each = get_args(of) if get_origin(of) is not Literal and get_args(of) else (of,)
    return {str if get_origin(one) is Literal else one for one in each} - {type(None), types.Unset}


def contracts(request: Any) -> dict[str, set[Any]]:
    """Return the optional fields of a request that users may set, with their types."""
    found = hints(request)
    optional = [one.name for one in attrs.fields(request) if one.default is UNSET]
    return {name: members(found[name]) for name in optional if name not in SET_BY_THE_CLIENT}


@pytest.mark.parametrize(
    ("kind", "name", "of_all", "request_of", "own", "keywords"),
    CASES,
    ids=[f"{case[0].__name__}.{case[1]}" for case in CASES],
)
def test_every_optional_field_is_an_argument_and_no_other_is(
    kind, name, of_all, request_of, own, keywords
):
    """Editors don't know a field that is only in the contract, and the API refuses any other."""
    method = getattr(kind, name)
    named = inspect.signature(method).parameters.keys() - {"self", "options"} - own - NO_FIELDS
    further = keywords.__annotations__.keys() - of_all.__annotations__.keys()
    annotations = {**hints(keywords), **hints(method)}
    expected = contracts(request_of)
    if name in FIXED:
        del expected["input_type"]
    if kind in TABLES:
        expected = {each: expected[each] for each in expected.keys() - NOT_OF_TABLES}

    assert keywords.__name__ in str(method.__annotations__["options"])
    assert set() == named & further
    assert expected == {each: members(annotations[each]) for each in {*named, *further}}


def test_every_field_with_bounds_is_one_of_the_contracts():
    """Bounds are looked up by field name, so a misspelled one would never be checked."""
    for request, _, _ in (*METHODS.values(), *OF_JOBS.values(), *OF_TABLES.values()):
        names = {one.name for one in attrs.fields(request)}

        assert set() == CONSTRAINTS.get(request.__name__, {}).keys() - names


@pytest.mark.parametrize(
    ("method", "rows", "name", "near"),
    [
        ("embed", ["a"], "output_dimensions", "output_dimension"),
        ("prepare_embed", ["a"], "input_typ", "input_type"),
        ("prepare_contextualized_embed", [["a"]], "chunksize", "chunk_size"),
        ("rerank", [("q", ["a"])], "directry", "directory"),
    ],
)
def test_an_unknown_argument_of_a_job_is_refused_with_the_name_that_is_near(
    face, method, rows, name, near
):
    """A typo is found before any file is written."""
    expected = rf"^{method}\(\) got an unexpected keyword argument '{name}'; did you mean '{near}'"
    with pytest.raises(TypeError, match=expected):
        done(getattr(face.client().batches, method)(rows, model="voyage-4", **{name: 1}))


def test_an_unknown_argument_of_a_client_is_refused_in_its_name(face):
    """The message names the class that the user calls, not an internal base class."""
    with pytest.raises(TypeError, match=rf"^{face.kind.__name__}\.__init__\(\) got .* 'max_retry'"):
        face.kind("k", max_retry=3)
    with pytest.raises(TypeError, match=r"^with_options\(\) got .*; did you mean 'max_retries'\?"):
        face.kind("k").with_options(max_retry=3)


def test_an_unknown_option_of_any_call_is_refused_in_the_name_of_its_method(face):
    """The message looks like Python's own for any other function."""
    client = face.client()
    with pytest.raises(TypeError, match=r"^retrieve\(\) got an unexpected keyword argument 'x'$"):
        done(client.files.retrieve("file-1", x=1))


def test_a_client_takes_a_client_or_a_transport_and_not_both(face):
    """Given both a client and a transport, one would be silently ignored."""
    own, other = face.client()._settings["transport"], object()
    with pytest.raises(voyageai.error.ArgumentError, match="http_client and transport") as caught:
        face.kind("k", http_client=other, transport=own)

    assert "transport" == caught.value.argument
    copied = face.kind("k", transport=own).with_options(http_client=None, max_retries=1)
    assert copied._settings["transport"] is None
