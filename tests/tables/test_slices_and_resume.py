"""Jobs stopped at any moment resume; a job with other arguments or rows is refused."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest
from voyageai.error import ArgumentError, AuthenticationError
from voyageai.tables.cutting import cut
from voyageai.tables.slices import read_info
from voyageai.tables.sources import Columns, source_of

from .conftest import done, expected, job_of, rows_of, table_in
from .killed import CONCURRENCY, PER_QUERY, ROWS, outlive


class BreakError(Exception):
    """An exception that stops a job in these tests."""


def breaking(api: Any, after: int) -> None:
    """Make the API refuse the key after some responses."""
    import httpx2

    def before(body: Any) -> httpx2.Response | None:
        if len(api.bodies) < after:
            return None
        return httpx2.Response(401, json={"detail": "gone"})

    api.before = before


def mending(api: Any) -> None:
    """Make the API answer again."""
    api.before = lambda body: None


# Slices


def test_slices_are_the_same_whichever_are_done_already(tmp_path):
    """Slices do not depend on how many inputs there are or which slices are finished."""
    for name, rows in (("a", 25), ("b", 0), ("c", 10), ("d", 7)):
        ids = pa.array([f"{name}{row}" for row in range(rows)], pa.string())
        pa.parquet.write_table(pa.table({"id": ids, "body": ids}), tmp_path / f"{name}.parquet")
    source, columns = source_of(str(tmp_path)), Columns("id", ("body",))

    def slices(parts: Any) -> dict[int, Any]:
        found: dict[int, Any] = {}
        for piece in cut(source, 4, columns, parts, 10):
            rows = found.setdefault(piece.slice, [piece.input, piece.first, []])
            if piece.batch is None:
                rows.append(piece.last)
            else:
                rows[2] += piece.batch["id"].to_pylist()
        return {number: tuple(map(str, rows)) for number, rows in found.items()}

    whole = slices({})
    assert 5 == len(whole)
    infos = {
        number: _part(number, int(rows[0]), int(rows[1]), rows[2].count("'") // 2, rows[3])
        for number, rows in whole.items()
    }
    for left in range(2 ** len(whole)):
        parts = {n: info for n, info in infos.items() if left >> n & 1}
        assert {n: rows for n, rows in whole.items() if n not in parts} == slices(parts)


def _part(number: int, input: int, first: int, rows: int, last: str) -> Any:
    from voyageai.tables.slices import PartInfo

    return PartInfo(
        job="j",
        slice=number,
        input=input,
        first=first,
        rows=rows,
        failed=0,
        last=last == "True",
        digest="",
        tokens=0,
        unknown_tokens=0,
    )


# Resuming


@pytest.mark.parametrize("make", [list, iter, "reader", "file"])
@pytest.mark.parametrize("after", [0, 1, 2, 3])
def test_a_job_that_fails_goes_on_where_it_was(vo, api, tmp_path, make, after):
    """No row that has a vector is sent again."""
    rows = rows_of(45)

    def source() -> Any:
        table = pa.Table.from_pylist(rows)
        if make == "reader":
            return table.to_reader(max_chunksize=7)
        if make == "file":
            if not (tmp_path / "a.parquet").exists():
                pa.parquet.write_table(table, tmp_path / "a.parquet", row_group_size=16)
            return tmp_path / "a.parquet"
        return make(rows)

    breaking(api, after)
    with pytest.raises(AuthenticationError):
        done(job_of(vo, source(), tmp_path / "v").run())
    mending(api)
    result = done(job_of(vo, source(), tmp_path / "v").run())

    assert (45, 0, 180) == (result.rows, result.failed, result.tokens)
    assert expected(rows) == table_in(tmp_path / "v")
    assert sorted(row["body"] for row in rows) == sorted(api.texts)


def test_a_job_that_is_done_sends_nothing(vo, api, tmp_path):
    """Running a finished job again returns the same result for free."""
    first = done(job_of(vo, rows_of(45), tmp_path / "v").run())
    sent = api.sent

    assert first == done(job_of(vo, rows_of(45), tmp_path / "v").run())
    assert sent == api.sent


def test_a_source_that_breaks_loses_nothing_and_its_error_arrives_as_it_is(vo, api, tmp_path):
    """Requests in flight are completed and their responses stored before the error is raised."""

    def source(most: int) -> Iterator[Any]:
        for row in rows_of(3000):
            if int(row["id"][1:]) == most:
                raise BreakError
            yield row

    with pytest.raises(BreakError) as caught:
        done(job_of(vo, source(2500), tmp_path / "v", slice_rows=1000).run())
    assert "Nothing that was done is lost" in caught.value.__notes__[-1]
    assert 3000 == done(job_of(vo, source(9999), tmp_path / "v", slice_rows=1000).run()).rows
    assert expected(rows_of(3000)) == table_in(tmp_path / "v")
    assert {1} == set(Counter(api.texts).values())


def test_groups_that_were_answered_are_not_sent_again(vo, api, tmp_path):
    """A group with a stored response is not sent again, even if the rest of its slice is."""
    rows = [{**row, "q": f"question {place // 4}"} for place, row in enumerate(rows_of(40))]
    options: dict[str, Any] = {"method": "rerank", "columns": ("q", "body"), "model": "rerank-2.5"}
    breaking(api, 4)
    with pytest.raises(AuthenticationError):
        done(job_of(vo, rows, tmp_path / "v", slice_rows=40, concurrency=1, **options).run())
    mending(api)
    assert 40 == done(job_of(vo, rows, tmp_path / "v", slice_rows=40, **options).run()).rows

    assert {1} == set(Counter(api.texts).values())


# Damage


def unfinished(api: Any, vo: Any, directory: Path, rows: list[Any]) -> Path:
    """Return the log of a slice of which a part was answered."""
    options: dict[str, Any] = {"slice_rows": 1500, "concurrency": 1}
    breaking(api, 1)
    with pytest.raises(AuthenticationError):
        done(job_of(vo, rows, directory, **options).run())
    mending(api)
    return directory / "_job" / "000000" / "log.jsonl"


def go_on(vo: Any, directory: Path, rows: list[Any]) -> Any:
    """Resume the same job and run it to its end."""
    result = done(job_of(vo, rows, directory, slice_rows=1500).run())
    assert expected(rows) == table_in(directory)
    return result


def test_a_line_that_was_torn_by_a_crash_is_left_out(api, tmp_path):
    """Only the rows of the truncated line are sent again."""
    vo, rows = api.client(), rows_of(1400)
    log = unfinished(api, vo, tmp_path, rows)
    with log.open("ab") as file:
        file.write(b'{"answered": 1, "rows": [[10')
    go_on(vo, tmp_path, rows)

    assert {1} == set(Counter(api.texts).values())


def test_an_answer_whose_vectors_are_damaged_is_asked_for_again(api, tmp_path):
    """Its tokens stay counted, as they were billed."""
    vo, rows = api.client(), rows_of(1400)
    log = unfinished(api, vo, tmp_path, rows)
    with (log.parent / "vectors.bin").open("r+b") as file:
        file.seek(5000)
        file.write(b"other")
    result = go_on(vo, tmp_path, rows)

    assert 1000 == sum(count == 2 for count in Counter(api.texts).values())
    assert 4 * 2400 == result.tokens


@pytest.mark.parametrize("name", ["vectors.bin", "columns.arrow", "log.jsonl"])
def test_a_missing_file_is_created_again(api, tmp_path, name):
    """A crash can happen between the creation of any two of them."""
    vo, rows = api.client(), rows_of(1400)
    (unfinished(api, vo, tmp_path, rows).parent / name).unlink()

    assert 1400 == go_on(vo, tmp_path, rows).rows


def test_a_crash_after_a_finished_slice_loses_nothing(api, tmp_path):
    """The crash may leave a half-written part or a half-removed folder."""
    vo, rows = api.client(), rows_of(20)
    done(job_of(vo, rows, tmp_path).run())
    (tmp_path / ".part-000001.parquet.part").write_bytes(b"half")
    (tmp_path / "_job" / ".000001").mkdir()
    (tmp_path / "_job" / ".000001" / "vectors.bin").write_bytes(b"half")
    sent = api.sent

    assert 20 == done(job_of(vo, rows, tmp_path).run()).rows
    assert sent == api.sent


def test_a_part_of_another_job_is_refused(api, tmp_path):
    """The other job may have vectors of another model or dimension."""
    vo = api.client()
    for name in ("a", "b"):
        job_of(vo, rows_of(5), tmp_path / name).run()
    (tmp_path / "a" / "part-000000.parquet").replace(tmp_path / "b" / "part-000007.parquet")

    with pytest.raises(ArgumentError, match=r"part-000007.parquet is a part of another job"):
        job_of(vo, rows_of(5), tmp_path / "b").run()


# Changed arguments and sources


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"output_dimension": 512}, "began with params=.*256"),
        ({"model": "voyage-4-lite"}, "began with model='voyage-4', not 'voyage-4-lite'"),
        ({"on_error": "raise"}, "began with on_error='record', not 'raise'"),
        ({"columns": ("id",)}, "began with columns="),
    ],
)
def test_other_arguments_are_refused_by_name(vo, tmp_path, options, match):
    """Vectors of two models or sizes in one table would be useless."""
    done(job_of(vo, rows_of(5), tmp_path / "v").run())
    with pytest.raises(ArgumentError, match=match):
        job_of(vo, rows_of(5), tmp_path / "v", **options)


def test_a_file_that_has_changed_is_refused_by_name(vo, tmp_path):
    """A change of size or time counts, and so does an additional file."""
    path = tmp_path / "in" / "a.parquet"
    path.parent.mkdir()
    pa.parquet.write_table(pa.Table.from_pylist(rows_of(5)), path)
    done(job_of(vo, path.parent, tmp_path / "v").run())
    os.utime(path, (1, 1))
    with pytest.raises(ArgumentError, match=r"a\.parquet has changed since the job in"):
        job_of(vo, path.parent, tmp_path / "v")
    pa.parquet.write_table(pa.Table.from_pylist(rows_of(5)), path.with_name("b.parquet"))
    os.utime(path, (1, 1))
    with pytest.raises(ArgumentError, match=r"has changed|began with 1 inputs, not 2"):
        job_of(vo, path.parent, tmp_path / "v")


@pytest.mark.parametrize("make", [list, pa.Table.from_pylist], ids=["list", "table"])
def test_other_rows_in_memory_are_refused(vo, tmp_path, make):
    """The number of rows is the same, so only their contents differ."""
    rows = rows_of(25)
    done(job_of(vo, make(rows), tmp_path / "v").run())
    rows[3] = {**rows[3], "body": "something else"}
    with pytest.raises(ArgumentError, match="source has other rows than when the job in"):
        job_of(vo, make(rows), tmp_path / "v")


def test_rows_that_are_read_once_are_read_again_and_compared(vo, api, tmp_path):
    """The rows may be cut into batches in another way."""
    rows = rows_of(25)
    table = pa.Table.from_pylist(rows)
    done(job_of(vo, table.to_reader(max_chunksize=4), tmp_path / "v").run())
    sent = api.sent
    assert 25 == done(job_of(vo, table.to_reader(max_chunksize=9), tmp_path / "v").run()).rows
    assert sent == api.sent

    rows[13] = {**rows[13], "body": "something else"}
    with pytest.raises(
        ArgumentError, match="rows 10 to 20 differ from those that this job has read befor"
    ):
        done(job_of(vo, iter(rows), tmp_path / "v").run())


def test_a_source_that_is_read_once_is_not_taken_for_an_empty_one(vo, tmp_path):
    """An exhausted iterator would otherwise make a job without rows."""
    job = job_of(vo, iter(rows_of(25)), tmp_path / "v")
    assert 25 == done(job.run()).rows
    for act in (job.run, job.retry_failed):
        with pytest.raises(
            ArgumentError, match="source was already read, and can be read only once"
        ):
            done(act())

    assert expected(rows_of(25)) == table_in(tmp_path / "v")


def test_a_part_says_what_it_is(vo, tmp_path):
    """A reader who has only this file sees the model, the dimension and the slice."""
    done(job_of(vo, rows_of(5), tmp_path / "v").run())
    info = read_info(tmp_path / "v" / "part-000000.parquet")

    assert (0, 0, 5, 0, True, 20) == (
        info.slice,
        info.first,
        info.rows,
        info.failed,
        info.last,
        info.tokens,
    )
    about = {"model": "voyage-4", "dimension": 256, "input_type": "document"}
    assert about.items() <= info.about.items()
    assert "float" == info.about["output_dtype"]
    assert "api_key" not in json.dumps(info.about)


# SIGKILL


def test_a_job_outlives_being_killed(emulator, tmp_path):
    """Only requests in flight are sent twice; `tests/jobs` tests more kills, and batches too."""
    rows = outlive("Client", "live", emulator, tmp_path, 1)
    sent = Counter(text for request in emulator.requests for text in request.body["documents"])

    assert {row["body"] for row in rows} == set(sent)
    assert sum(sent.values()) - ROWS <= CONCURRENCY * PER_QUERY
