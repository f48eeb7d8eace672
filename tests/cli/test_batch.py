"""`voyageai batch` and `voyageai files`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import voyageai
import voyageai_emulator
from voyageai_emulator import Emulator

from .conftest import SECRET, Run, answered

TEXTS = [f"It rains on day {n}." for n in range(30)]
POLL = ("--poll", 0.02)


@pytest.fixture(scope="module")
def shared() -> Iterator[Emulator]:
    """An emulator with no other tests' files and batches."""
    with voyageai_emulator.running() as found:
        yield found


@pytest.fixture
def client(emulator: Emulator) -> Iterator[voyageai.Client]:
    """A client of the emulator, with all stored files and batches removed."""
    with voyageai.Client(SECRET, base_url=emulator) as vo:
        for file in list(vo.files.list()):
            vo.files.delete(file.id)
        yield vo


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    """Return batch lines with two texts, with one, and with one that is refused."""
    found = tmp_path / "lines.jsonl"
    inputs = {"both": ["a", "b"], "single": ["c"]}
    rows = [{"custom_id": name, "body": {"input": texts}} for name, texts in inputs.items()]
    found.write_text("\n".join(map(json.dumps, rows)) + "\n")
    return found


def rows(output: str) -> list[dict[str, Any]]:
    """Return the rows of JSONL."""
    return [json.loads(line) for line in output.splitlines()]


def test_a_job_is_one_command(
    run: Run, emulator: Emulator, client: voyageai.Client, tmp_path: Path
) -> None:
    """The command turns a file into vectors in order, and running it again costs nothing."""
    (tmp_path / "in.txt").write_text("\n".join(TEXTS))
    words = ("batch", "run", "-m", "voyage-4", "in.txt", "job", *POLL, "--max-cost", 1)
    done = run(*words, "-O", "out.npy")
    assert "30 texts in 1 requests" in done.stderr
    live = client.embed_documents(TEXTS, "voyage-4").to_numpy()
    assert np.array_equal(live, np.load(tmp_path / "out.npy"))
    again = json.loads(run(*words, "--json").stdout)
    assert (30, 0) == (again["rows"], again["failed"])
    assert 1 == len(emulator.requests.of("createBatch"))


