"""The table of a finished job, searched by similarity in batches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
import voyageai
import voyageai.tables
from voyageai.error import ArgumentError
from voyageai.tables.slices import takes_null_vectors

from .conftest import KEY, OPTIONS, done, job_of, rows_of

COUNT = 500


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A client of an emulator, and the folder of tables with two dtypes."""
    import voyageai_emulator

    folder: Path = tmp_path_factory.mktemp("tables")
    with voyageai_emulator.running() as url, voyageai.Client(KEY, base_url=url) as vo:
        for dtype in ("float", "int8"):
            rows = [{**row, "more": place} for place, row in enumerate(rows_of(COUNT))]
            rows[7]["body"] = ""
            options: dict[str, Any] = {"keep": ["more"], "slice_rows": 60}
            if takes_null_vectors():
                options["on_error"] = "null"
            done(job_of(vo, rows, folder / dtype, output_dtype=dtype, **options).run())
        yield vo, folder


@pytest.mark.parametrize("dtype", ["float", "int8"])
@pytest.mark.parametrize("k", [1, 7, COUNT - 1, COUNT * 2])
def test_the_nearest_rows_are_those_of_a_search_of_all(found, dtype, k):
    """The search gives the same rows as numpy does for the whole matrix."""
    vo, folder = found
    options = {**OPTIONS, "input_type": "query", "output_dtype": dtype}
    query = vo.embed(["text number 77"], model="voyage-4", **options)
    table = voyageai.tables.open(folder / dtype)
    result = table.search(query, k)

    whole = pa.parquet.read_table(folder / dtype)
    whole = whole.filter(whole["embedding"].is_valid())
    matrix = np.array(whole["embedding"].to_pylist(), np.float64)
    vector = query.to_numpy().astype(np.float64)[0]
    scores = matrix @ vector
    order = np.argsort(-scores, kind="stable")[:k]
    assert ["id", "more", "similarity"] == result.column_names
    np.testing.assert_allclose(scores[order], result["similarity"].to_numpy(), rtol=1e-5, atol=1e-6)
    assert len(order) == len(set(result["id"].to_pylist()))
    assert whole["id"][int(order[0])].as_py() == result["id"][0].as_py()


def test_similarities_come_in_small_batches_without_the_vectors(found):
    """Memory stays constant whatever the table's size."""
    vo, folder = found
    table = voyageai.tables.open(folder / "float")
    query = vo.embed_query("text", model="voyage-4", output_dimension=256)
    batches = list(table.similarity(query.to_numpy()[0]))

    assert 9 == len(batches)
    assert COUNT - 1 == sum(batch.num_rows for batch, _ in batches)
    assert all((batch.num_rows,) == scores.shape for batch, scores in batches)
    assert {("id", "more")} == {tuple(batch.schema.names) for batch, _ in batches}


def test_a_table_says_what_it_holds(found):
    """Readers see the number of rows and the columns, and can open the table as a dataset."""
    _, folder = found
    table = voyageai.tables.open(str(folder / "int8"))

    rows = COUNT if takes_null_vectors() else COUNT - 1
    assert (rows, rows) == (table.rows, table.dataset().count_rows())
    wanted = {"model": "voyage-4", "output_dtype": "int8", "dimension": 256, "space": "voyage-4"}
    assert wanted.items() <= table.about.items()
    assert f"{rows:,} rows, voyage-4" in repr(table)


def test_a_query_of_another_shape_is_refused(found):
    """A similarity between vectors of different shapes would be meaningless."""
    _, folder = found
    table = voyageai.tables.open(folder / "float")
    with pytest.raises(
        ArgumentError, match="query has 3 numbers, but the table's vectors have 256"
    ):
        table.search([0.1, 0.2, 0.3])
    with pytest.raises(ArgumentError, match=r"query must be one vector, not an array of shape \(2"):
        table.search([[0.1], [0.2]])
    for k in (0, True, 1.5):
        with pytest.raises(ArgumentError, match="k must be a whole number from 1"):
            table.search([0.1] * 256, k)


def test_a_table_in_which_every_row_failed_has_no_nearest(api, tmp_path):
    """The result is empty but has the usual columns."""
    rows = [{"id": row, "body": ""} for row in range(3)]
    job_of(api.client(), rows, tmp_path / "v").run()
    result = voyageai.tables.open(tmp_path / "v").search([0.1] * 256)

    assert (0, ["id", "similarity"]) == (result.num_rows, result.column_names)


def test_a_directory_without_a_table_is_refused(tmp_path):
    """A mistyped path must not look like an empty table."""
    with pytest.raises(ArgumentError, match=r"holds no table: there is no part-\*.parquet"):
        voyageai.tables.open(tmp_path)
