"""Output dtypes and relevance scores."""

from __future__ import annotations

import numpy as np
import pytest
from voyageai_emulator.engine import Passage, Space
from voyageai_emulator.engine.lexical import relevance
from voyageai_emulator.engine.vectors import embed, quantize, to_base64, to_lists
from voyageai_rest.dtypes import DTYPES

# From the documentation of flexible dimensions and quantization.
DOCUMENTED = [
    -0.03955078,
    0.006214142,
    -0.07446289,
    -0.039001465,
    0.0046463013,
    0.00030612946,
    -0.08496094,
    0.03994751,
]


def test_bits_are_packed_as_documented() -> None:
    """The first value is the highest bit, and `binary` is `ubinary` minus 128."""
    vector = np.array([DOCUMENTED], np.float32)
    assert [[77]] == quantize(vector, DTYPES["ubinary"]).tolist()
    assert [[-51]] == quantize(vector, DTYPES["binary"]).tolist()
    assert [[0]] == quantize(np.zeros((1, 8), np.float32), DTYPES["ubinary"]).tolist()


def test_the_signed_forms_are_the_unsigned_ones_less_128() -> None:
    """The documentation says so for bits; int8 and uint8 follow the same rule."""
    vectors = embed([Passage("hello"), Passage("world")], Space("s", "m"), 256)
    for signed, unsigned in (("int8", "uint8"), ("binary", "ubinary")):
        one, other = (quantize(vectors, DTYPES[dtype]) for dtype in (signed, unsigned))
        assert (np.int8, np.uint8) == (one.dtype, other.dtype)
        assert (other.astype(int) - 128).tolist() == one.astype(int).tolist()


@pytest.mark.parametrize("dtype", ["int8", "uint8", "binary", "ubinary"])
def test_quantized_vectors_rank_as_floats_do(dtype: str) -> None:
    """A search over quantized vectors must find what one over floats finds."""
    texts = ["Open a compressed file.", "Remove a directory tree.", "Sort a list in place."]
    queries = ["How do I read compressed files?", "remove a directory", "sort my list"]
    space = Space("s", "m")
    documents, asked = (
        quantize(embed([Passage(t) for t in group], space, 1024), DTYPES[dtype])
        for group in (texts, queries)
    )
    if DTYPES[dtype].dimensions_per_number == 8:
        bits = [
            np.unpackbits(m.view(np.uint8) ^ (128 if "u" != dtype[0] else 0), axis=1)
            for m in (documents, asked)
        ]
        scores = -(bits[1][:, None] != bits[0][None]).sum(axis=2)
    else:
        zero = 128 if dtype == "uint8" else 0
        scores = (asked.astype(int) - zero) @ (documents.astype(int) - zero).T
    assert [0, 1, 2] == scores.argmax(axis=1).tolist()


def test_bytes_use_their_range() -> None:
    """Few values are clipped, and few distinct floats become equal."""
    vectors = embed([Passage("the quick brown fox"), Passage("cat")], Space("s", "m"), 1024)
    numbers = quantize(vectors, DTYPES["int8"])
    assert (np.abs(numbers.astype(int)) >= 127).mean() < 0.01
    assert len(np.unique(numbers)) > 100


def test_numbers_and_base64_read_back_the_same() -> None:
    """Decimals in JSON are short, but lose no precision of float32."""
    vectors = embed([Passage("hello")], Space("s", "m"), 256)
    assert np.array(to_lists(vectors), np.float32).tobytes() == vectors.tobytes()
    assert max(len(str(abs(number))) for number in to_lists(vectors)[0]) <= 10
    assert "AACAPwAAAMA=" == to_base64(np.array([[1, -2]], ">f4"))[0]


def test_a_score_does_not_depend_on_the_other_documents() -> None:
    """Scores of several requests can be merged, as with the real reranker."""
    documents = ["Open a compressed file.", "a", "", "file " * 500, "東京"]
    together = relevance("How do I open compressed files?", documents, "m")
    alone = [relevance("How do I open compressed files?", [d], "m")[0] for d in documents]
    assert alone == together.tolist()


@pytest.mark.parametrize(
    ("query", "better", "worse"),
    [
        ("capital of France", "Paris is the capital of France.", "Berlin is in Germany."),
        ("capital of France", "Paris is the capital of France.", "capital capital capital"),
        ("capital of France", "the capital of France", "the capital of Spain and of all France"),
        ("opening compressed files", "Open a compressed file.", "Open a window."),
        ("delete a folder", "Delete the folders.", "Add two numbers."),
        ("zip", "The zip module. " * 3, "The zip module. " + "Other words entirely. " * 40),
    ],
)
def test_a_better_document_scores_higher(query: str, better: str, worse: str) -> None:
    """Coverage of the query counts most, then the similarity of wording and length."""
    one, other = relevance(query, [better, worse], "m")
    assert 1 >= one > other >= 0
