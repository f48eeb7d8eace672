"""Data libraries take results: polars in the same memory, pandas and DuckDB with equal values."""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import voyageai
import voyageai_emulator
from voyageai_rest.dtypes import DTYPES

POLARS = {"float32": pl.Float32, "int8": pl.Int8, "uint8": pl.UInt8}


@pytest.fixture(scope="module", params=DTYPES)
def result(request):
    """Return a result with vectors of two texts, in each dtype."""
    with (
        voyageai_emulator.running() as url,
        voyageai.Client("any-key", base_url=url) as client,
    ):
        yield client.embed_documents(
            ["It rains.", "It snows."],
            model="voyage-4",
            output_dtype=request.param,
            output_dimension=256,
        )


def test_a_series_of_polars_shares_memory(result):
    """A million vectors are not copied into the frame."""
    series, matrix = pl.Series("embedding", result), result.to_numpy()

    assert pl.Array(POLARS[str(matrix.dtype)], matrix.shape[1]) == series.dtype
    assert matrix.ctypes.data == series.to_arrow().values.buffers()[1].address
    assert result.embeddings == series.to_list()


def test_a_frame_of_polars_takes_them_as_a_column(result):
    """Vectors stand beside ids and texts in one frame."""
    frame = pl.DataFrame({"id": [1, 2], "embedding": pl.Series(result)})

    assert result.embeddings == frame["embedding"].to_list()
    assert result.embeddings == pl.DataFrame(pa.table(result))["embedding"].to_list()


def test_duckdb_reads_them_as_a_table(result):
    """DuckDB finds the table by the variable's name, as it finds frames."""
    vectors = result  # noqa: F841  # DuckDB finds it by its name

    found = duckdb.sql("select embedding from vectors").fetchall()
    assert result.embeddings == [list(row) for (row,) in found]


def test_pandas_takes_them(result):
    """pandas takes a result as rows of numbers, or as one column of vectors."""
    np.testing.assert_array_equal(result.to_numpy(), pd.DataFrame(np.asarray(result)).to_numpy())
    np.testing.assert_array_equal(result.to_numpy(), pd.DataFrame(result).to_numpy())
    column = pd.Series(pd.arrays.ArrowExtensionArray(pa.array(result)))
    assert result.embeddings == [list(row) for row in column]
