"""Answers that make no sense, and job directories that somebody has changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import voyageai
import voyageai.emulator
from voyageai import error
from voyageai.bulk import JobDirectoryError
from voyageai.emulator import Emulator

from .jobbing import Site, older, sited, texts


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    """One for all tests; each has a key of its own."""
    with voyageai.emulator.running() as found:
        yield found


@pytest.fixture
def site(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """One client: both read the same way."""
    with sited("Client", emulator, monkeypatch) as found:
        yield found


def test_answers_that_make_no_sense_are_rows_with_a_reason(site: Site, tmp_path: Path) -> None:
    """They can be sent again, and those that do make sense stay."""
    job = site.job(texts(8), directory=tmp_path)
    job.run()
    output = tmp_path / "batches/0001.output.jsonl"
    answers = sorted(map(json.loads, output.read_text("utf-8").splitlines()), key=str)
    broken, short, empty, whole = sorted(answers, key=lambda answer: answer["custom_id"])
    short["response"]["body"]["data"].pop()
    empty["response"] = None
    foreign = {**whole, "custom_id": "somebody-else"}
    lines = [json.dumps(line).encode() for line in (short, empty, foreign, whole, whole)]
    output.write_bytes(b"\n".join([b"\xff{", json.dumps(broken).encode()[:50], *lines]) + b"\n")
    older(tmp_path)  # or it would be seen that this is not what the server gave

    results = job.results()
    assert ["no_answer"] * 2 + ["malformed_answer"] * 2 + ["no_answer"] * 2 == [
        failure.code for failure in results.failures
    ]
    assert site.live(texts(8))[6:] == results.embeddings[6:]
    assert 6 == results.failures[-1].row + 1 == len(results.failures)
    assert [0, 1] == [failure.row for failure in results.failures[:2]]
    assert "<6 failures>" == repr(results.failures)
    assert site.live(texts(8)) == job.retry_failed().embeddings


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"{]", "was damaged"),
        (b"5", "was damaged"),
        (b"{}", "was damaged"),
        (b"\xff", "was damaged"),
        (b'{"event": "paused", "batch": 1}', "holds 'paused'"),
        (b'{"event": "created", "batch": 7, "batch_id": "batch-1"}', "was damaged"),
        (b'{"event": "uploaded", "batch": 1}', "was damaged"),
        (b'{"event": "retry", "batches": [{}]}', "was damaged"),
    ],
)
def test_a_journal_that_was_changed_says_so(
    site: Site, tmp_path: Path, line: bytes, message: str
) -> None:
    """With the line, which a person can look at."""
    job = site.job(texts(2), directory=tmp_path)
    journal = tmp_path / "journal.jsonl"
    journal.write_bytes(journal.read_bytes() + b"\n" + line + b"\n")
    with pytest.raises(JobDirectoryError, match=message) as raised:
        job.run()
    assert str(journal) in str(raised.value) or "'paused'" in str(raised.value)
    assert not hasattr(raised.value, "__notes__")


def test_a_journal_that_was_lost_is_missed(site: Site, tmp_path: Path) -> None:
    """Without it everything would be uploaded, created and billed once more."""
    site.embed(texts(2), directory=tmp_path)
    journal = tmp_path / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    for content in (None, b"", b"".join(lines[1:])):
        journal.unlink(missing_ok=True)
        if content is not None:
            journal.write_bytes(content)
        with pytest.raises(JobDirectoryError, match=r"journal\.jsonl (is missing|was damaged)"):
            site.embed(texts(2), directory=tmp_path)
    assert 1 == site.created


def test_a_job_that_crashed_between_its_journal_and_its_manifest_begins_anew(
    site: Site, tmp_path: Path
) -> None:
    """Nothing was sent by then."""
    site.job(texts(2), directory=tmp_path)
    (tmp_path / "job.json").rename(tmp_path / "job.json.part")
    assert site.live(texts(3)) == site.embed(texts(3), directory=tmp_path).embeddings
    (tmp_path / "job.json").unlink()
    with pytest.raises(error.ArgumentError, match=r"it holds 'failures|it holds 'journal"):
        site.embed(texts(2), directory=tmp_path)


@pytest.mark.parametrize("content", [None, b"", b'{"custom_id": "a", "body": {}}\n'])
def test_lines_that_were_changed_are_not_sent(
    site: Site, tmp_path: Path, content: bytes | None
) -> None:
    """Nor is anything made up in place of what is missing."""
    job = site.job(texts(2), directory=tmp_path)
    lines = tmp_path / "batches/0001.jsonl"
    lines.unlink()
    if content is not None:
        lines.write_bytes(content)
    for act in (job.results, job.run):
        with pytest.raises(JobDirectoryError, match=r"0001\.jsonl was changed or removed"):
            act()
    assert [] == site.emulator.requests.of("uploadFile")


def test_answers_that_are_no_longer_here_are_downloaded_again(site: Site, tmp_path: Path) -> None:
    """For as long as the server has them; nothing is billed for that."""
    site.embed(texts(12), directory=tmp_path)
    (tmp_path / "batches/0001.output.jsonl").unlink()
    job = site.client.batches.resume(tmp_path, progress=False)
    assert ["unfinished"] * 8 == [failure.code for failure in job.results().failures]
    assert site.live(texts(12)) == job.run().embeddings
    assert (2, 3) == (site.created, site.answered("retrieveFileContent"))


def test_the_key_of_somebody_else_is_told_as_the_reason(site: Site, tmp_path: Path) -> None:
    """Batches belong to the project of a key."""
    site.emulator.faults.next("unauthorized", operation="retrieveBatch")
    with pytest.raises(error.AuthenticationError):
        site.embed(texts(2), directory=tmp_path)
    with voyageai.Client("another-key", base_url=site.emulator) as other:
        with pytest.raises(error.NotFoundError) as raised:
            other.batches.resume(tmp_path, progress=False).run()
        assert "key of another organization or project" in raised.value.__notes__[0]
    assert 2 == len(site.embed(texts(2), directory=tmp_path))


def test_a_batch_that_is_done_can_not_be_cancelled_and_need_not_be(
    site: Site, tmp_path: Path
) -> None:
    """It came to its end while nobody looked."""
    site.emulator.faults.next("unauthorized", operation="retrieveBatch")
    job = site.job(texts(2), directory=tmp_path)
    with pytest.raises(error.AuthenticationError):
        job.run()
    site.emulator.batches.settle()
    job.cancel()
    assert site.live(texts(2)) == job.run().embeddings


def test_a_batch_whose_answer_was_lost_is_cancelled_too(site: Site, tmp_path: Path) -> None:
    """It runs, and costs, whether or not the job has heard of it."""
    site.emulator.batches.hold("in_progress")
    site.emulator.faults.next("truncated", operation="createBatch")
    site.emulator.faults.next("unauthorized", operation="listBatches")
    with pytest.raises(error.AuthenticationError):
        site.embed(texts(2), directory=tmp_path)
    site.client.batches.resume(tmp_path).cancel()
    (batch,) = site.plain.batches.list()
    assert batch.status in ("cancelling", "cancelled")
    site.emulator.batches.release()
    failures = site.embed(texts(2), directory=tmp_path).failures
    assert ({"batch_cancelled"}, 1) == ({failure.code for failure in failures}, site.created)


def test_rows_without_any_vector_are_no_matrix(site: Site) -> None:
    """Nobody knows how wide it would be."""
    site.emulator.batches.fail()
    results = site.embed(texts(2))
    with pytest.raises(error.ArgumentError, match="all rows have failed"):
        results.to_numpy(fill=0)
