"""Malformed answers, and job directories that were changed or damaged."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import voyageai
import voyageai_emulator
from voyageai import error
from voyageai.batches import JobDirectoryError
from voyageai.files.writing import ResumableFile
from voyageai_emulator import Emulator

from .job_harness import Site, older, sited, texts


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    """An emulator for all tests, each of which has its own key."""
    with voyageai_emulator.running() as found:
        yield found


@pytest.fixture
def site(emulator: Emulator) -> Iterator[Site]:
    """A site with the sync client only, as both clients read in the same way."""
    with sited("Client", emulator) as found:
        yield found


def test_answers_that_make_no_sense_are_rows_with_a_reason(site: Site, tmp_path: Path) -> None:
    """The rows can be sent again, and the valid answers are kept."""
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
    older(tmp_path)  # a newer journal has a digest that reveals the change

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
        (b'{"event": "retry", "batches": 5}', "was damaged"),
        (b'{"event": "split", "batch": [1], "batches": []}', "was damaged"),
        (b'{"event": "created", "batch": 1, "batch_id": 5}', "holds 'created'"),
        (b'{"event": "uploaded", "batch": 1, "file_id": "a", "created_at": "now"}', "was damaged"),
        (
            b'{"event": "ended", "batch": 1, "status": "completed", "files": [], "errors": []}',
            "was damaged",
        ),
        (
            b'{"event": "ended", "batch": 1, "status": "completed", "files": {"x": "a"}, "errors": []}',
            "'x' is no file",
        ),
        (
            b'{"event": "ended", "batch": 1, "status": "completed", "files": {"output": 5}, "errors": []}',
            "5 is no id",
        ),
        (
            b'{"event": "ended", "batch": 1, "status": "completed", "files": {}, "errors": [{}]}',
            "was damaged",
        ),
        (b'{"event": "downloaded", "batch": 1, "file": "../a"}', "is no file of a batch"),
        (
            b'{"event": "downloaded", "batch": 1, "file": "output", "size": "a", "digest": 5}',
            "holds 'downloaded'",
        ),
        (b'{"event": "gone", "batch": 1, "file": []}', "is no file of a batch"),
        (
            b'{"event": "retry", "batches": [{"number": 2, "requests": 1, "rows": 1000000000000, '
            b'"tokens": 1, "most_tokens": 1, "bytes": 9}]}',
            "can't have 1000000000000 rows",
        ),
        (
            b'{"event": "retry", "batches": [{"number": 1, "requests": 1, "rows": 1, '
            b'"tokens": 1, "most_tokens": 1, "bytes": 9}]}',
            "there is a batch 1 already",
        ),
    ],
)
def test_a_journal_that_was_changed_says_so(
    site: Site, tmp_path: Path, line: bytes, message: str
) -> None:
    """The error names the line, so that a person can inspect it."""
    job = site.job(texts(2), directory=tmp_path)
    journal = tmp_path / "journal.jsonl"
    journal.write_bytes(journal.read_bytes() + b"\n" + line + b"\n")
    with pytest.raises(JobDirectoryError, match=message) as raised:
        job.run()
    assert f"line 2 of {journal} was damaged" in str(raised.value).replace("line 3", "line 2")
    assert 1 == len(raised.value.__notes__)  # the link to its documentation


def test_a_missing_journal_is_reported(site: Site, tmp_path: Path) -> None:
    """Without the journal everything would be uploaded, created and billed again."""
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


def test_a_job_that_crashed_between_its_journal_and_its_manifest_starts_again(
    site: Site, tmp_path: Path
) -> None:
    """Nothing was sent before the crash."""
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
    """Missing content is not replaced by anything invented."""
    job = site.job(texts(2), directory=tmp_path)
    lines = tmp_path / "batches/0001.jsonl"
    lines.unlink()
    if content is not None:
        lines.write_bytes(content)
    for act in (job.results, job.run):
        with pytest.raises(JobDirectoryError, match=r"0001\.jsonl was changed or removed"):
            act()
    assert [] == site.emulator.requests.of("uploadFile")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"text 1", b"text 7", "line 1 of {} was damaged: its content does not match"),
        (b'"body"', b'"bod\xff"', "line 1 of {} was damaged: 'utf-8' codec"),
        (b"-000000001-", b"-999999999-", "line 1 of {} was damaged: its rows are out of order"),
        (b"-000000000-", b"-000000001-", "line 3 of {} was damaged: lines are missing"),
        (
            b"-000000000-000000001-",
            b"-000000002-000000003-",
            "line 2 of {} was damaged: its rows are out of order",
        ),
    ],
)
def test_lines_that_are_as_long_as_before_are_not_sent_either(
    site: Site, tmp_path: Path, old: bytes, new: bytes, message: str
) -> None:
    """Other texts would be billed, and their vectors returned for these rows."""
    job = site.job(texts(4), directory=tmp_path)
    lines = tmp_path / "batches/0001.jsonl"
    content = lines.read_bytes()
    lines.write_bytes(content.replace(old, new, 1))
    assert content != lines.read_bytes()
    for act in (job.run, lambda: list(job.results().failures)):
        with pytest.raises(JobDirectoryError, match=re.escape(message.format(lines))):
            act()
    assert [] == site.emulator.requests.of("createBatch")


def test_rows_missing_from_all_lines_are_reported(site: Site, tmp_path: Path) -> None:
    """The results would belong to rows of another line."""
    job = site.job(texts(12), directory=tmp_path)
    lines = tmp_path / "batches/0002.jsonl"
    lines.write_bytes(
        lines.read_bytes().replace(b"-000000008-000000009-", b"-000000000-000000001-")
    )
    with pytest.raises(JobDirectoryError, match=f"no file of {tmp_path} holds row 8"):
        job.results()


def test_answers_that_are_no_longer_here_are_downloaded_again(site: Site, tmp_path: Path) -> None:
    """Downloads are free as long as the server has the file."""
    site.embed(texts(12), directory=tmp_path)
    (tmp_path / "batches/0001.output.jsonl").unlink()
    job = site.client.batches.resume(tmp_path, progress=False)
    assert ["unfinished"] * 8 == [failure.code for failure in job.results().failures]
    assert site.live(texts(12)) == job.run().embeddings
    assert (2, 3) == (site.created, site.answered("retrieveFileContent"))


def test_the_reason_names_the_key_of_another_user(site: Site, tmp_path: Path) -> None:
    """Batches belong to the project of a key, so another key can't see them."""
    site.emulator.faults.next("unauthorized", operation="retrieveBatch")
    with pytest.raises(error.AuthenticationError):
        site.embed(texts(2), directory=tmp_path)
    with voyageai.Client("another-key", base_url=site.emulator) as other:
        with pytest.raises(error.NotFoundError) as raised:
            other.batches.resume(tmp_path, progress=False).run()
        assert "key of another organization or project" in " ".join(raised.value.__notes__)
    assert 2 == len(site.embed(texts(2), directory=tmp_path))


