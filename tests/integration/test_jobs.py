"""Jobs of any size through both clients, against the emulator's batches."""

from __future__ import annotations

import asyncio
import copy
import json
import logging
import re
import threading
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import httpx2
import pytest
import voyageai
import voyageai_emulator
from blockbuster import blockbuster_ctx
from voyageai import error
from voyageai.batches import JobInUseError, JobTimings, Progress
from voyageai.batches.jobs import tasks
from voyageai_emulator import Emulator
from voyageai_emulator.server import Server, serving
from voyageai_emulator.settings import Settings
from voyageai_rest import catalogue
from voyageai_rest.spec import load

from tests.batch_limits import limit_batches
from tests.calls import calls_of

from .job_harness import MODEL, ROLE, Site, sited, slowly, texts

HALF_AN_HOUR = 30 * 60
HALF_A_DAY = 12 * 3600


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    """An emulator for all tests, each of which has its own key."""
    with voyageai_emulator.running() as found:
        yield found


@pytest.fixture(params=["Client", "AsyncClient"])
def site(request: pytest.FixtureRequest, emulator: Emulator) -> Iterator[Site]:
    """A client of each kind, with its emulator."""
    with sited(request.param, emulator) as found:
        yield found


# Results


def test_vectors_come_in_the_order_of_the_texts(site: Site, tmp_path: Path) -> None:
    """The server answers lines in another order."""
    results = site.embed((text for text in texts(20)), directory=tmp_path / "job")
    live = site.live(texts(20))

    assert live == results.embeddings == [row.result for row in site.rows(results)]
    assert live == results.to_numpy().tolist()
    assert (20, 0, 3) == (len(results), len(results.failures), site.answered("createBatch"))
    assert results.total_tokens == site.plain.embed(texts(20), **ROLE).total_tokens
    price = catalogue.MODELS[MODEL].price.usd_per_million_tokens
    expected = results.total_tokens * price * (1 - catalogue.BATCH.discount) / 1e6
    assert pytest.approx(expected) == results.cost


@pytest.mark.parametrize("dtype", ["float", "int8", "uint8", "binary", "ubinary"])
def test_vectors_of_any_type(site: Site, dtype: Any) -> None:
    """Every dtype must have the vectors of live calls."""
    arguments = {**ROLE, "output_dtype": dtype}
    results = site.get(site.client.batches.embed(texts(10), progress=False, **arguments))
    live = site.plain.embed(texts(10), **arguments)
    assert live.embeddings == results.embeddings
    assert live.to_numpy().tolist() == results.to_numpy().tolist()


def test_documents_in_context(site: Site) -> None:
    """Each document has as many vectors as it has chunks."""
    documents = [[f"chunk {n} of document {row}" for n in range(row % 3 + 1)] for row in range(9)]
    arguments: Any = {"model": "voyage-context-3", "input_type": "document"}
    results = site.get(
        site.client.batches.contextualized_embed(documents, rows_per_line=2, **arguments)
    )
    rows = site.rows(results)
    live = [site.plain.contextualized_embed([each], **arguments).results[0] for each in documents]
    assert list(range(9)) == [row.index for row in rows] == [row.result.index for row in rows]
    assert [each.embeddings for each in live] == [row.result.embeddings for row in rows]
    assert documents == [row.result.chunk_texts for row in rows]


def test_texts_are_cut_into_chunks_by_a_function(site: Site) -> None:
    """The chunks are those of a live call."""
    results = site.get(
        site.client.batches.contextualized_embed(
            ["One. Two.", "Three."],
            model="voyage-context-3",
            input_type="document",
            chunk_fn=lambda text: text.split(". "),
        )
    )
    assert [["One", "Two."], ["Three."]] == [row.result.chunk_texts for row in site.rows(results)]


def test_documents_by_relevance(site: Site) -> None:
    """A query and its documents form one row."""
    pairs = [(f"text {n}", [f"a text {n}", "the keys", "rain"]) for n in range(9)]
    results = site.get(site.client.batches.rerank(pairs, model="rerank-2.5", top_k=2))
    live = [site.plain.rerank(*pair, model="rerank-2.5", top_k=2).results for pair in pairs]
    assert live == [row.result.results for row in site.rows(results)]
    assert 27 / 6 < site.answered("createBatch")  # a batch has at most two queries


