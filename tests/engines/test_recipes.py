"""The examples for engines and databases in docs/examples and on the pages."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import voyageai
from voyageai_emulator import Emulator

from .conftest import EXAMPLES, ROWS, Run, texts_sent, wanted

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

QUESTION = "It rains on day 1234."
BLOCKS = [
    block
    for page in sorted(EXAMPLES.parents[1].glob("*.md"))
    for block in re.findall(r"^```py\n(.*?)^```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)
]
"""The code blocks of the documentation that need an engine; other blocks are marked `python`."""


@pytest.fixture
def table(emulator: Emulator, tmp_path: Path) -> Path:
    """A table written by a job."""
    rows = [{"id": row, "body": f"It rains on day {row}."} for row in range(1500)]
    with voyageai.Client() as vo:
        vo.tables.embed(
            rows, text="body", id="id", model="voyage-4", input_type="document",
            output_dimension=512, into=tmp_path / "vectors", progress=False,
        )  # fmt: skip
    return tmp_path / "vectors"


@pytest.mark.parametrize("name", ["polars", "duckdb"])
def test_a_query_is_the_source_of_a_job(
    name: str, emulator: Emulator, notes: Path, run: Run, tmp_path: Path
) -> None:
    """Only rows that the query selects are sent, and a second run sends nothing."""
    pytest.importorskip(name)
    said = run(f"{name}_table.py", notes, "vectors")
    assert str(ROWS - 6) in said
    assert wanted() == sorted(texts_sent(emulator))
    sent = len(emulator.requests)
    assert said == run(f"{name}_table.py", notes, "vectors")
    assert sent == len(emulator.requests)


def test_datasets_map_by_two_processes(
    emulator: Emulator, notes: Path, run: Run, tmp_path: Path
) -> None:
    """Rows keep their order over two processes, and each failed row has a reason."""
    datasets = pytest.importorskip("datasets")
    run("hf_datasets.py", notes, "vectors", HF_HOME=str(tmp_path / "cache"), HF_HUB_OFFLINE="1")
    found = datasets.load_from_disk(str(tmp_path / "vectors")).with_format(None).to_dict()
    assert list(range(ROWS)) == found["id"]
    assert {None, "it is empty"} == set(found["error"])
    assert wanted() == sorted(texts_sent(emulator))


@pytest.mark.skipif(not shutil.which("java"), reason="no Java, which Spark runs on")
def test_spark_maps_in_arrow(emulator: Emulator, notes: Path, run: Run, tmp_path: Path) -> None:
    """Each of two tasks has half of the rate limit, and the vectors arrive as lists."""
    pytest.importorskip("pyspark")
    run("spark_table.py", notes, "vectors")
    found = pq.read_table(tmp_path / "vectors")
    assert list(range(ROWS)) == sorted(found["id"].to_pylist())
    assert 6 == found["embedding"].null_count
    assert {512} == {len(vector) for vector in found["embedding"].to_pylist() if vector}
    assert wanted() == sorted(texts_sent(emulator))


def test_lancedb_takes_a_table(table: Path, run: Run) -> None:
    """The table can be searched: a text is the nearest to its own words."""
    pytest.importorskip("lancedb")
    assert "1234\n" == run("to_lancedb.py", table, "base", QUESTION)


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """A PostgreSQL with pgvector; for root it runs as a user, who can't enter pytest's folders."""
    pgserver = pytest.importorskip("pgserver")
    with (
        tempfile.TemporaryDirectory() as folder,
        pgserver.get_server(Path(folder, "data")) as found,
    ):
        yield found.get_uri()


def test_pgvector_takes_a_table(table: Path, run: Run, postgres: str) -> None:
    """The table can be searched: a text is the nearest to its own words."""
    pytest.importorskip("pgvector")
    assert "1234\n" == run("to_pgvector.py", table, postgres, QUESTION)


def test_mongodb_gets_documents_that_can_be_written_again(table: Path) -> None:
    """No index has a MongoDB server to install, so this checks the writes that it would get."""
    pytest.importorskip("pymongo")
    spec = importlib.util.spec_from_file_location("to_mongodb", EXAMPLES / "to_mongodb.py")
    assert spec is not None
    assert spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    writes = [write for batch in module.writes(str(table)) for write in batch]
    read = pq.read_table(table).to_pylist()

    assert [row["id"] for row in read] == [write._filter["_id"] for write in writes]
    assert all(write._upsert for write in writes)
    documents = [write._doc for write in writes]
    assert [row["embedding"] for row in read] == [
        each["embedding"].as_vector().data for each in documents
    ]


@pytest.mark.skipif(
    not shutil.which("mongod"), reason="no MongoDB server: its example is tried with documents only"
)
def test_mongodb_takes_a_table(table: Path, run: Run, tmp_path: Path) -> None:
    """Running the import again adds no documents, so a failed run can be repeated."""
    (tmp_path / "data").mkdir()
    server = subprocess.Popen(["mongod", "--dbpath", str(tmp_path / "data"), "--port", "27117"])
    try:
        for _ in range(2):
            assert "1500\n" == run("to_mongodb.py", table, "mongodb://localhost:27117/notes")
    finally:
        server.terminate()
        server.wait()


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.split("\n")[0])
def test_a_block_of_the_documentation_runs(
    block: str, emulator: Emulator, run: Run, tmp_path: Path
) -> None:
    """Readers copy the blocks unchanged."""
    (tmp_path / "block.py").write_text(block, "utf-8")
    assert run(tmp_path / "block.py")
    assert ["It rains.", "It snows."] == sorted(texts_sent(emulator))


def test_there_are_blocks_for_engines() -> None:
    """A renamed heading or label must not leave the blocks untested."""
    assert 2 == len(BLOCKS)
