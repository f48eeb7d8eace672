"""Tables by the Batch API equal those of live jobs; no batch is sent twice or lost."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import httpx2
import pyarrow as pa
import pyarrow.parquet
import pytest
import voyageai
from voyageai.batches import JobTimings, MaxCostError
from voyageai.error import ArgumentError, InvalidRequestError
from voyageai.tables import RowError
from voyageai.tables.batch import batch_task
from voyageai.tables.options import embed_spec
from voyageai.tables.slices import read_info
from voyageai_emulator import Emulator

from tests.batch_limits import limit_batches

from .conftest import KEY, OPTIONS, job_of, rows_of

BATCH: dict[str, Any] = {
    "via": "batch",
    "poll": 0.01,
    "timings": JobTimings(settle_delay=0, limit_delay=0.01),
}
RUNNERS: list[asyncio.Runner] = []
LONG = "word " * 33_000
"""A text with more tokens than the context length of the models."""
METHODS: dict[str, dict[str, Any]] = {
    "embed": {"truncation": False},
    "contextualized_embed": {"method": "contextualized_embed", "model": "voyage-context-4"},
    "rerank": {
        "method": "rerank",
        "columns": ("q", "body"),
        "model": "rerank-2.5",
        "truncation": False,
    },
}


@pytest.fixture(params=["Client", "AsyncClient"])
def client(request: pytest.FixtureRequest, emulator: Emulator) -> Iterator[Any]:
    """Each of the two clients, connected to an emulator."""
    found = getattr(voyageai, request.param)(KEY, base_url=emulator)
    with asyncio.Runner() as runner:
        RUNNERS.append(runner)
        yield found
        done(found.close() if request.param == "Client" else found.aclose())
        RUNNERS.remove(runner)


def done(value: Any) -> Any:
    """Return the result of a call of either client, awaited in the test's event loop."""

    async def wait() -> Any:
        return await value

    return RUNNERS[-1].run(wait()) if inspect.isawaitable(value) else value


@pytest.fixture
def small_batches(client: Any) -> None:
    """Limit batches to few rows, so that small jobs have several batches."""
    limit_batches(client, inputs=16)


def bad_rows(count: int = 45) -> list[dict[str, Any]]:
    """Return rows in groups of five, of which some have no text and one is too long."""
    bad = {3: None, 14: "", 17: "lone \ud800", 23: LONG, 44: None}
    return [
        {
            **row,
            "body": bad.get(place, row["body"]),
            "doc": place // 5,
            "q": f"question {place // 5}",
            "more": place,
        }
        for place, row in enumerate(rows_of(count))
    ]


def parts_of(path: Path) -> dict[str, tuple[Any, dict[str, Any]]]:
    """Return content and metadata of each part of a table, without the id of the job."""
    found = {}
    for part in sorted(path.glob("part-*")):
        table = pa.parquet.read_table(part)
        facts = {**attrs.asdict(read_info(part)), "job": None}
        found[part.name] = table.replace_schema_metadata(), facts
    return found


def lines_of(emulator: Emulator, key: str = KEY) -> Counter[str]:
    """Count how often each line was sent in the batches that the emulator has created."""
    lines = Counter[str]()
    with voyageai.Client(key, base_url=emulator) as vo:
        for batch in vo.batches.list():
            assert "completed" == batch.status
            lines.update(row["custom_id"] for row in vo.files.content(batch.input_file_id).lines())
    return lines


def created(emulator: Emulator) -> int:
    """Count the batches that the emulator has created."""
    emulator.requests.settle()
    return sum(request.status == 200 for request in emulator.requests.of("createBatch"))


def compare(client: Any, rows: Any, tmp_path: Path, **options: Any) -> tuple[Any, Any]:
    """Run a job live and as batches, compare the tables, and return both results."""
    results = []
    for name, via in (("live", {}), ("batch", BATCH)):
        job = job_of(client, rows, tmp_path / name, keep=["more"], **options, **via)
        results.append(done(job.run()))
    live, batch = results
    assert parts_of(tmp_path / "live") == parts_of(tmp_path / "batch")
    assert (live.rows, live.failed, live.tokens) == (batch.rows, batch.failed, batch.tokens)
    assert list(live.failures()) == list(batch.failures())
    return live, batch


# Equal tables


@pytest.mark.parametrize("method", METHODS)
def test_a_table_by_batches_is_the_one_that_live_requests_give(
    client, small_batches, tmp_path, method
):
    """Both tables are equal bit for bit, with failed rows, several slices and several batches."""
    live, batch = compare(client, bad_rows(), tmp_path, **METHODS[method])

    assert 0 < live.failed < 45
    assert 0.67 * live.cost == pytest.approx(batch.cost)
    assert ["_job"] == [path.name for path in (tmp_path / "batch").glob("[!p]*")]
    assert not (tmp_path / "batch" / "_job" / "batch").exists()