def test_texts_may_come_asynchronously(emulator: Emulator, tmp_path: Path) -> None:
    """Rows may come from a database cursor, and the job equals that of a list."""
    events: list[Progress] = []

    async def prepare() -> Any:
        async with voyageai.AsyncClient("a-key", base_url=emulator) as vo:
            return await vo.batches.prepare_embed(
                slowly(texts(2001)), **ROLE, directory=tmp_path, progress=events.append
            )

    job = asyncio.run(prepare())
    assert [1000, 2000, 2001] == [progress.done for progress in events]
    with voyageai.Client("a-key", base_url=emulator) as vo:
        assert job.id == vo.batches.prepare_embed(texts(2001), **ROLE, directory=tmp_path).id


def test_the_event_loop_is_never_blocked(emulator: Emulator, tmp_path: Path) -> None:
    """A job reads and writes large files, which must not block other tasks."""
    with sited("AsyncClient", emulator) as site:

        async def call() -> list[Any]:
            client = site.connect()
            with blockbuster_ctx():
                results = await client.batches.embed(texts(20), directory=tmp_path / "job", **ROLE)
                rows = [row async for row in results]
            await client.aclose()
            return rows

        assert 20 == len(asyncio.run(call()))


def test_a_job_without_a_directory_leaves_nothing_behind(emulator: Emulator) -> None:
    """The temporary directory is removed with the last reference to the results."""
    with sited("Client", emulator) as site:
        results = site.embed(texts(3))
        directory = results.directory
        assert directory.is_dir()
        del results
        assert not directory.exists()


def test_what_failed_without_a_directory_is_kept(site: Site) -> None:
    """The user can resume the job and retry the failed rows."""
    site.emulator.batches.fail(times=1)
    results = site.embed(texts(3))
    directory = results.directory
    del results
    job = site.get(site.client.batches.resume(directory, progress=False))
    assert site.live(texts(3)) == site.get(job.retry_failed()).embeddings


# Rows that fail


def test_a_line_that_fails_is_rows_with_a_reason(site: Site, tmp_path: Path) -> None:
    """All other rows have results, and the failed ones can be retried alone."""
    site.emulator.batches.fail(times=1, status=500, message="Internal Server Error")
    results = site.embed(texts(20), directory=tmp_path)
    failed = [failure.row for failure in results.failures]
    live = site.live(texts(20))

    assert 2 == len(failed)
    assert [None if n in failed else live[n] for n in range(20)] == results.embeddings
    assert f"18 of 20 rows are done: {tmp_path}" == site.said("done")
    for failure in results.failures:
        assert ("refused", 500) == (failure.code, failure.status)
        assert texts(20)[failure.row] == failure.text
        assert str(failure) in site.said("failed")
    with pytest.raises(error.ArgumentError, match=r"retry_failed\(\), or pass fill=0"):
        results.to_numpy()
    assert {0.0} == set(results.to_numpy(fill=0)[failed].ravel().tolist())
    written = (tmp_path / "failures.jsonl").read_text(encoding="utf-8").splitlines()
    assert failed == [json.loads(line)["row"] for line in written]

    job = site.get(site.client.batches.resume(tmp_path, progress=False))
    whole = site.get(job.retry_failed())
    assert live == whole.embeddings == whole.to_numpy().tolist()
    assert 10 + 1 == site.lines  # of two rows each
    assert not (tmp_path / "failures.jsonl").exists()
    assert live == site.get(job.run()).embeddings
    assert 4 == site.answered("createBatch")


def test_failures_read_each_line_once_and_no_further_than_asked_for(site: Site) -> None:
    """A line may hold a thousand rows, and hundreds of thousands of rows may have failed."""
    site.emulator.batches.fail()
    failures = site.embed(texts(12), rows_per_line=4).failures
    everything, numbers = list(failures), range(12)
    with calls_of(tasks.Embed.items) as read:
        assert (everything, 3) == (list(failures), len(read))
    with calls_of(tasks.Embed.items) as read:
        assert ([0, 1, 2], 1) == ([failure.row for failure in failures[:3]], len(read))
    for part in (slice(None, None, -1), slice(9, 2, -3), slice(-2, None), slice(5, 5), slice(99)):
        assert list(numbers[part]) == [failure.row for failure in failures[part]]
    assert everything[-1] == failures[-1]


def test_vectors_are_read_without_their_texts(site: Site, tmp_path: Path) -> None:
    """Texts and vectors may both be large, and the texts were verified when the job was opened."""
    results = site.embed(texts(4), directory=tmp_path)
    (tmp_path / "batches/0001.jsonl").unlink()
    assert site.live(texts(4)) == [row.result for row in site.rows(results)]