def test_a_batch_that_is_done_can_not_be_cancelled_and_need_not_be(
    site: Site, tmp_path: Path
) -> None:
    """The batch finished while no process was watching it."""
    site.emulator.faults.next("unauthorized", operation="retrieveBatch")
    job = site.job(texts(2), directory=tmp_path)
    with pytest.raises(error.AuthenticationError):
        job.run()
    site.emulator.batches.settle()
    job.cancel()
    assert site.live(texts(2)) == job.run().embeddings


def test_a_batch_whose_answer_was_lost_is_cancelled_too(site: Site, tmp_path: Path) -> None:
    """The batch runs, and costs, whether or not the job knows of it."""
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
    """The width of the matrix would be unknown."""
    site.emulator.batches.fail()
    results = site.embed(texts(2))
    with pytest.raises(error.ArgumentError, match="all rows have failed"):
        results.to_numpy(fill=0)


# Damage of all kinds

DEEP = b"[" * 100_000
Damage = Callable[[bytes, bytes], bytes]
"""Makes damaged content from a file's content, and that of the same file of another job."""


def _flipped(share: float) -> Damage:
    def flip(content: bytes, _: bytes) -> bytes:
        place = int(share * (len(content) - 1))
        return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]

    return flip


def _line(change: Callable[[list[bytes]], list[bytes]]) -> Damage:
    return lambda content, _: b"".join(change(content.splitlines(keepends=True)))


