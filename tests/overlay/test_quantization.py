"""Quantization of vectors, and their comparison in quantized form."""

from __future__ import annotations

import sys
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as some
from voyageai.error import ArgumentError
from voyageai.quantization import hamming, pack, similarity, truncate, unpack
from voyageai.results import EmbeddingSpaceWarning

DOCUMENTED = [
    -0.03955078, 0.006214142, -0.07446289, -0.039001465,
    0.0046463013, 0.00030612946, -0.08496094, 0.03994751,
]  # fmt: skip
MATRICES = some.arrays(
    np.float32,
    st.tuples(st.integers(1, 4), st.sampled_from([8, 16, 64])),
    elements=st.floats(-1, 1, width=32),
)


@pytest.mark.parametrize(("dtype", "byte"), [("ubinary", 77), ("binary", -51)])
def test_bits_are_packed_as_the_documentation_packs_them(dtype, byte):
    """The vendor's example packs values above 0 as 1, most significant bit first."""
    assert [[byte]] == pack([DOCUMENTED], dtype).tolist()


@given(MATRICES, st.sampled_from(["binary", "ubinary"]))
def test_unpacking_gives_back_the_bits_that_were_packed(vectors, dtype):
    """No bit is lost or moved, for any numbers."""
    np.testing.assert_array_equal(
        (vectors > 0).astype(np.uint8), unpack(pack(vectors, dtype), dtype)
    )


@given(MATRICES, st.sampled_from(["binary", "ubinary"]))
def test_hamming_counts_the_bits_that_differ(vectors, dtype):
    """The definition, applied bit by bit, gives the same count."""
    bits = vectors > 0
    expected = (bits[:, None, :] != bits[None, :, :]).sum(axis=2)
    packed = pack(vectors, dtype)

    np.testing.assert_array_equal(expected, hamming(packed, packed, dtype))


def test_products_of_bytes_do_not_overflow():
    """127 * 127 * 2048 exceeds the range of a byte by far."""
    most = np.full((1, 2048), 127, np.int8)

    assert [[127 * 127 * 2048]] == similarity(most, most, "int8").tolist()
    assert [[127 * 127 * 2048]] == similarity(
        most.view(np.uint8) + 128, most.view(np.uint8) + 128, "uint8"
    ).tolist()


def test_similarity_of_bits_is_their_agreement():
    """Of 8 bits, 6 agree and 2 differ, which gives 4."""
    assert [[4]] == similarity(
        np.array([[0b11110000]], np.uint8), np.array([[0b11110011]], np.uint8), "ubinary"
    ).tolist()


def test_truncated_floats_have_unit_length_again():
    """Without unit length, dot products would not be cosines."""
    vectors = np.random.default_rng(0).normal(size=(5, 1024)).astype(np.float32)
    short = truncate(vectors, 256)

    assert (5, 256) == short.shape
    assert np.float32 == short.dtype
    np.testing.assert_allclose(np.ones(5), np.linalg.norm(short, axis=1), rtol=1e-6)
    np.testing.assert_allclose(vectors[:, 0] / vectors[:, 1], short[:, 0] / short[:, 1], rtol=1e-5)
    assert [[0.0, 0.0]] == truncate([[0.0, 0.0, 1.0]], 2).tolist()


def test_lists_of_whole_numbers_are_vectors_too():
    """`embeddings` of packed bits are lists of integers, and numpy reads [[3, 4]] as integers."""
    assert [[0.6, 0.8]] == truncate([[3, 4, 0]], 2).tolist()
    assert [[-24]] == similarity([[3, -4]], [[0, 6]], "int8").tolist()
    assert [[0, 1, 0, 0, 1, 1, 0, 1]] == unpack([[-51]], "binary").tolist()
    assert [[1]] == hamming([[77]], [[76]], "ubinary").tolist()