@pytest.mark.parametrize("options", [{"deduplicate": True}, {"output_dtype": "int8"}], ids=str)
def test_other_options_give_the_same_table_too(client, tmp_path, options):
    """Equal texts are sent once, and vectors may have any dtype."""
    rows = [{**row, "body": f"text {place % 7}", "more": 1} for place, row in enumerate(bad_rows())]
    compare(client, rows, tmp_path, **options)


def test_a_source_that_is_read_once_is_written_down(client, emulator, tmp_path):
    """Its rows are needed again to join them with the answers, when the source may be gone."""
    rows = [
        {**row, "body": None if place < 1100 else row["body"]}
        for place, row in enumerate(rows_of(1500))
    ]
    job = job_of(client, iter(rows), tmp_path / "v", slice_rows=400, **BATCH)

    assert 1500 == job.estimate.rows
    result = done(job.run())
    assert (400, 1100) == (result.rows, result.failed)
    again = job_of(client, iter(rows), tmp_path / "v", slice_rows=400, **BATCH)
    assert 1 == created(emulator)
    assert result == done(again.run())
    assert 1 == created(emulator)
    rows[1200] = {**rows[1200], "body": "something else"}
    with pytest.raises(ArgumentError, match="source has other rows than when the job in"):
        job_of(client, iter(rows), tmp_path / "v", slice_rows=400, **BATCH)


def test_a_table_whose_rows_all_fail_needs_no_batch(client, emulator, tmp_path):
    """Each row has the same reason as in a live job."""
    rows = [{**row, "body": None, "more": 1} for row in rows_of(25)]
    compare(client, rows, tmp_path)

    assert 0 == created(emulator)


# Cost, failures, progress


def test_the_estimate_is_at_the_price_of_batches(client, tmp_path):
    """A batch job costs a third less than the same live job."""
    live = job_of(client, rows_of(25), tmp_path / "a").estimate
    batch = job_of(client, rows_of(25), tmp_path / "b", **BATCH).estimate

    assert live.tokens == batch.tokens
    assert 0.67 * live.cost == pytest.approx(batch.cost)
    assert "at the price of batches, 33% off" in str(batch)


def test_max_cost_is_kept_over_runs_and_retries(client, emulator, small_batches, tmp_path):
    """The cost of earlier batches counts towards the limit, and their results are kept."""
    rows = rows_of(40)
    job = job_of(client, rows, tmp_path / "v", **BATCH)
    with pytest.raises(MaxCostError, match="but the job would cost about"):
        done(job.run(max_cost=1e-9))
    assert 0 == created(emulator)
    limit = job.estimate.cost * 1.01
    with pytest.raises(MaxCostError, match="Continue with a higher max_cost") as stop:
        done(job.run(max_cost=limit))
    assert 0 <= stop.value.spent <= limit
    assert 0 < stop.value.rows_left <= 40
    result = done(job_of(client, rows, tmp_path / "v", **BATCH).run(max_cost=1))

    assert 40 == result.rows
    assert {1} == set(lines_of(emulator).values())
    price = job.estimate.price / 1_000_000
    assert result.cost == pytest.approx(result.tokens * price)


def test_rows_that_failed_are_sent_again_alone_in_further_batches(client, emulator, tmp_path):
    """The retry keeps to the cost limit of the whole job, and puts the rows in their places."""
    rows = rows_of(45)
    emulator.batches.fail(times=1, status=500, message="Internal Server Error")
    job = job_of(client, rows, tmp_path / "v", **BATCH)
    first = done(job.run())
    failures = list(first.failures())

    assert {("refused", 500, "Internal Server Error")} == {
        (failure.code, failure.status, failure.message) for failure in failures
    }
    assert (45, len(failures)) == (first.rows + first.failed, first.failed)
    assert 0 < first.failed <= 10
    with pytest.raises(MaxCostError, match=r"of which .* was billed") as stop:
        done(job.retry_failed(max_cost=job.estimate.cost * 1.01))
    assert stop.value.spent == pytest.approx(first.cost)
    result = done(job.retry_failed())
    whole = done(job_of(client, rows, tmp_path / "whole").run())

    assert (45, 0) == (result.rows, result.failed)
    assert whole.tokens == result.tokens
    assert 2 == created(emulator)
    for (name, (table, _)), (other, (wanted, _)) in zip(
        parts_of(tmp_path / "v").items(), parts_of(tmp_path / "whole").items(), strict=True
    ):
        assert (other, wanted) == (name, table)


