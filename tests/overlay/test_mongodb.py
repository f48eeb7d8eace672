"""Definitions of MongoDB vector indexes, made from the catalogue."""

from __future__ import annotations

import pytest
from pymongo.operations import SearchIndexModel
from voyageai.error import ArgumentError
from voyageai.mongodb import auto_embed_definition, index_definition


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {"numDimensions": 1024, "similarity": "dotProduct"}),
        ({"dimension": 256}, {"numDimensions": 256, "similarity": "dotProduct"}),
        ({"dtype": "int8"}, {"numDimensions": 1024, "similarity": "cosine"}),
        ({"dtype": "ubinary", "dimension": 512}, {"numDimensions": 512, "similarity": "euclidean"}),
        ({"similarity": "cosine"}, {"numDimensions": 1024, "similarity": "cosine"}),
        ({"quantization": "scalar"}, {"numDimensions": 1024, "similarity": "dotProduct", "quantization": "scalar"}),
        ({"model": "voyage-99", "dimension": 100}, {"numDimensions": 100, "similarity": "dotProduct"}),
    ],
)  # fmt: skip
def test_a_definition_has_what_the_vectors_are(given, expected):
    """With another dimension than the vectors', an index silently stays empty."""
    definition = index_definition(**{"model": "voyage-4", "path": "v", **given})

    assert {"fields": [{"type": "vector", "path": "v", **expected}]} == definition


def test_fields_to_filter_by_come_after_the_vectors():
    """Each filter is a field of its own in the definition."""
    definition = index_definition(model="voyage-4", path="v", filters=["year", "author.name"])

    assert [
        {"type": "filter", "path": "year"},
        {"type": "filter", "path": "author.name"},
    ] == definition["fields"][1:]


@pytest.mark.parametrize(
    "model", ["voyage-4-large", "voyage-4", "voyage-4-lite", "voyage-code-4", "voyage-code-3"]
)
def test_an_index_that_embeds_itself_names_the_field_and_the_model(model):
    """For anything left out, MongoDB would take its own defaults."""
    assert {
        "fields": [
            {"type": "autoEmbed", "modality": "text", "path": "plot", "model": model, "numDimensions": 512, "quantization": "binary"},
            {"type": "filter", "path": "year"},
        ]
    } == auto_embed_definition(model=model, path="plot", dimension=512, quantization="binary", filters=["year"])  # fmt: skip


@pytest.mark.parametrize(
    ("make", "given", "argument", "message"),
    [
        (index_definition, {"model": "voyage-4", "dimension": 300}, "output_dimension", "not a dimension of voyage-4"),
        (index_definition, {"model": "voyage-99"}, "dimension", "not in the catalogue"),
        (index_definition, {"model": "rerank-3"}, "dimension", "has no vectors"),
        (index_definition, {"dtype": "uint8"}, "dtype", "embed with output_dtype='int8'"),
        (index_definition, {"dtype": "double"}, "output_dtype", "output_dtype must be one of"),
        (index_definition, {"dtype": "ubinary", "similarity": "cosine"}, "similarity", "must be 'euclidean'"),
        (index_definition, {"dtype": "int8", "quantization": "scalar"}, "quantization", "must be 'none'"),
        (index_definition, {"path": ""}, "path", "name of a field"),
        (index_definition, {"filters": None}, "filters", "list of fields, not None"),
        (index_definition, {"filters": "year"}, "filters", r"\['year'\]"),
        (index_definition, {"model": "voyage-99", "dimension": 9000}, "dimension", "at most 8,192"),
        (index_definition, {"model": "voyage-99", "dimension": 100, "dtype": "ubinary"}, "dimension", "multiple of 8"),
        (auto_embed_definition, {"model": "voyage-3"}, "model", "voyage-4-large, voyage-4"),
        (auto_embed_definition, {"model": "rerank-3"}, "model", "that MongoDB embeds with"),
        (auto_embed_definition, {"quantization": "int8"}, "quantization", "'scalar' or 'float'"),
        (auto_embed_definition, {"dimension": 300}, "output_dimension", "not a dimension"),
    ],
)  # fmt: skip
def test_what_can_not_be_indexed_is_refused(make, given, argument, message):
    """The error comes before an index is built, which takes hours."""
    with pytest.raises(ArgumentError, match=message) as raised:
        make(**{"model": "voyage-4", "path": "v", **given})

    assert argument == raised.value.argument


def test_pymongo_takes_a_definition():
    """Users pass the definition to pymongo unchanged."""
    model = SearchIndexModel(
        index_definition(model="voyage-4", path="v"), name="vectors", type="vectorSearch"
    )

    assert "vectorSearch" == model.document["type"]
    assert 1024 == model.document["definition"]["fields"][0]["numDimensions"]
