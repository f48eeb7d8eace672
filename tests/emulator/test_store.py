"""The database of files and batch jobs."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from voyageai_emulator import running
from voyageai_emulator.store import PIECE_SIZE, Position, StateError, Store
from voyageai_emulator.store.database import VERSION, new_id

from tests.emulator.batch_jobs import Jobs, some_lines
from tests.emulator.contract_client import DOCUMENT

KEY = "pa-a-key-that-nobody-may-see"


@pytest.fixture
def store() -> Iterator[Store]:
    """A temporary store."""
    store = Store()
    yield store
    store.close()


def add_file(store: Store, content: bytes, owner: str = "me") -> int:
    """Add a file and return its number."""
    number = store.files.begin(owner, "lines.jsonl", "batch")
    store.files.append(number, content)
    store.files.publish(number, 1, 100)
    return number


def add_job(store: Store, owner: str = "me") -> int:
    """Add a job and return its number."""
    return store.jobs.add(
        owner=owner,
        endpoint="/v1/embeddings",
        model="voyage-4",
        input_file_id="file-1",
        input_file=1,
        completion_window="12h",
        request_params={"model": "voyage-4"},
        created_at=1,
        expected_completion_at=2,
    ).number


# The file


def test_files_and_jobs_outlive_the_emulator(tmp_path: Path) -> None:
    """Users keep a state file for this purpose."""
    state = tmp_path / "state.db"
    with running(state=state) as emulator, Jobs(emulator.url) as jobs:
        job = jobs.create(some_lines(3))["id"]
        assert 0 == emulator.batches.settle()
        before = jobs.get(f"/batches/{job}"), jobs.get("/files"), jobs.results(job)
    with running(state=str(state)) as emulator, Jobs(emulator.url) as jobs:
        assert before == (jobs.get(f"/batches/{job}"), jobs.get("/files"), jobs.results(job))


def test_any_state_name_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite reserves names such as `:memory:`, and a shell variable may be empty."""
    monkeypatch.chdir(tmp_path)
    with running(state=":memory:") as emulator, Jobs(emulator.url) as jobs:
        jobs.upload(b"{}")
    assert [":memory:"] == [path.name for path in tmp_path.iterdir()]
    with pytest.raises(OSError, match="unable to open database file"), running(state=""):
        pass


def test_no_key_is_in_the_state_file(tmp_path: Path) -> None:
    """A state file is copied, sent and kept longer than its key should be known."""
    with running(state=tmp_path / "state.db") as emulator, Jobs(emulator.url, KEY) as jobs:
        jobs.create(some_lines(3))
        assert 0 == emulator.batches.settle()
        assert not [path for path in tmp_path.iterdir() if KEY.encode() in path.read_bytes()]
    assert KEY.encode() not in (tmp_path / "state.db").read_bytes()


def test_a_state_file_is_for_one_emulator_at_a_time(tmp_path: Path) -> None:
    """Two emulators would both answer the same lines."""
    state = tmp_path / "state.db"
    other = f"from voyageai_emulator.store import Store; Store({str(state)!r})"
    with running(state=state):
        with pytest.raises(StateError, match="another emulator is using it") as raised:
            Store(str(state))
        assert str(state) == raised.value.filename
        with pytest.raises(OSError, match="another emulator is using it"), running(state=state):
            pass
        command = [sys.executable, "-c", other]
        result = subprocess.run(command, check=False, capture_output=True, text=True)
        assert "another emulator is using it" in result.stderr
    Store(str(state)).close()


def test_a_state_file_of_another_version_is_refused(tmp_path: Path) -> None:
    """Its content would be misread."""
    state = str(tmp_path / "state.db")
    Store(state).close()
    with sqlite3.connect(state) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()
    with pytest.raises(StateError, match=f"version {VERSION + 1}, and this emulator needs"):
        Store(state)


def test_a_file_that_is_not_a_state_file_is_left_unchanged(tmp_path: Path) -> None:
    """A mistyped path must not cost users their data."""
    text, foreign = tmp_path / "notes.txt", tmp_path / "other.db"
    text.write_text("my notes\n" * 1000)
    with sqlite3.connect(foreign) as connection:
        connection.execute("CREATE TABLE mine (a)")
    connection.close()
    for path in (text, foreign):
        path.chmod(0o644)
    before = foreign.read_bytes()
    with pytest.raises(StateError, match="not a database"):
        Store(str(text))
    with pytest.raises(StateError, match="the database of another program"):
        Store(str(foreign))
    with pytest.raises(StateError, match="unable to open"):
        Store(str(tmp_path))
    assert {"0o644"} == {oct(path.stat().st_mode & 0o777) for path in (text, foreign)}
    assert ("my notes\n" * 1000, before) == (text.read_text(), foreign.read_bytes())


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes")
@pytest.mark.parametrize("umask", [0, 0o777])
def test_only_its_user_can_read_a_state_file_and_what_is_beside_it(
    tmp_path: Path, umask: int
) -> None:
    """These files hold all uploads."""

    def modes() -> dict[str, str]:
        return {path.name: oct(path.stat().st_mode & 0o777) for path in tmp_path.iterdir()}

    private = {"state.db": "0o600", "state.db-wal": "0o600"}
    old = os.umask(umask)
    try:
        store = Store(str(tmp_path / "state.db"))
        add_file(store, b"text")
        assert private == modes()
        for path in tmp_path.iterdir():  # as left by an older release or a killed process
            shutil.copy(path, tmp_path / path.name.replace("state", "old"))
            (tmp_path / path.name.replace("state", "old")).chmod(0o644)
        store.close()
        old_store = Store(str(tmp_path / "old.db"))
        assert {name.replace("state", "old") for name in private} | {"state.db"} == modes().keys()
        assert {"0o600"} == {*modes().values()}
        old_store.close()
    finally:
        os.umask(old)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pipes in folders")