DAMAGES: dict[str, Damage] = {
    "empty": lambda *_: b"",
    "half": lambda content, _: content[: len(content) // 2],
    "a torn end": lambda content, _: content[:-2],
    "without its last line": _line(lambda lines: lines[:-1]),
    "without its first line": _line(lambda lines: lines[1:]),
    "without a line": _line(lambda lines: lines[: len(lines) // 2] + lines[len(lines) // 2 + 1 :]),
    "without its middle": _line(
        lambda lines: lines[: len(lines) // 3] + lines[2 * len(lines) // 3 :]
    ),
    "backwards": _line(lambda lines: lines[::-1]),
    "twice": lambda content, _: content * 2,
    "a line twice": _line(lambda lines: [*lines, lines[-1]]),
    "NUL": lambda content, _: bytes(len(content)),
    "a NUL": lambda content, _: content[: len(content) // 2] + b"\0" + content[len(content) // 2 :],
    "no UTF-8": lambda content, _: content.replace(b"e", b"\xff"),
    "other types": lambda content, _: re.sub(rb'(?<=: )("[^"]*"|\d+)', b'{"a": []}', content),
    "texts for numbers": lambda content, _: re.sub(rb"(?<=: )(\d+)", rb'"\1"', content),
    "a list": lambda *_: b"[]\n",
    "null": lambda *_: b"null\n",
    "deep": lambda *_: DEEP,
    "a deep line": lambda content, _: DEEP + b"\n" + content,
    "a deep value": lambda content, _: re.sub(rb"(?<=: )\d+", DEEP, content, count=1),
    "10^12": lambda content, _: re.sub(rb"(?<=: )\d+", b"1000000000000", content),
    "10^400": lambda content, _: re.sub(rb"(?<=: )\d+", b"1" + b"0" * 400, content),
    "10^12 rows": lambda content, _: re.sub(rb'(?<=rows": )\d+', b"1000000000000", content),
    "10^12 tokens": lambda content, _: re.sub(rb'(?<=tokens": )\d+', b"1000000000000", content),
    "bytes as texts": lambda content, _: re.sub(rb'(?<=bytes": )(\d+)', rb'"\1"', content),
    "tokens as texts": lambda content, _: re.sub(rb'(?<=tokens": )(\d+)', rb'"\1"', content),
    "of another batch": lambda content, _: content.replace(b'"batch": 1', b'"batch": 2'),
    "deep, as long": lambda content, _: content[:60].ljust(len(content), b"["),
    "below zero": lambda content, _: re.sub(rb"(?<=: )(\d+)", rb"-\1", content),
    "a huge line": lambda content, _: content + b"x" * 10_000_000 + b"\n",
    "another job's": lambda _, foreign: foreign,
    "another name": lambda content, _: re.sub(
        rb"[0-9a-f]{16}", b"0123456789abcdef", content, count=1
    ),
} | {f"another character at {share}": _flipped(share) for share in (0, 0.1, 0.3, 0.5, 0.7, 0.9, 1)}


@pytest.mark.parametrize(
    ("stage", "age"),
    [("begun", "new"), ("under way", "new"), ("done", "new"), ("done", "older")],
)
def test_damage_is_reported_or_repaired_and_never_paid_for(
    site: Site, tmp_path: Path, stage: str, age: str, full: bool
) -> None:
    """No damage to any file at any stage leads to wrong results or to double billing.

    Each file is damaged in some of the ways, in turn: in a new, finished job half of them, or all
    with `--full`; in other jobs a third of that.
    """
    rows = [text * 60 for text in texts(12)]
    whole, other, copy = (tmp_path / name for name in ("whole", "other", "copy"))
    live = site.live(rows)
    site.embed(rows[::-1], directory=other).to_numpy()
    job = site.job(rows, directory=whole)
    if stage == "done":
        job.run().to_numpy()
    if stage == "under way":
        site.emulator.faults.next("unauthorized", operation="retrieveBatch")
        with pytest.raises(error.AuthenticationError):
            job.run()
        site.emulator.batches.settle()
    if age == "older":
        older(whole)
    messages: list[str] = []
    told = JobDirectoryError if age == "new" else error.VoyageError
    left = {"begun": 2, "under way": 0, "done": 0}[stage]

    files = sorted(path.relative_to(whole) for path in whole.rglob("*") if path.is_file())
    every = (1 if (stage, age) == ("done", "new") else 3) * (1 if full else 2)
    for turn, file in enumerate(files):
        for name, damage in [*DAMAGES.items()][turn % every :: every]:
            shutil.copytree(whole, copy)
            before = site.created
            (copy / file).write_bytes(
                damage((whole / file).read_bytes(), (other / file).read_bytes())
            )
            for act in ("results", "retry_failed"):
                try:
                    job = site.client.batches.resume(copy, progress=False)
                    results = job.results() if act == "results" else job.retry_failed(max_cost=1)
                    found = results.embeddings
                    assert act == "results" or results.to_numpy() is not None
                except told as failure:
                    messages.append(str(failure))
                except Exception as failure:
                    failure.add_note(f"{file}: {name}: {act}")
                    raise
                else:
                    for vector, right in zip(found, live, strict=age == "new"):
                        assert vector in (None, right) or age == "older", (file, name, act)
            assert site.created - before <= left or age == "older", (file, name)
            shutil.rmtree(copy)
    assert age == "older" or all(f"{copy}/" in message for message in messages)


def test_answers_that_were_changed_are_downloaded_again_and_not_paid_for_again(
    site: Site, tmp_path: Path
) -> None:
    """Half a file lacks answers, and a single changed byte would be a different vector."""
    rows = texts(40)
    results = site.embed(rows, directory=tmp_path)
    right, tokens, created = site.live(rows), results.total_tokens, site.created
    output = tmp_path / "batches/0002.output.jsonl"
    whole = output.read_bytes()
    place = whole.index(b'"embedding"') + 30  # a place within the numbers
    another = whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]
    for content in (whole[: len(whole) // 2], another):
        output.write_bytes(content)
        job = site.client.batches.resume(tmp_path, progress=False)
        assert ["unfinished"] * 8 == [failure.code for failure in job.results().failures]
        again = job.retry_failed()
        assert (right, tokens, created) == (again.embeddings, again.total_tokens, site.created)
    assert 5 + 2 == site.answered("retrieveFileContent")


def test_answers_that_were_put_back_are_taken_though_the_server_has_them_no_more(
    site: Site, tmp_path: Path
) -> None:
    """The user may have a backup of a file that the server has deleted."""
    site.embed(texts(8), directory=tmp_path)
    output = tmp_path / "batches/0001.output.jsonl"
    whole = output.read_bytes()
    output.write_bytes(whole[:-9])
    site.plain.files.delete_many([file.id for file in site.plain.files.list()])
    job = site.client.batches.resume(tmp_path, progress=False)
    assert ["file_gone"] * 8 == [failure.code for failure in job.run().failures]
    output.write_bytes(whole)
    assert (site.live(texts(8)), 1) == (job.retry_failed().embeddings, site.created)


def test_answers_of_an_older_job_are_taken_as_they_are(site: Site, tmp_path: Path) -> None:
    """An older journal has no checksums, so they are added now."""
    job = site.job(texts(12), directory=tmp_path)
    site.emulator.faults.next("unauthorized", operation="retrieveBatch")
    with pytest.raises(error.AuthenticationError):
        job.run()
    older(tmp_path)
    assert site.live(texts(12)) == job.run().embeddings
    output = tmp_path / "batches/0001.output.jsonl"
    output.write_bytes(output.read_bytes()[:-9])
    assert 8 == len(job.results().failures)
    older(tmp_path)
    assert ["no_answer"] * 2 == [failure.code for failure in job.results().failures]


# Links and pipes in place of files


@pytest.fixture(params=["link", "dangling link", "pipe", "socket", "folder"])
def plant(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Path], None]:
    """Puts a link, a pipe or the like in the place of a file."""

    def put(path: Path) -> None:
        if path.exists():
            path.rename(tmp_path / "mine")
        match request.param:
            case "link":
                (tmp_path / "mine").touch()
                path.symlink_to(tmp_path / "mine")
            case "dangling link":
                path.symlink_to(tmp_path / "nowhere")
            case "pipe":
                os.mkfifo(path)
            case "socket":
                with socket.socket(socket.AF_UNIX) as listening:
                    listening.bind(os.fspath(path))
            case _:
                path.mkdir()

    return put


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pipes and sockets in folders")
@pytest.mark.parametrize(
    "file",
    [
        "job.json",
        "journal.jsonl",
        "lock",
        "batches/0001.jsonl",
        "batches/0001.output.jsonl",
        "vectors-2x256-float32.bin",
        "failures.jsonl.part",
    ],
)
def test_nothing_but_files_is_opened_in_a_job_directory(
    site: Site, tmp_path: Path, plant: Callable[[Path], None], file: str
) -> None:
    """A link would lead to somebody's file, and opening a pipe would block forever."""
    if "failures" in file:
        site.emulator.batches.fail(times=1)
    site.embed(texts(2), directory=tmp_path / "job")
    if "vectors" in file:
        site.client.batches.resume(tmp_path / "job").results().to_numpy()
    plant(tmp_path / "job" / file)
    mine = tmp_path / "mine"
    before = mine.read_bytes() if mine.exists() else None
    with pytest.raises(JobDirectoryError, match=f"{file} is a .*, and must be a file: remove it"):
        site.client.batches.resume(tmp_path / "job", progress=False).run().to_numpy(fill=0)
    assert before == (mine.read_bytes() if mine.exists() else None)
    assert not (tmp_path / "nowhere").exists()


def test_a_link_in_the_place_of_a_folder_of_batches_is_refused(site: Site, tmp_path: Path) -> None:
    """The job's files would be written outside of its directory."""
    elsewhere, job = tmp_path / "elsewhere", tmp_path / "job"
    elsewhere.mkdir()
    elsewhere.chmod(0o755)
    job.mkdir()
    (job / "batches").symlink_to(elsewhere)
    with pytest.raises(JobDirectoryError, match="batches is a symbolic link, and must be a folder"):
        site.embed(texts(2), directory=job)
    (job / "batches").unlink()
    site.embed(texts(2), directory=job)
    (job / "batches").rename(tmp_path / "moved")
    (job / "batches").symlink_to(tmp_path / "moved")
    with pytest.raises(JobDirectoryError, match="batches is a symbolic link, and must be a folder"):
        site.client.batches.resume(job, progress=False).results()
    assert ([], 0o755) == ([*elsewhere.iterdir()], elsewhere.stat().st_mode & 0o777)


def test_a_download_of_a_job_does_not_follow_a_link(site: Site, tmp_path: Path) -> None:
    """Another user can predict the name of the download before it starts."""
    site.emulator.faults.next("unauthorized", operation="retrieveFileContent")
    job = site.job(texts(2), directory=tmp_path / "job")
    with pytest.raises(error.AuthenticationError):
        job.run()
    (batch,) = site.plain.batches.list()
    mine = tmp_path / "mine"
    mine.write_text("my notes")
    output = tmp_path / "job/batches/0001.output.jsonl"
    part = ResumableFile(output, batch.output_file_id)._part
    part.unlink(missing_ok=True)
    part.symlink_to(mine)
    with pytest.raises(JobDirectoryError, match="is a symbolic link, and must be a file"):
        job.run()
    part.unlink()
    output.symlink_to(mine)  # the finished download replaces the link
    assert (2, "my notes") == (len(job.run().embeddings), mine.read_text())


def test_the_directory_itself_may_be_a_link(site: Site, tmp_path: Path) -> None:
    """The user chose that path."""
    (tmp_path / "real").mkdir()
    (tmp_path / "job").symlink_to(tmp_path / "real")
    assert 2 == len(site.embed(texts(2), directory=tmp_path / "job"))
    assert (tmp_path / "real/job.json").is_file()


# File permissions


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes")
@pytest.mark.parametrize("umask", [0, 0o777])
@pytest.mark.parametrize("named", [True, False])
def test_only_its_user_can_read_a_job_whatever_the_umask(
    site: Site, tmp_path: Path, umask: int, named: bool
) -> None:
    """Texts and vectors are private, also in files that are still being written."""
    old = os.umask(umask)
    try:
        directory = tmp_path / "above" / "job" if named else None
        site.emulator.batches.fail(times=1)
        results = site.embed(texts(12), directory=directory)
        results.to_numpy(fill=0)
        (results.directory / "lock").chmod(0o666)
        results.directory.chmod(0o777)
        site.client.batches.resume(results.directory, progress=False).retry_failed().to_numpy()
        assert umask == os.umask(umask), "the umask is that of all threads"
    finally:
        os.umask(old)
    found = [results.directory, *results.directory.rglob("*")]
    assert len(found) > 11
    modes = {
        path.relative_to(results.directory): oct(path.stat().st_mode & 0o777) for path in found
    }
    assert {path: "0o700" if str(path) in (".", "batches") else "0o600" for path in modes} == modes
    assert not named or 0o700 == directory.parent.stat().st_mode & 0o777