def test_truncated_bits_are_the_first_bytes():
    """As documented, the first 512 dimensions are the first 64 bytes."""
    packed = np.arange(128, dtype=np.uint8)[None]

    np.testing.assert_array_equal(packed[:, :64], truncate(packed, 512, "ubinary"))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: pack([[1.0] * 9]), "multiple of 8 columns"),
        (lambda: pack([1.0] * 8), "must be a matrix"),
        (lambda: pack([[1.0] * 8], "int8"), "must be binary or ubinary"),
        (lambda: unpack([[1]], "float"), "must be binary or ubinary"),
        (lambda: unpack(np.zeros((1, 2), np.int8), "ubinary"), "vectors must be a matrix of uint8, .* and int8"),
        (lambda: unpack([[1, 256]], "ubinary"), "matrix of uint8, .* and int64"),
        (lambda: unpack(np.zeros(2, np.uint8), "ubinary"), "must be a matrix"),
        (lambda: similarity([[1.0]], np.ones((1, 1), np.int8)), "documents must be a matrix of float32, .* and int8"),
        (lambda: similarity([[0.5]], [[0.5]], "int8"), "queries must be a matrix of int8, .* and float64"),
        (lambda: similarity(np.ones((1, 1), np.int8), np.ones((1, 1), np.uint8), "int8"), "documents must be a matrix of int8"),
        (lambda: truncate(np.ones((1, 2), np.int8), 1), "matrix of float32, .* and int8"),
        (lambda: truncate([1.0, 2.0], 1), "must be a matrix"),
        (lambda: truncate([[1.0], [1.0, 2.0]], 1), "must be a matrix"),
        (lambda: truncate([["a"]], 1), "must be a matrix"),
        (lambda: truncate([[1.0, 2.0]], 1.0), "dimension must be an integer, not 1.0"),
        (lambda: hamming(np.zeros((1, 2), np.uint8), np.zeros((1, 3), np.uint8), "ubinary"), "the same number of columns"),
        (lambda: similarity([[1.0]], [[1.0, 2.0]]), "the same number of columns"),
        (lambda: similarity([[1.0]], [[1.0]], "float16"), "dtype must be one of float,"),
        (lambda: truncate([[1.0, 2.0]], 3), "dimension must be from 1 to 2, not 3"),
        (lambda: truncate([[1.0, 2.0]], 0), "dimension must be from 1 to 2, not 0"),
        (lambda: truncate(np.zeros((1, 4), np.uint8), 12, "ubinary"), "from 8 to 32 and a multiple of 8, not 12"),
    ],
)  # fmt: skip
def test_an_error_says_what_is_wrong(call, message):
    """The message names the argument and its valid values."""
    with pytest.raises(ArgumentError, match=message):
        call()


def embedded(face, texts=("a", "b"), model="voyage-4", **more):
    """Return a result of either client."""
    return face.call(face.client(), "embed", list(texts), model=model, **more)


def test_a_result_knows_its_embedding_space(face):
    """Models of one family share a space, and an unknown model has none."""
    assert embedded(face).space == embedded(face, model="voyage-4-lite").space
    assert embedded(face).space != embedded(face, model="voyage-code-4").space
    assert embedded(face, model="voyage-99").space is None


def test_comparing_two_embedding_spaces_warns(face):
    """The numbers would look right and mean nothing."""
    query, code = embedded(face), embedded(face, model="voyage-code-4")
    with pytest.warns(EmbeddingSpaceWarning, match="voyage-4 and of voyage-code-4") as caught:
        query.similarity(code)
    assert __file__ == caught[0].filename
    lite, unknown = embedded(face, model="voyage-4-lite"), embedded(face, model="voyage-99")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = query.similarity(lite)
        query.similarity(unknown)
    np.testing.assert_array_equal(query.to_numpy() @ query.to_numpy().T, found)


def test_comparing_two_dtypes_is_refused(face):
    """Bytes and floats are not comparable."""
    with pytest.raises(ArgumentError, match="int8, but these vectors are float"):
        embedded(face).similarity(embedded(face, output_dtype="int8", output_dimension=256))


def test_the_chunks_of_a_document_can_be_compared_too(face):
    """A contextualized query is compared with the chunks of each document."""
    result = face.call(
        face.client(), "contextualized_embed", [["a", "b"], ["c"]], model="voyage-context-4"
    )

    assert (2, 1) == result.results[0].similarity(result.results[1]).shape
    assert "voyage-context-4" == result.results[0].space


def test_bytes_are_little_endian_rows(face):
    """A vector database can store the bytes unchanged."""
    assert [np.array(row, "<f4").tobytes() for row in ([0, 0.5], [1, 1.5])] == embedded(
        face
    ).to_bytes()
    result = embedded(face, output_dtype="int8", output_dimension=256)
    lists = result.embeddings

    assert [np.array(row, "i1").tobytes() for row in lists] == result.to_bytes()
    assert [] == type(result)().to_bytes()


def test_arrow_shares_the_memory_of_the_vectors(face):
    """Millions of vectors go into a table without a copy."""
    pyarrow = pytest.importorskip("pyarrow")
    result = embedded(face)
    table = result.to_arrow()

    assert pyarrow.list_(pyarrow.float32(), 2) == table.type
    assert [[0.0, 0.5], [1.0, 1.5]] == table.to_pylist()
    assert result.to_numpy().ctypes.data == table.values.buffers()[1].address
    assert result.embeddings == result.to_arrow().to_pylist()


def test_without_pyarrow_the_error_says_how_to_get_it(face, monkeypatch):
    """pyarrow is an extra, and the error names it."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ImportError, match='extra `arrow`: pip install "pyarrow'):
        embedded(face).to_arrow()