def test_results_are_read_without_writing(site: Site, tmp_path: Path) -> None:
    """A finished job may be on a read-only disk, and another process may be running it."""
    site.emulator.batches.fail(times=1)
    site.embed(texts(4), directory=tmp_path)
    (tmp_path / "failures.jsonl").unlink()
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    job = site.get(site.client.batches.resume(tmp_path, progress=False))
    assert 2 == len(site.get(job.results()).failures)
    assert before == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}


def test_a_row_that_is_refused_takes_no_other_with_it_for_good(site: Site) -> None:
    """The rows of a refused line are sent again one by one."""
    long = "word " * 40_000
    values = [*texts(5), long, *texts(3)]
    job = site.job(values, truncation=False)
    assert {4, 5} == {failure.row for failure in site.get(job.run()).failures}
    (failure,) = site.get(job.retry_failed()).failures
    assert (5, 400) == (failure.row, failure.status)
    assert long.startswith(failure.text.removesuffix("..."))
    assert 5 + 2 == site.lines


@pytest.mark.parametrize("kind", ["Client", "AsyncClient"])
def test_a_batch_that_is_refused_says_which_lines_were_at_fault(kind: str) -> None:
    """The server's errors are shown with the texts, and all other lines succeed on a retry."""
    document = copy.deepcopy(load())  # the server's limit is lower than the one in this release
    field = document["components"]["schemas"]["BatchEmbeddingsBody"]["properties"]["input"]
    field["not"] = {"contains": {"const": "text 3 of 12"}}
    server = Server("127.0.0.1", 0, Settings(document=document))
    with serving(server) as emulator, sited(kind, emulator) as site:
        job = site.job(texts(12))
        results = site.get(job.run())
        codes = [failure.code for failure in results.failures]
        assert ["batch_failed"] * 2 + ["invalid_request"] * 2 + ["batch_failed"] * 4 == codes
        assert re.search(r"line 2\): invalid_request .*: 'text 3 of 12'", site.said("failed"))
        again = site.get(job.retry_failed())
        assert [3] == [failure.row for failure in again.failures if failure.code != "batch_failed"]
        assert {2, 3} >= {failure.row for failure in again.failures}


def test_lines_that_expired_are_sent_alone(site: Site) -> None:
    """A batch that misses its window keeps the lines that it has finished."""
    site.emulator.batches.pace(5 * 3600)
    job = site.job(texts(8), poll=3600)
    results = site.get(job.run())
    assert {"batch_expired"} == {failure.code for failure in results.failures}
    assert 4 == len(results.failures)
    assert sum(site.waits) >= HALF_A_DAY
    site.emulator.batches.pace(0)
    assert site.live(texts(8)) == site.get(job.retry_failed()).embeddings
    assert 4 + 2 == site.lines


def test_a_cancelled_job_gives_what_it_has(site: Site) -> None:
    """The finished lines were billed, so the user gets their results."""
    site.emulator.batches.pace(60)
    site.emulator.clock.advance(0)
    job = site.job(texts(8), poll=90)

    def cancel() -> None:
        site.on_wait = lambda: None
        plain = voyageai.Client(site.key, base_url=site.emulator)
        plain.batches.resume(job.directory).cancel()

    site.on_wait = cancel
    results = site.get(job.run())
    assert {"batch_cancelled"} == {failure.code for failure in results.failures}
    done = [row.index for row in site.rows(results) if row.failure is None]
    assert 8 == len(done) + len(results.failures)
    assert 0 < len(done) < 8


def test_answers_that_are_gone_are_rows_with_a_reason(site: Site) -> None:
    """Somebody may delete the output file, and the user can retry the rows."""

    def delete() -> None:
        site.plain.files.delete_many([f.id for f in site.plain.files.list(purpose="batch-output")])

    site.on_wait = delete
    job = site.job(texts(4))
    results = site.get(job.run())
    assert ["file_gone"] * 4 == [failure.code for failure in results.failures]
    site.on_wait = lambda: None
    assert site.live(texts(4)) == site.get(job.retry_failed()).embeddings


def test_an_uploaded_file_that_is_gone_is_uploaded_again(site: Site) -> None:
    """Files are stored for thirty days, but a job may be paused for longer."""
    gone: list[str] = []

    def watch(progress: Any) -> None:
        if progress.stage == "creating" and not gone:
            gone.extend(file.id for file in site.plain.files.list())
            site.plain.files.delete_many(gone)

    results = site.embed(texts(4), progress=watch)
    assert site.live(texts(4)) == results.embeddings
    assert (2, 1) == (site.answered("uploadFile"), site.answered("createBatch"))


# A server that refuses and fails


