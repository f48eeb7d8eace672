"""Every source gives its rows unchanged, and errors in it are named before any request."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.dataset
import pyarrow.fs
import pyarrow.ipc
import pyarrow.parquet
import pytest
from voyageai.error import ArgumentError
from voyageai.tables.sources import Columns, source_of

ROWS = [{"id": row, "body": f'text "{row}",\nnew line', "more": "x"} for row in range(2500)]
TABLE = pa.Table.from_pylist(ROWS)
COLUMNS = Columns("id", ("body",))
WANTED = [{"id": row["id"], "body": row["body"]} for row in ROWS]


def read(source: Any, columns: Columns = COLUMNS, skip: int = 0, **options: Any) -> list[Any]:
    """Read all rows of all inputs."""
    found = source_of(source, **options)
    return [
        row
        for index in range(len(found.inputs()))
        for batch in found.read(index, columns, skip)
        for row in batch.to_pylist()
    ]


def write_ndjson(path: Path) -> None:
    """Write one row per line."""
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))


def write_arrow(path: Path, make: Callable[..., Any]) -> None:
    """Write an Arrow file or stream."""
    with make(str(path), TABLE.schema) as writer:
        writer.write_table(TABLE, max_chunksize=700)


WRITERS: dict[str, Callable[[Path], object]] = {
    "a.parquet": lambda path: pa.parquet.write_table(TABLE, path, row_group_size=700),
    "a.csv": lambda path: pa.csv.write_csv(TABLE, path),
    "a.ndjson": write_ndjson,
    "a.jsonl": write_ndjson,
    "a.arrow": lambda path: write_arrow(path, pa.ipc.new_file),
    "stream.arrow": lambda path: write_arrow(path, pa.ipc.new_stream),
}


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("skip", [0, 1, 700, 1500, 2499, 2500, 9999])
def test_a_file_of_each_format_gives_its_rows_from_any_on(name, skip, tmp_path):
    """A resumed job starts reading in the middle of a file."""
    WRITERS[name](tmp_path / name)

    assert WANTED[skip:] == read(tmp_path / name, skip=skip)


class Frame:
    """A data frame like those of polars, which Arrow reads by one method."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Export the rows as an Arrow C stream."""
        return TABLE.__arrow_c_stream__(requested_schema)


def cursor() -> sqlite3.Cursor:
    """Return a database cursor over the rows."""
    database = sqlite3.connect(":memory:")
    database.execute("create table texts (id integer, body text, more text)")
    database.executemany("insert into texts values (:id, :body, :more)", ROWS)
    return database.execute("select * from texts order by id")


def lists() -> Iterator[list[Any]]:
    """Yield the rows in lists."""
    for start in range(0, len(ROWS), 300):
        yield ROWS[start : start + 300]


SOURCES: dict[str, Callable[[], Any]] = {
    "table": lambda: TABLE,
    "batch": lambda: TABLE.combine_chunks().to_batches()[0],
    "reader": lambda: TABLE.to_reader(max_chunksize=400),
    "dataset": lambda: pa.dataset.dataset(TABLE),
    "frame": Frame,
    "dicts": lambda: ROWS,
    "iterator of dicts": lambda: iter(ROWS),
    "iterator of lists": lists,
    "iterator of batches": lambda: iter(TABLE.to_batches(max_chunksize=333)),
    "iterator of tables": lambda: iter([TABLE.slice(0, 1000), TABLE.slice(1000)]),
}


@pytest.mark.parametrize("name", SOURCES)
def test_rows_in_memory_are_a_source(name):
    """Rows in memory, such as data frames and iterators, need no file."""
    assert WANTED == read(SOURCES[name]())


def test_a_cursor_gives_its_rows():
    """A cursor of any database works, as only the DB-API is used."""
    found = cursor()
    try:
        assert WANTED == read(found)
    finally:
        found.connection.close()


@pytest.mark.parametrize(
    ("name", "repeats"), [("table", True), ("frame", True), ("dicts", True), ("reader", False)]
)
def test_a_source_knows_whether_it_can_be_read_again(name, repeats):
    """The rows of finished slices are read again only from a source that can't be repeated."""
    assert repeats == source_of(SOURCES[name]()).can_repeat


def test_globs_directories_and_lists_give_files_in_order(tmp_path, monkeypatch):
    """Each file is an input, except for hidden files and those of a job."""
    for number in (3, 1, 2):
        folder = tmp_path / "in" / f"part={number}"
        folder.mkdir(parents=True)
        pa.parquet.write_table(TABLE.slice(number, 1), folder / "a.parquet")
    for other in (".hidden.parquet", "_job/a.parquet", ".tmp/a.parquet", "read.me"):
        path = tmp_path / "in" / other
        path.parent.mkdir(exist_ok=True)
        path.write_text("no table")
    monkeypatch.chdir(tmp_path)
    ids = [1, 2, 3]
    whole = [str(tmp_path / "in" / f"part={number}" / "a.parquet") for number in ids]

    for source in ("in", "in/*/*.parquet", whole, f"file://{tmp_path}/in", Path("in")):
        if source == "in/*/*.parquet":
            (tmp_path / "in" / "_job" / "a.parquet").unlink()
        assert ids == [row["id"] for row in read(source)]
    local = pa.fs.SubTreeFileSystem(str(tmp_path), pa.fs.LocalFileSystem())
    assert ids == [row["id"] for row in read("in/*/*.parquet", filesystem=local)]
    assert ids == [row["id"] for row in read("in", filesystem=local)]


