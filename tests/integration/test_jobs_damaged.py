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

from .jobbing import Site, sited, texts


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
    ("file", "content", "message"),
    [
        ("journal.jsonl", b"{]\n", "was damaged"),
        ("journal.jsonl", b'{"event": "paused", "batch": 1}\n', "holds 'paused'"),
        ("batches/0001.jsonl", b'{"custom_id": "a", "body": {}}\n', "was changed"),
    ],
)
def test_a_directory_that_was_changed_says_so(
    site: Site, tmp_path: Path, file: str, content: bytes, message: str
) -> None:
    """Nothing is made up in place of what is missing."""
    job = site.job(texts(2), directory=tmp_path)
    (tmp_path / file).write_bytes(content)
    with pytest.raises(JobDirectoryError, match=message):
        job.results()


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


def test_rows_without_any_vector_are_no_matrix(site: Site) -> None:
    """Nobody knows how wide it would be."""
    site.emulator.batches.fail()
    results = site.embed(texts(2))
    with pytest.raises(error.ArgumentError, match="all rows have failed"):
        results.to_numpy(fill=0)