def test_the_organizations_limit_is_waited_for_and_seen(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """The documentation asks to wait half an hour, and a message shows that the job is alive."""
    site.emulator.batches.limit(max_jobs_in_flight=1)
    site.emulator.batches.hold("in_progress")
    file = site.plain.files.upload([{"custom_id": "a", "body": {"input": ["Rain."]}}])
    site.plain.batches.create("/v1/embeddings", file.id, {"model": MODEL})

    def let_go() -> None:
        if site.waits[-1] == HALF_AN_HOUR:
            site.emulator.batches.release()
            site.emulator.batches.settle()

    site.on_wait = let_go
    assert site.live(texts(4)) == site.embed(texts(4), progress=None).embeddings
    assert HALF_AN_HOUR in site.waits
    (told,) = [record for record in caplog.records if record.name == "voyageai.batches"]
    assert logging.WARNING == told.levelno
    assert "batch 1 is refused for now; trying again in 30 minutes, until " in told.getMessage()
    assert 1 == sum(request.status == 429 for request in site.emulator.requests.of("createBatch"))


def test_no_more_is_in_flight_than_may_be(site: Site) -> None:
    """A job must not hit the limit because of its own batches."""
    limit_batches(site.client, inputs=8, jobs_in_flight=2)
    site.emulator.batches.limit(max_jobs_in_flight=2)
    site.emulator.batches.hold("in_progress")

    def let_go() -> None:
        site.emulator.batches.release()
        site.emulator.batches.settle()
        site.emulator.batches.hold("in_progress")

    site.on_wait = let_go
    assert site.live(texts(40)) == site.embed(texts(40)).embeddings
    assert {200} == {request.status for request in site.emulator.requests.of("createBatch")}
    assert 5 == site.created


FAULTS = [
    ("unavailable", {}),
    ("rate_limited", {"retry_after": 1}),
    ("server_error", {}),
    ("truncated", {"share": 0.5}),
    ("reset_before", {}),
    ("reset_after", {}),
    ("close_headers", {}),
]
OPERATIONS = ["uploadFile", "createBatch", "retrieveBatch", "retrieveFileContent", "listBatches"]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_nothing_is_lost_or_done_twice_when_the_server_fails(site: Site, operation: str) -> None:
    """It does not matter which request fails, or whether the server had carried it out."""
    live = site.live(texts(12))
    for jobs, (fault, parameters) in enumerate(FAULTS, 1):
        if operation == "listBatches":  # which is asked only after an answer was lost
            site.emulator.faults.next("truncated", operation="createBatch")
        site.emulator.faults.next(fault, operation=operation, times=2, **parameters)
        assert live == site.embed(texts(12)).embeddings, fault
        assert 6 * jobs == site.lines, fault
        assert 2 * jobs == len(list(site.plain.files.list(purpose="batch"))), fault


@pytest.mark.parametrize(
    "operation", ["uploadFile", "createBatch", "retrieveBatch", "listBatches", "listFiles"]
)
def test_an_unreadable_answer_counts_as_lost(site: Site, operation: str) -> None:
    """The server did the work, so repeating the request would be billed twice."""
    if operation.startswith("list"):  # which is asked only after an answer was lost
        lost = "uploadFile" if operation == "listFiles" else "createBatch"
        site.emulator.faults.next("truncated", operation=lost)
    site.emulator.faults.next("cut_json", operation=operation, times=2)
    assert site.live(texts(12)) == site.embed(texts(12)).embeddings
    assert (6, 2) == (site.lines, len(list(site.plain.files.list(purpose="batch"))))


def test_while_there_is_no_room_for_one_batch_no_other_is_tried(site: Site) -> None:
    """The documentation asks to wait, and further attempts would be refused as well."""
    file = site.plain.files.upload([{"custom_id": "a", "body": {"input": ["Rain."]}}])
    site.emulator.batches.hold("in_progress")
    site.plain.batches.create("/v1/embeddings", file.id, {"model": MODEL})
    site.emulator.batches.limit(max_jobs_in_flight=1)

    def let_go() -> None:
        if HALF_AN_HOUR in site.waits:
            site.emulator.batches.limit()
            site.emulator.batches.release()

    site.on_wait = let_go
    assert site.live(texts(20)) == site.embed(texts(20)).embeddings
    statuses = [request.status for request in site.emulator.requests.of("createBatch")]
    assert [200, 429, 200, 200, 200] == statuses


def test_batches_that_are_older_than_the_file_are_not_looked_through(site: Site) -> None:
    """An organization may have thousands of older batches."""
    file = site.plain.files.upload([{"custom_id": "a", "body": {"input": ["Rain."]}}])
    for _ in range(25):
        site.plain.batches.create("/v1/embeddings", file.id, {"model": MODEL})
    site.emulator.faults.next("unavailable", operation="createBatch")
    assert site.live(texts(2)) == site.embed(texts(2)).embeddings
    assert 1 == len(site.emulator.requests.of("listBatches"))


def test_a_server_that_stays_away_ends_the_job_and_it_goes_on_later(
    site: Site, tmp_path: Path
) -> None:
    """The error says where the job is stored, and resuming repeats no request."""
    site.emulator.faults.next("unavailable", operation="retrieveBatch", times=50)
    with pytest.raises(error.ServiceUnavailableError) as raised:
        site.embed(texts(12), directory=tmp_path)
    (_, note) = raised.value.__notes__
    assert f"batches.resume({str(tmp_path)!r}).run()" in note
    site.emulator.faults.clear()
    job = site.get(site.client.batches.resume(tmp_path, progress=False))
    assert {"unfinished"} == {failure.code for failure in site.get(job.results()).failures}
    assert site.live(texts(12)) == site.get(job.run()).embeddings
    assert (2, 6) == (site.answered("createBatch"), site.lines)


def test_a_key_that_is_refused_ends_the_job_at_once(site: Site, tmp_path: Path) -> None:
    """Waiting would not help."""
    site.emulator.faults.next("unauthorized", operation="uploadFile")
    with pytest.raises(error.AuthenticationError):
        site.embed(texts(2), directory=tmp_path)
    assert [] == site.waits


def test_two_at_once_do_not_work_on_the_same_job(site: Site, tmp_path: Path) -> None:
    """Two processes would each send, and pay for, everything."""
    caught: list[str] = []

    def again() -> None:
        other = voyageai.Client(site.key, base_url=site.emulator)
        with pytest.raises(JobInUseError, match=r"is in use by process [0-9]+") as raised:
            other.batches.resume(tmp_path).run()
        caught.append(str(raised.value))

    site.on_wait = again
    site.embed(texts(2), directory=tmp_path)
    assert caught


def test_a_lost_answer_is_given_time_to_take_effect(site: Site) -> None:
    """The job then asks the server whether the batch exists before it creates another."""
    site.emulator.faults.next("truncated", operation="createBatch")
    site.embed(texts(2), timings=JobTimings(settle_delay=40.0))
    assert sum(site.waits[:2]) >= 40.0
    assert (1, 1) == (site.answered("listBatches"), site.created)


@pytest.mark.parametrize("place", [1, 2], ids=["prepare", "run"])
def test_a_task_that_is_cancelled_lets_go_once_its_thread_has(
    emulator: Emulator, tmp_path: Path, place: int
) -> None:
    """asyncio can't cancel a thread, so the lock is released when the thread ends."""
    begun, may_end, ended = threading.Event(), threading.Event(), threading.Event()
    times = count(1)

    def slow() -> None:
        if next(times) == place:
            begun.set()
            assert may_end.wait(30)
            ended.set()

    with sited("AsyncClient", emulator) as site:

        async def call() -> Any:
            client = site.connect()
            site.on_now = slow
            job = client.batches.embed(texts(4), directory=tmp_path, **ROLE)
            task = asyncio.create_task(job)
            await asyncio.to_thread(begun.wait)
            for _ in range(2):
                task.cancel()
                await asyncio.sleep(0)
            assert not task.done()
            may_end.set()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert ended.is_set()
            results = await client.batches.embed(texts(4), directory=tmp_path, **ROLE)
            await client.aclose()
            return results

        assert site.live(texts(4)) == asyncio.run(call()).embeddings
        assert (1, 1) == (site.answered("uploadFile"), site.created)


class Hostile(httpx2.HTTPTransport):
    """A transport whose batches have messages that clear a terminal and forge log lines."""

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        response = super().handle_request(request)
        said = re.sub(
            rb'"status":( ?)"completed"',
            rb'"status":\1"done\\u001b[2J\\nforged"',
            response.read(),
        )
        return httpx2.Response(response.status_code, content=said)


def test_what_a_server_says_of_a_batch_is_told_on_one_line(emulator: Emulator) -> None:
    """The message is shown in terminals and written to logs."""
    with Hostile() as transport, sited("Client", emulator) as site:
        site.client = site.connect(transport)
        site.embed(texts(3))

        assert r"batch 1 is done\x1b[2J\x0aforged" in site.said("running")
        assert [] == [told.message for told in site.told if not told.message.isprintable()]