def test_a_row_without_a_result_may_end_the_job(client, emulator, tmp_path):
    """A row known to be bad stops the job unsent; others can succeed on the next run."""
    options = {"on_error": "raise", **BATCH}
    with pytest.raises(RowError, match=r"^row 'r3': null"):
        done(job_of(client, bad_rows(), tmp_path / "bad", **options).run())
    assert 0 == created(emulator)

    emulator.batches.fail(times=1, status=400, message="this line is refused")
    emulator.batches.fail(times=10, status=400, message="and each of its rows")
    job = job_of(client, rows_of(25), tmp_path / "v", **options)
    with pytest.raises(RowError, match=r": refused: and each of its rows"):
        done(job.run())
    emulator.batches.stop_failing()
    result = done(job_of(client, rows_of(25), tmp_path / "v", **options).run())
    assert (25, 0) == (result.rows, result.failed)


def test_a_job_whose_rows_are_all_refused_stops_before_it_sends_them_one_by_one(
    client, emulator, tmp_path
):
    """The arguments are wrong then; nothing was billed, and the next run starts again."""
    emulator.batches.fail(status=400, message="no such thing")
    job = job_of(client, rows_of(90), tmp_path / "v", **BATCH)
    with pytest.raises(InvalidRequestError, match="no such thing") as caught:
        done(job.run())
    assert "none was answered" in " ".join(caught.value.__notes__)
    assert 1 == created(emulator)
    emulator.batches.stop_failing()

    assert 90 == done(job.run()).rows


def test_many_rows_may_fail_once_more(client, emulator, tmp_path):
    """Earlier successes show that the arguments are right, so the retry does not stop early."""
    emulator.batches.fail(times=1, status=400, message="this line is refused")
    emulator.batches.fail(times=10, status=400, message="and each of its rows")
    job = job_of(client, rows_of(25), tmp_path / "v", slice_rows=50, **BATCH)
    first = done(job.run())
    emulator.batches.fail(status=400, message="no more")

    assert 10 == first.failed == done(job.retry_failed()).failed


def test_progress_tells_of_batches_and_of_rows(client, tmp_path):
    """The user sees every stage, from writing the rows to the finished table."""
    events: list[Any] = []
    done(job_of(client, rows_of(25), tmp_path / "v", progress=events.append, **BATCH).run())

    stages = [one.stage for one in events]
    assert {"preparing", "uploading", "creating", "running", "downloading", "done"} <= set(stages)
    assert ("done", 25, 25, "rows") == (
        events[-1].stage,
        events[-1].done,
        events[-1].total,
        events[-1].unit,
    )


# Arguments


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"via": "post"}, "via must be one of live, batch, not 'post'"),
        ({"share": 0.5}, "share has no effect with via='batch': batches have no rate limit"),
        ({"concurrency": 3}, "concurrency has no effect with via='batch'"),
        ({"model": "voyage-2"}, "batches do not accept voyage-2; use a newer model"),
        ({"model": "rerank-2.5"}, "rerank-2.5 is not a model for embed"),
        ({"poll": -1}, "poll"),
        ({"timings": 3}, "timings must be a voyageai.batches.JobTimings"),
        ({"via": "live", "poll": 3}, "poll has no effect with via='live'"),
        ({"via": "live", "timings": JobTimings()}, "timings has no effect with via='live'"),
    ],
)
def test_options_without_effect_are_refused(client, tmp_path, options, match):
    """The error says why, and the directory is not created."""
    arguments = {
        "text": "body",
        "id": "id",
        "model": "voyage-4",
        "via": "batch",
        **OPTIONS,
        **options,
    }
    if arguments["model"] != "voyage-4":
        del arguments["output_dimension"]
    with pytest.raises(ArgumentError, match=match):
        done(client.tables.prepare_embed(rows_of(3), into=tmp_path / "v", **arguments))

    assert not (tmp_path / "v").exists()


def test_a_field_of_live_requests_alone_is_refused():
    """Silently dropping the field would change the results."""
    spec = embed_spec("embed", "body", "voyage-4", {**OPTIONS, "via": "batch"}, None)
    with pytest.raises(
        ArgumentError, match=r"batches do not accept these arguments: .*priority; use via='live'"
    ):
        batch_task(attrs.evolve(spec, params={**spec.params, "priority": 3}))


def test_a_job_goes_on_as_it_was_begun(client, tmp_path):
    """Batches under way would be paid for a second time by live requests."""
    done(job_of(client, rows_of(3), tmp_path / "v", **BATCH).run())
    with pytest.raises(ArgumentError, match="began with via='batch', not 'live'"):
        job_of(client, rows_of(3), tmp_path / "v")