def test_files_of_other_names_are_read_by_their_given_format(tmp_path):
    """Exports often have names such as `dump`."""
    write_ndjson(tmp_path / "dump")

    assert WANTED == read(tmp_path / "dump", format="ndjson")
    with pytest.raises(ArgumentError, match=r"extension of .*dump' does not show its format"):
        source_of(tmp_path / "dump")
    with pytest.raises(
        ArgumentError, match="format must be one of arrow, csv, lines, ndjson, parquet, tsv"
    ):
        source_of(tmp_path / "dump", format="xml")


def test_texts_of_csv_stay_texts(tmp_path):
    """The CSV reader would take a column of numbers, or one that starts empty, for another type."""
    rows = ["id,body", *(f"{row}," for row in range(3)), "3,0012", '4,"a', 'b"', "5,1.50"]
    (tmp_path / "a.csv").write_text("\n".join(rows) + "\n")

    assert ["", "", "", "0012", "a\nb", "1.50"] == [row["body"] for row in read(tmp_path / "a.csv")]


@pytest.mark.parametrize("name", WRITERS)
def test_a_missing_column_is_named_with_those_that_are_there(name, tmp_path):
    """The user learns which file lacks the column, and what its columns are called."""
    WRITERS[name](tmp_path / name)
    with pytest.raises(ArgumentError, match=rf"{name}: there is no column 'b'; there are id, body"):
        read(tmp_path / name, Columns("id", ("b",)))


@pytest.mark.parametrize("name", SOURCES)
def test_a_missing_column_of_rows_in_memory_is_named(name):
    """The error is the same as for files."""
    with pytest.raises(ArgumentError, match=r"^there is no column 'b'; there are id, body, more"):
        read(SOURCES[name](), Columns("id", ("b",)))


@pytest.mark.parametrize(
    ("line", "match"),
    [
        ("{", r"a.ndjson: line 3 is not JSON: "),
        ("[" * 100_000, r"a.ndjson: line 3 is not JSON: "),
        ("[1]", r"a.ndjson: line 3 is not an object"),
        ('{"id": "x", "body": ""}', r"a.ndjson: column 'id' is of mixed types: .*'x'"),
    ],
)
def test_a_bad_line_is_named(line, match, tmp_path):
    """The error gives the file and the line number."""
    good = json.dumps(ROWS[0])
    (tmp_path / "a.ndjson").write_text(f"{good}\n\n{line}\n{good}\n")
    with pytest.raises(ArgumentError, match=match):
        read(tmp_path / "a.ndjson")


def test_a_file_of_the_wrong_format_is_named(tmp_path):
    """The user gets the file's name instead of an internal Arrow traceback."""
    for name in ("a.parquet", "a.arrow"):
        (tmp_path / name).write_text("no table")
        with pytest.raises(ArgumentError, match=rf"{name} can't be read: "):
            read(tmp_path / name)


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ("no/file.parquet", "there is no file 'no/file.parquet'"),
        ("no/*.parquet", r"no file matches 'no/\*.parquet'"),
        (7, "source must be a path, .*, not int"),
        ({"id": 1}, "source must be a path, .*, not dict"),
        (b"rows", "source must be a path, .*, not bytes"),
    ],
)
def test_an_invalid_source_is_refused(given, match):
    """The error comes before the job's directory is created."""
    with pytest.raises(ArgumentError, match=match):
        source_of(given)


def test_an_iterable_of_something_else_is_refused():
    """The error names the type that was found."""
    with pytest.raises(ArgumentError, match=r"each must be .*, not int"):
        read([1, 2])


def test_rows_may_lack_columns_that_others_have(tmp_path):
    """The columns are collected from the first thousand rows."""
    assert [{"id": 1, "body": None}, {"id": 2, "body": "b"}] == read(
        [{"id": 1}, {"id": 2, "body": "b"}]
    )


def test_lines_and_tabs_are_formats_that_are_named(tmp_path):
    """The suffix .txt does not imply one text per line, so the user names the format."""
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbfone\r\ntwo\n\nfour")
    (tmp_path / "a.tsv").write_text("text\tn\none\t1\n")

    columns = Columns(None, ("text",))
    lines = source_of(tmp_path / "a.txt", format="lines")
    tabs = source_of(tmp_path / "a.tsv", format="tsv")
    texts = [text for batch in lines.read(0, columns) for text in batch["text"].to_pylist()]
    assert ["one", "two", "", "four"] == texts
    skipped = [text for batch in lines.read(0, columns, 2) for text in batch["text"].to_pylist()]
    assert ["", "four"] == skipped
    assert ["one"] == [
        text for batch in tabs.read(0, columns) for text in batch["text"].to_pylist()
    ]
    with pytest.raises(ArgumentError, match="does not show its format"):
        source_of(tmp_path / "a.tsv")