def test_a_job_of_documents_keeps_ids(run: Run, tmp_path: Path) -> None:
    """Each chunk has the id of its document."""
    chunks = [{"id": "ab"[n // 2], "text": f"chunk {n}", "page": n} for n in range(4)]
    (tmp_path / "in.jsonl").write_text("\n".join(map(json.dumps, chunks)))
    words = ("batch", "run", "-m", "voyage-context-3", "in.jsonl", "job", *POLL)
    run(*words, "--keep", "-O", "out.parquet")
    table: Any = pq.read_table(tmp_path / "out.parquet")
    assert ["a", "a", "b", "b"] == table["id"].to_pylist()
    assert [0, 1, 2, 3] == table["page"].to_pylist()


def test_a_job_is_estimated_first(run: Run, emulator: Emulator, tmp_path: Path) -> None:
    """The job does not start if it would cost more than allowed."""
    (tmp_path / "in.txt").write_text("\n".join(TEXTS))
    words = ("batch", "run", "-m", "voyage-4", "in.txt", "job", *POLL)
    assert 30 == json.loads(run(*words, "--estimate", "--json").stdout)["rows"]
    assert "max_cost" in run(*words, "--max-cost", 0, status=6).stderr
    assert 0 == len(emulator.requests)


def test_rows_that_failed_are_tried_again_if_asked(
    run: Run, emulator: Emulator, tmp_path: Path
) -> None:
    """Without the option, failed rows stay in the output without a vector."""
    (tmp_path / "in.txt").write_text("\n".join(TEXTS))
    emulator.batches.fail(times=1)
    words = ("batch", "run", "-m", "voyage-4", "in.txt", "job", *POLL, "-O", "out.jsonl")
    done = run(*words, status=5)
    assert "--retry-failed" in done.stderr
    found = rows((tmp_path / "out.jsonl").read_text())
    assert 30 == len(found)
    assert any(row["embedding"] is None for row in found)
    run(*words, "--retry-failed")
    assert all(row["embedding"] for row in rows((tmp_path / "out.jsonl").read_text()))


def test_what_a_job_writes_is_checked_before_it_runs(
    run: Run, emulator: Emulator, tmp_path: Path
) -> None:
    """A job takes hours, so a wrong output or format is refused before it starts."""
    (tmp_path / "in.txt").write_text("\n".join(TEXTS))
    words = ("batch", "run", "-m", "voyage-4", "in.txt", "job", *POLL)
    assert "this command writes json, jsonl, table" in run(*words, "-o", "csv", status=2).stderr
    assert "has no format" in run(*words, "-O", "out.doc", status=2).stderr
    words = ("batch", "run", "-m", "voyage-4", "-", "job", *POLL, "-O", "out.npy")
    assert "is read twice" in run(*words, input="a\n", status=2).stderr
    assert 0 == len(emulator.requests)


@pytest.mark.parametrize("name", ["out.json", "out.b64"])
def test_a_job_writes_every_format(run: Run, tmp_path: Path, name: str) -> None:
    """The formats are those of `voyageai embed`."""
    (tmp_path / "in.txt").write_text("a\nb\n")
    run("batch", "run", "-m", "voyage-4", "in.txt", "job", *POLL, "-O", name)
    assert 2 == len((tmp_path / name).read_text().splitlines())


def test_a_row_that_can_not_be_sent_stops_a_job(
    run: Run, emulator: Emulator, tmp_path: Path
) -> None:
    """The error comes before anything is uploaded."""
    (tmp_path / "in.txt").write_text("a\n\nb\n")
    done = run("batch", "run", "-m", "voyage-4", "in.txt", "job", status=2)
    assert "row 1 can't be sent: it is empty" in done.stderr
    assert 0 == len(emulator.requests)


def test_a_batch_by_its_id(run: Run, client: voyageai.Client, lines: Path, tmp_path: Path) -> None:
    """A script passes the id that `submit` prints to `watch` and `fetch`."""
    words = ("batch", "submit", "-m", "voyage-4", lines, "--metadata", "corpus=rain")
    found = run(*words).stdout.strip()
    watched = run("batch", "watch", found, *POLL).stdout.splitlines()
    assert watched[-1].startswith(f"{found} completed 2/2")
    fetched = rows(run("batch", "fetch", found).stdout)
    assert [("both", 0), ("both", 1), ("single", 2)] == [(r["id"], r["index"]) for r in fetched]
    live = client.embed_documents(["a", "b", "c"], "voyage-4").to_numpy()
    vectors = np.array([row["embedding"] for row in fetched], np.float32)
    assert np.array_equal(live, vectors)
    run("batch", "fetch", found, "-O", "out.parquet")
    assert 3 == pq.read_table(tmp_path / "out.parquet").num_rows
    shown = json.loads(run("batch", "show", found, "--json").stdout)
    assert {"corpus": "rain"} == shown["metadata"]
    listed = rows(run("batch", "list", "--status", "completed", "-n", 1).stdout)
    assert [found] == [row["id"] for row in listed]
    assert "completed" in run("batch", "list", "-o", "table").stdout
    assert "cannot be cancelled" in run("batch", "cancel", found, status=1).stderr


def test_watching_tells_how_it_ended(run: Run, emulator: Emulator, lines: Path) -> None:
    """Scripts tell from the exit status whether it failed in part, failed, or still runs."""
    submit = ("batch", "submit", "-m", "voyage-4", lines)
    emulator.batches.fail(times=1)
    found = run(*submit).stdout.strip()
    run("batch", "watch", found, *POLL, status=5)
    done = run("batch", "fetch", found, "--errors", "errors.jsonl", status=5)
    assert any(row["embedding"] is None and row["error"] for row in rows(done.stdout))
    emulator.batches.hold("in_progress")
    try:
        found = run(*submit).stdout.strip()
        run("batch", "watch", found, *POLL, "--timeout", 0.1, status=4)
        assert "voyageai batch watch" in run("batch", "fetch", found, status=2).stderr
        run("batch", "cancel", found)
    finally:
        emulator.batches.release()
    run("batch", "watch", found, *POLL, "--json", status=1)
    run("batch", "watch", "batch-nowhere", *POLL, status=1)


def test_the_dtype_of_a_batch_is_named_where_it_matters(
    run: Run, lines: Path, tmp_path: Path
) -> None:
    """The server does not state the dtype, and int8 and packed bits look the same."""
    found = run("batch", "submit", "-m", "voyage-4", lines, "--dtype", "int8").stdout.strip()
    run("batch", "watch", found, *POLL)
    assert "--dtype" in run("batch", "fetch", found, "-O", "out.npy", status=2).stderr
    run("batch", "fetch", found, "-O", "out.npy", "--dtype", "int8")
    matrix = np.load(tmp_path / "out.npy")
    assert ("int8", (3, 1024)) == (matrix.dtype, matrix.shape)
    assert matrix.tolist() == [r["embedding"] for r in rows(run("batch", "fetch", found).stdout)]


def test_rankings_of_a_batch_are_lines(run: Run, tmp_path: Path) -> None:
    """Rankings have no vectors to store."""
    body = {"query": "keys", "documents": ["It rains.", "The keys."]}
    (tmp_path / "lines.jsonl").write_text(json.dumps({"custom_id": "q", "body": body}))
    found = run("batch", "submit", "-m", "rerank-2.5", "lines.jsonl").stdout.strip()
    run("batch", "watch", found, *POLL)
    (row,) = rows(run("batch", "fetch", found).stdout)
    assert ("q", 1) == (row["id"], row["results"][0]["index"])


def test_lines_are_checked_before_they_are_sent(
    run: Run, emulator: Emulator, tmp_path: Path
) -> None:
    """A file of plain texts must not be uploaded as a batch."""
    (tmp_path / "in.txt").write_text("It rains.\n")
    done = run("batch", "submit", "-m", "voyage-4", "in.txt", status=2)
    assert "line 1 is not JSON" in done.stderr
    assert 0 == len(emulator.requests)
    assert "--endpoint" in run("batch", "submit", "-m", "my-model", "in.txt", status=2).stderr
    assert "is a folder" in run("batch", "submit", "-m", "voyage-4", ".", status=2).stderr
    assert "does not exist" in run("files", "upload", "nowhere", status=2).stderr


def test_files_up_and_down(run: Run, client: voyageai.Client, lines: Path, tmp_path: Path) -> None:
    """A download has the same bytes as the upload, in a file or in a pipe."""
    found = json.loads(run("files", "upload", lines, "--json").stdout)["id"]
    assert lines.read_text() == run("files", "download", found).stdout
    run("files", "download", found, "-O", "copy.jsonl")
    assert lines.read_bytes() == (tmp_path / "copy.jsonl").read_bytes()
    assert "lines.jsonl" in run("files", "show", found, "-o", "table").stdout
    assert [found] == [row["id"] for row in rows(run("files", "list").stdout)]
    assert found == run("files", "delete", found).stdout.strip()
    run("files", "show", found, status=1)


def test_old_files_are_deleted_only_on_request(
    run: Run, client: voyageai.Client, lines: Path
) -> None:
    """Without a terminal nobody can confirm the deletion."""
    ids = {json.loads(run("files", "upload", lines, "--json").stdout)["id"] for _ in range(3)}
    assert "needs --yes" in run("files", "delete", "--older-than", "0s", status=2).stderr
    assert "" == run("files", "delete", "--older-than", "7d", "--yes").stdout
    assert ids == {*run("files", "delete", "--older-than", "0s", "--yes").stdout.split()}
    assert [] == list(client.files.list())
    run("files", "delete", status=2)
    run("files", "delete", "--older-than", "soon", "--yes", status=2)


def test_a_terminal_is_asked_before_old_files_are_deleted(
    environment: dict[str, str], run: Run, client: voyageai.Client, lines: Path
) -> None:
    """A deleted file can't be restored."""
    run("files", "delete", "--older-than", "0s", "--yes")
    run("files", "upload", lines)
    said = answered(environment, "n", 6, "files", "delete", "--older-than", "0s")
    assert "Delete 1 file?" in said
    assert "nothing was deleted" in said
    assert 1 == len(list(client.files.list()))
