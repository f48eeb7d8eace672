"""Jobs interrupted before or after any of their requests resume and repeat nothing.

Tests in `tests/jobs` kill processes at random moments.
"""

from __future__ import annotations

import os
import shutil
import sys
import traceback
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import datetime, timedelta
from errno import ENOSPC
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import voyageai
import voyageai_emulator
from voyageai import error
from voyageai.batches import JobDirectoryError, JobTimings
from voyageai_emulator import Emulator

from .job_harness import Site, sited, texts

ROWS = 20
TORN = b'{"at": "2026-01-01T00:00:00+00:00", "eve'


class CutOff(BaseException):
    """Stands for the end of the process."""


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


def carried_by(site: Site, before: Any, after: Any) -> None:
    """Call functions before and after each request of the site's client."""
    transport = site.client._transport
    run = transport.run

    def blocking(call: Any, *args: Any, **kwargs: Any) -> Any:
        before(call)
        answer = run(call, *args, **kwargs)
        try:
            after(call)
        except CutOff:
            if call.streamed:
                answer.close()
            raise
        return answer

    async def looping(call: Any, *args: Any, **kwargs: Any) -> Any:
        before(call)
        answer = await run(call, *args, **kwargs)
        try:
            after(call)
        except CutOff:
            if call.streamed:
                await answer.aclose()
            raise
        return answer

    transport.run = looping if site.asynchronous else blocking


@pytest.fixture
def cut_off_at(site: Site) -> Any:
    """Return a function that stops the job at the nth request, before or after it takes effect."""
    left, is_sent = -1, False

    def at(request: int, after: bool) -> None:
        nonlocal left, is_sent
        left, is_sent = request, after

    def cut(now_sent: bool) -> None:
        nonlocal left
        if now_sent is is_sent:
            left -= 1
            if left == -1:
                raise CutOff

    carried_by(site, lambda _: cut(False), lambda _: cut(True))
    return at


@pytest.mark.parametrize("after", [False, True], ids=["unsent", "unanswered"])
def test_a_job_goes_on_wherever_it_was_cut_off(
    site: Site, cut_off_at: Any, after: bool, tmp_path: Path
) -> None:
    """The test interrupts a new job at each request that a job makes."""
    live, whole = site.live(texts(ROWS)), 0
    notes: list[str] = []
    for jobs in count(1):
        directory = tmp_path / str(jobs)
        cut_off_at(jobs - 1, after)
        try:
            results = site.embed(texts(ROWS), directory=directory)
        except CutOff as cut:
            notes += cut.__notes__
            cut_off_at(-1, after)
            with (directory / "journal.jsonl").open("ab") as journal:
                journal.write(TORN)
            results = site.embed(texts(ROWS), directory=directory)
        else:
            cut_off_at(-1, after)
            whole = jobs
        assert live == results.embeddings
        assert 3 * jobs == site.answered("createBatch") == site.created
        assert 3 * jobs == site.answered("uploadFile")
        assert 10 * jobs == site.lines
        if whole:
            break
    assert whole > 3 * 4  # each batch is uploaded, created, polled and downloaded
    assert [True] * (whole - 1) == [
        f"resume({str(tmp_path / str(job))!r})" in note for job, note in enumerate(notes, 1)
    ]


@pytest.mark.parametrize("line", range(7))
def test_a_job_goes_on_after_a_line_of_its_journal_could_not_be_stored(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: int
) -> None:
    """After a full disk the journal is complete, and no line is torn."""
    fsync, lines = os.fsync, count()

    def store(file: int) -> None:
        is_journal = os.path.samestat(os.fstat(file), (tmp_path / "journal.jsonl").stat())
        if is_journal and next(lines) == line:
            raise OSError(ENOSPC, "No space left on device")
        fsync(file)

    (tmp_path / "journal.jsonl").touch()
    monkeypatch.setattr(os, "fsync", store)
    with pytest.raises(OSError, match="No space left"):
        site.embed(texts(2), directory=tmp_path)
    assert site.live(texts(2)) == site.embed(texts(2), directory=tmp_path).embeddings
    assert (1, 1) == (site.answered("uploadFile"), site.created)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows removes no file that is open")