@pytest.mark.parametrize("method", METHODS)
def test_the_public_methods_take_via_batch(client, emulator, tmp_path, method):
    """A user changes from live requests to batches by one argument."""
    options = {"id": "id", "into": tmp_path / "v", "progress": False, **BATCH}
    columns: dict[str, Any] = {
        "embed": {"text": "body", "model": "voyage-4", "input_type": "document"},
        "contextualized_embed": {
            "text": "body",
            "group": "doc",
            "model": "voyage-context-4",
            "input_type": "document",
        },
        "rerank": {"query": "q", "document": "body", "model": "rerank-2.5"},
    }[method]
    result = done(getattr(client.tables, method)(bad_rows(), max_cost=1, **columns, **options))

    assert 45 == result.rows + result.failed
    assert created(emulator) >= 1


# Crashes


class KilledError(BaseException):
    """Stands for the end of the process, so no `except Exception` catches it."""


class Breaking(httpx2.BaseTransport):
    """A transport that kills the process at one request, before or after it is answered."""

    def __init__(self, place: int, *, answered: bool) -> None:
        self._http, self._left, self._answered = httpx2.HTTPTransport(), place, answered

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send the request, unless the process is killed at it."""
        self._left -= 1
        if self._left == 0:
            if self._answered:
                self._http.handle_request(request).read()
            raise KilledError
        return self._http.handle_request(request)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


@pytest.mark.parametrize("answered", [False, True], ids=["before", "after"])
def test_a_job_that_ends_at_any_request_submits_nothing_twice(emulator, tmp_path, answered):
    """The next run finds the batches already submitted, and the table is the same."""
    rows = bad_rows(20)
    options: dict[str, Any] = {"keep": ["more"], **BATCH}
    with voyageai.Client(KEY, base_url=emulator) as vo:
        compare(vo, rows, tmp_path)
    wanted = parts_of(tmp_path / "live")
    ended = 0
    for place in range(1, 100):
        key, into = f"key-{place}", tmp_path / f"v{place}"
        breaking = Breaking(place, answered=answered)
        with voyageai.Client(key, base_url=emulator, transport=breaking) as vo:
            limit_batches(vo, inputs=16)
            try:
                job_of(vo, rows, into, **options).run()
            except KilledError:
                ended += 1
            else:
                break
            finally:
                breaking.close()
        with voyageai.Client(key, base_url=emulator) as vo:
            limit_batches(vo, inputs=16)
            job_of(vo, rows, into, **options).run()
        assert wanted == parts_of(into)
        assert {1} == set(lines_of(emulator, key).values())

    assert ended >= 8


@pytest.mark.parametrize(
    "after", [0, 3, *(pytest.param(after, marks=pytest.mark.full) for after in (1, 2, 4))]
)
def test_a_job_that_ends_while_its_slices_are_written_goes_on(client, emulator, tmp_path, after):
    """The next run uses the answers that were downloaded, and requests nothing again."""
    rows, told = bad_rows(), iter(range(after + 1))

    def end(progress: Any) -> None:
        if progress.stage == "running" and progress.unit == "rows" and next(told, None) == after:
            raise KilledError

    options = {**METHODS["embed"], **BATCH}
    with pytest.raises(KilledError):
        done(job_of(client, rows, tmp_path / "v", **{**options, "progress": end}).run())
    sent = len(emulator.requests)
    result = done(job_of(client, rows, tmp_path / "v", **options).run())

    assert sent == len(emulator.requests)
    assert (40, 5) == (result.rows, result.failed)
    whole = job_of(client, rows, tmp_path / "w", **METHODS["embed"])
    done(whole.run())
    assert parts_of(tmp_path / "w") == parts_of(tmp_path / "v")


def test_a_crash_between_batches_loses_nothing(client, emulator, tmp_path):
    """The crash may leave half-written rows, or a half-removed folder of batches."""
    own = tmp_path / "v" / "_job"
    (own / "batch" / "batches").mkdir(parents=True)
    job = None
    for path in (own / "batch" / "batches" / "0001.jsonl", own / ".batch" / "job.json"):
        path.parent.mkdir(exist_ok=True)
        path.write_text('{"half')
    with pytest.raises(ArgumentError, match="holds other files and no table job"):
        job_of(client, rows_of(25), tmp_path / "v", **BATCH)
    job = job_of(client, rows_of(25), tmp_path / "w", **BATCH)
    (own / "batch").rename(tmp_path / "w" / "_job" / "batch")
    (own / ".batch").rename(tmp_path / "w" / "_job" / ".batch")
    (tmp_path / "w" / "_job" / "batch.json").write_text(json.dumps({"first": {}, "spent": 9}))

    assert 25 == done(job.run()).rows
    assert ["failures.jsonl", "job.json", "lock"] == sorted(
        path.name for path in (tmp_path / "w" / "_job").iterdir()
    )
