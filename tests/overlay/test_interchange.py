"""numpy, Arrow, DLPack and MongoDB take results: the same memory, or equal bytes."""

from __future__ import annotations

import subprocess
import sys
from array import array

import bson
import numpy as np
import pytest
from bson.binary import Binary, BinaryVectorDtype
from voyageai.error import ArgumentError
from voyageai.object import ContextualizedEmbeddingsObject, EmbeddingsObject
from voyageai.vectors import Vectors
from voyageai_rest.dtypes import DTYPES

ROWS, COLUMNS = 3, 8
FORMATS = {"float32": "f", "int8": "b", "uint8": "B"}


def made(dtype="float", rows=ROWS):
    """Return a result of a dtype, with numbers of both signs if the dtype has them."""
    number = DTYPES[dtype].number
    low = 0 if number == "uint8" else -4
    numbers = array(FORMATS[number], [low + n for n in range(rows * COLUMNS)])
    result = EmbeddingsObject()
    result.output_dtype = dtype
    result._append(Vectors(bytearray(numbers.tobytes()), number, COLUMNS))
    return result


@pytest.mark.parametrize("dtype", DTYPES)
def test_numpy_shares_memory(dtype):
    """numpy reads a result without a copy, and as a matrix instead of an array of one object."""
    result = made(dtype)
    matrix = np.asarray(result)

    assert (ROWS, COLUMNS) == matrix.shape
    assert DTYPES[dtype].number == matrix.dtype
    assert result.to_numpy().ctypes.data == matrix.ctypes.data
    assert result.embeddings == matrix.tolist()
    assert result.__array__(copy=False).ctypes.data == matrix.ctypes.data


def test_numpy_copies_on_request():
    """numpy's `copy=True` works as for any array."""
    result = made()
    copied, doubled = np.array(result), np.asarray(result, dtype=np.float64)
    copied[0, 0] = 9

    assert -4 == result.to_numpy()[0, 0]
    assert np.float64 == doubled.dtype
    np.testing.assert_array_equal(doubled, result.to_numpy())


@pytest.mark.parametrize("arguments", [{"dtype": np.float64}, {}])
def test_numpy_is_not_given_a_copy_that_it_forbids(arguments):
    """numpy raises instead, as the caller would write into a copy."""
    result = made()
    if not arguments:
        result.embeddings[0][0] = 1.0
    with pytest.raises(ValueError, match="needs a copy"):
        result.__array__(copy=False, **arguments)  # as numpy calls it from 2.0 on


def test_functions_of_numpy_take_results():
    """Users pass a result to numpy functions as a matrix."""
    result = made()

    assert (ROWS,) == np.linalg.norm(result, axis=1).shape
    assert (2 * ROWS, COLUMNS) == np.concatenate([result, result]).shape
    np.testing.assert_array_equal(
        result.to_numpy() @ np.ones(COLUMNS), np.dot(result, np.ones(COLUMNS))
    )


def test_documents_of_chunks_are_no_matrix():
    """Documents have different numbers of chunks, so an array of one object would be a trap."""
    with pytest.raises(TypeError, match=r"numpy\.asarray\(result\.results\[0\]\)"):
        np.asarray(ContextualizedEmbeddingsObject())


@pytest.mark.parametrize("dtype", DTYPES)
def test_arrow_shares_memory(dtype):
    """Any library with the PyCapsule interface reads results without a copy, like pyarrow."""
    pa = pytest.importorskip("pyarrow")
    result = made(dtype)
    column, table = pa.array(result), pa.table(result)

    assert (
        pa.list_(getattr(pa, str(result.to_numpy().dtype).replace("float32", "float32"))(), COLUMNS)
        == column.type
    )
    assert result.to_numpy().ctypes.data == column.values.buffers()[1].address
    assert ["embedding"] == table.column_names
    assert result.to_numpy().ctypes.data == table["embedding"].chunk(0).values.buffers()[1].address
    assert result.embeddings == column.to_pylist() == table["embedding"].to_pylist()


@pytest.mark.parametrize("dtype", DTYPES)
def test_dlpack_shares_memory(dtype):
    """torch, JAX, CuPy and numpy read results through DLPack."""
    result = made(dtype)
    matrix = np.from_dlpack(result)

    assert result.to_numpy().ctypes.data == matrix.ctypes.data
    np.testing.assert_array_equal(result.to_numpy(), matrix)


KINDS = {
    "float": BinaryVectorDtype.FLOAT32,
    "int8": BinaryVectorDtype.INT8,
    "ubinary": BinaryVectorDtype.PACKED_BIT,
}


@pytest.mark.parametrize(("dtype", "kind"), KINDS.items())
def test_bson_is_that_of_pymongo(dtype, kind):
    """The bytes equal pymongo's own, so drivers of every language read them."""
    result = made(dtype)
    expected = [Binary.from_vector(row, kind) for row in result.embeddings]

    assert expected == result.to_bson()
    read = bson.decode(bson.encode({"v": result.to_bson()[1]}))["v"].as_vector()
    assert (kind, 0, result.embeddings[1]) == (read.dtype, read.padding, read.data)


@pytest.mark.parametrize(("dtype", "instead"), [("uint8", "int8"), ("binary", "ubinary")])
def test_what_mongodb_can_not_store_is_refused(dtype, instead):
    """Stored as another type, the numbers would change."""
    message = f"no vectors of dtype '{dtype}'.*embed with output_dtype='{instead}'"
    with pytest.raises(ArgumentError, match=message):
        made(dtype).to_bson()


@pytest.mark.parametrize("dtype", DTYPES)
def test_floats_in_the_place_of_others_are_stored_as_floats(dtype):
    """Float vectors stored as int8 would become four times as many wrong numbers."""
    result = made(dtype)
    result.embeddings = [[0.5, -0.25]]

    assert [Binary.from_vector([0.5, -0.25], BinaryVectorDtype.FLOAT32)] == result.to_bson()


def test_a_matrix_can_take_the_place_of_lists():
    """Users scale vectors with numpy and assign the matrix back."""
    result = made()
    matrix = result.to_numpy() / 2
    result.embeddings = matrix

    assert matrix is result.embeddings
    assert ROWS == len(result)
    assert f"{ROWS} x {COLUMNS}" in result._shape()
    np.testing.assert_array_equal(matrix, result.to_numpy())
    assert matrix.tolist() == result.to_arrow().to_pylist()
    assert "similarity to each other" in result._repr_html_()


def test_no_vectors_are_an_empty_column():
    """An empty result becomes an empty column instead of an error."""
    assert [] == EmbeddingsObject().to_arrow().to_pylist()


def test_without_pymongo_the_error_says_how_to_get_it(monkeypatch):
    """pymongo is an extra, and the error names it."""
    monkeypatch.setitem(sys.modules, "bson.binary", None)
    with pytest.raises(ImportError, match="extra `mongodb`"):
        made().to_bson()


def test_nothing_optional_is_loaded_before_it_is_used():
    """Reading lists needs neither numpy, pyarrow nor pymongo."""
    code = (
        "import sys\nfrom voyageai.object import EmbeddingsObject\nimport voyageai.mongodb\n"
        "result = EmbeddingsObject()\nresult.embeddings, repr(result), result._repr_html_()\n"
        "print([name for name in ('numpy', 'pyarrow', 'bson', 'sklearn') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "[]" == done.stdout.strip()