def test_a_journal_that_is_replaced_by_a_copy_meanwhile_is_written_on(
    site: Site, tmp_path: Path
) -> None:
    """Tools that synchronize folders replace files, and no line may be lost by that."""

    def replace() -> None:
        copy = shutil.copy(tmp_path / "journal.jsonl", tmp_path / "copy")
        Path(copy).replace(tmp_path / "journal.jsonl")

    site.on_wait = replace
    results = site.embed(texts(2), directory=tmp_path)
    assert results.embeddings == site.embed(texts(2), directory=tmp_path).embeddings
    assert (1, 1) == (site.answered("uploadFile"), site.created)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows removes no file that is open")
def test_nothing_is_created_once_the_directory_is_gone(site: Site, tmp_path: Path) -> None:
    """A batch that no file records would be billed, and nobody would know of it."""

    def remove() -> None:
        journal = tmp_path / "job" / "journal.jsonl"
        if journal.exists() and b'"uploaded"' in journal.read_bytes():
            shutil.rmtree(journal.parent)

    site.on_now = remove
    with pytest.raises(JobDirectoryError, match=r"journal\.jsonl was changed or removed"):
        site.embed(texts(2), directory=tmp_path / "job")
    assert (1, 0) == (site.answered("uploadFile"), site.created)


def test_ctrl_c_says_where_the_job_is_and_shows_no_internals(site: Site, tmp_path: Path) -> None:
    """A user who interrupts a job wants to know how to resume it, not where it was waiting."""

    def interrupt() -> None:
        site.on_wait = lambda: None
        raise KeyboardInterrupt

    site.on_wait = interrupt
    with pytest.raises(KeyboardInterrupt) as raised:
        site.embed(texts(4), directory=tmp_path)
    (note,) = raised.value.__notes__
    assert f"continue it with batches.resume({str(tmp_path)!r}).run()" in note
    package = Path(voyageai.__file__).parent
    frames = traceback.extract_tb(raised.value.__traceback__)
    ours = [frame.name for frame in frames if package in Path(frame.filename).parents]
    assert ["embed", "run", "_carry_out"] == ours
    assert raised.value.__context__ is None
    assert site.live(texts(4)) == site.embed(texts(4), directory=tmp_path).embeddings
    assert 1 == site.created


def test_a_job_that_was_interrupted_while_it_was_written_starts_again(
    site: Site, tmp_path: Path
) -> None:
    """The rows come from an iterable that may fail."""

    def failing() -> Iterator[str]:
        yield from texts(ROWS)
        raise ConnectionError("the database went away")

    with pytest.raises(ConnectionError):
        site.embed(failing(), directory=tmp_path)
    assert site.live(texts(4)) == site.embed(texts(4), directory=tmp_path).embeddings
    assert 2 == site.lines


def test_a_retry_that_is_cut_off_goes_on(site: Site, cut_off_at: Any, tmp_path: Path) -> None:
    """Rows that failed are not sent a third time."""
    site.emulator.batches.fail(times=1)
    job = site.job(texts(ROWS), directory=tmp_path)
    assert 2 == len(site.get(job.run()).failures)
    for request in range(3):
        cut_off_at(request, True)
        with pytest.raises(CutOff):
            site.get(job.retry_failed() if request == 0 else job.run())
    cut_off_at(-1, True)
    assert site.live(texts(ROWS)) == site.embed(texts(ROWS), directory=tmp_path).embeddings
    assert 10 + 1 == site.lines


@pytest.mark.parametrize("is_killed", [False, True], ids=["broken", "killed"])
def test_a_request_that_took_long_is_given_time_to_take_effect_too(
    site: Site, tmp_path: Path, is_killed: bool
) -> None:
    """The server may act late on a request that a proxy gave up on."""
    lost_at: list[datetime] = []
    listed_at: list[datetime] = []

    def slow(call: Any) -> None:
        site.waits.append(60.0)
        if call.request.operation == "list_batches":
            listed_at.append(site.now)
        if call.request.operation == "create_batch" and not lost_at:
            lost_at.append(site.now)
            if is_killed:
                raise CutOff
            raise error.APIConnectionError("the connection broke")

    carried_by(site, slow, lambda _: None)
    with pytest.raises(CutOff) if is_killed else nullcontext():
        site.embed(texts(2), directory=tmp_path)
    site.embed(texts(2), directory=tmp_path)
    assert listed_at[0] - lost_at[0] >= timedelta(seconds=60 + JobTimings().settle_delay)
    assert 1 == site.created