@pytest.mark.parametrize("kind", ["link", "pipe"])
@pytest.mark.parametrize("ending", ["-wal", "-shm", "-journal"])
def test_nothing_but_files_is_opened_beside_a_state_file(
    tmp_path: Path, kind: str, ending: str
) -> None:
    """A link would lead to another user's file."""
    planted, mine = tmp_path / f"state.db{ending}", tmp_path / "mine"
    mine.write_text("my notes")
    planted.symlink_to(mine) if kind == "link" else os.mkfifo(planted)
    with pytest.raises(StateError, match=r"is a symbolic link, and|is a named pipe, and"):
        Store(str(tmp_path / "state.db"))
    assert "my notes" == mine.read_text()
    planted.unlink()
    (tmp_path / "link.db").symlink_to(tmp_path / "state.db")  # the user chose this path
    Store(str(tmp_path / "link.db")).close()
    assert (tmp_path / "state.db").is_file()
    os.mkfifo(tmp_path / "pipe.db")
    with pytest.raises(StateError, match="is a named pipe, and must be a file"):
        Store(str(tmp_path / "pipe.db"))


def test_an_upload_that_was_cut_off_leaves_nothing(tmp_path: Path) -> None:
    """The process may die during an upload."""
    state = str(tmp_path / "state.db")
    store = Store(state)
    add_file(store, b"whole")
    store.files.append(store.files.begin("me", "half.jsonl", "batch"), b"half")
    assert ["lines.jsonl"] == [f.filename for f in store.files.page("me", 2, limit=9).items]
    store.close()
    store = Store(state)
    store.close()
    with sqlite3.connect(state) as connection:
        assert [(b"whole",)] == connection.execute("SELECT content FROM pieces").fetchall()
    connection.close()


def test_a_block_is_kept_whole_or_not_at_all(store: Store) -> None:
    """Answers without the position to resume from would be given twice."""
    number = add_file(store, b"before")

    def fail_late() -> None:
        with store.transaction():
            store.files.append(number, b"never")
            with store.transaction():
                store.files.discard(number)
            _ = 1 / 0

    with pytest.raises(ZeroDivisionError):
        fail_late()
    assert b"before" == b"".join(store.files.pieces(number))


def test_no_group_of_lines_is_answered_twice(store: Store) -> None:
    """The database itself refuses a second answer."""
    job = add_job(store)
    assert Position(1, 0) == store.jobs.next_position(job)
    store.jobs.record_answered(job, Position(1, 0), Position(5, 80))
    assert Position(5, 80) == store.jobs.next_position(job)
    with pytest.raises(sqlite3.IntegrityError):
        store.jobs.record_answered(job, Position(1, 0), Position(3, 40))


def test_a_job_moves_only_from_where_it_is(store: Store) -> None:
    """A client may cancel while the worker advances the job, and only one of them succeeds."""
    number = add_job(store)
    assert store.jobs.move(number, ("validating",), "cancelling", 5)
    assert not store.jobs.move(number, ("validating",), "in_progress", 6)
    (job,) = store.jobs.in_flight()
    assert ("cancelling", 5, None) == (job.status, job.cancelling_at, job.in_progress_at)


# Contents


@given(
    parts=st.lists(st.binary(max_size=40) | st.just(b"\n"), max_size=12),
    max_line_bytes=st.integers(0, 60),
)
def test_lines_are_those_of_the_content(parts: list[bytes], max_line_bytes: int) -> None:
    """The pieces of a file may be split anywhere, and reading may start anywhere."""
    store = Store()
    try:
        number = store.files.begin("me", "x.jsonl", "batch")
        for part in parts:
            store.files.append(number, part)
        content = b"".join(parts)
        expected = content.split(b"\n")
        expected = expected[:-1] if not expected[-1] else expected
        lines = list(store.files.lines(number, max_line_bytes=max_line_bytes))
        assert [raw if len(raw) <= max_line_bytes else None for raw in expected] == [
            line.raw for line in lines
        ]
        assert list(range(1, len(expected) + 1)) == [line.number for line in lines]
        for line in lines:
            later = store.files.lines(
                number, first=line.number + 1, start=line.end, max_line_bytes=max_line_bytes
            )
            assert lines[line.number :] == list(later)
    finally:
        store.close()


@given(start=st.integers(0, 30), length=st.integers(0, 30), parts=st.lists(st.binary(max_size=9)))
def test_a_part_of_a_content_is_that_slice(start: int, length: int, parts: list[bytes]) -> None:
    """A download may resume at any byte."""
    store = Store()
    try:
        number = store.files.begin("me", "x.jsonl", "batch")
        for part in parts:
            store.files.append(number, part)
        expected = b"".join(parts)[start : start + length]
        assert expected == b"".join(store.files.pieces(number, start, start + length))
    finally:
        store.close()


def test_a_large_content_is_kept_in_pieces(store: Store) -> None:
    """No piece is too large for memory."""
    content = bytes(range(256)) * (3 * PIECE_SIZE // 256) + b"end"
    pieces = list(store.files.pieces(add_file(store, content)))
    assert ([PIECE_SIZE] * 3 + [3], content) == ([len(piece) for piece in pieces], b"".join(pieces))


def test_ids_are_like_those_that_were_seen() -> None:
    """Database columns and patterns for the API's ids must accept these ids."""
    seen: str = DOCUMENT["components"]["parameters"]["FileId"]["schema"]["examples"][0]
    made = {new_id("file") for _ in range(100)}
    assert (100, {len(seen)}) == (len(made), {len(id) for id in made})
    assert all(id.startswith("file-") and id[5:].isalnum() for id in made)
