"""Downloads to a path that resume where an earlier call stopped."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest
import voyageai
from voyageai import error
from voyageai.files.writing import ResumableFile, lock

from tests.calls import at_calls

from .file_server import FILE, LINE, answer, content, done, in_turn, jsonl

BODY = jsonl(*[{**LINE, "custom_id": str(number)} for number in range(5)])
BROKEN = httpx2.ReadError("reset by peer")


def server(*contents: Any, size: int = len(BODY)) -> Any:
    """Return a handler that gives the file's size, and these responses for its content."""
    contents_in_turn = in_turn(*contents)

    def handle(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/content"):
            return contents_in_turn(request)
        return answer(**{**FILE, "bytes": size})

    return handle


def rest(request: httpx2.Request) -> httpx2.Response:
    """Answer like a server that supports ranges."""
    start = int(request.headers["range"].removeprefix("bytes=")[:-1])
    content_range = f"bytes {start}-{len(BODY) - 1}/{len(BODY)}"
    return content(BODY[start:], status=206, content_range=content_range)


def download(client: Any, path: Path, **options: Any) -> Path:
    """Write the content to a path."""
    return done(client.files.content("file-1").write_to(path, resume=True, **options))


def kept(path: Path) -> list[bytes]:
    """Return the unfinished downloads beside a path."""
    return [part.read_bytes() for part in path.parent.glob(f".{path.name}.*.part")]


@pytest.mark.parametrize("server_skips", [True, False])
def test_received_bytes_are_not_requested_again(face, tmp_path, server_skips):
    """A download that takes all night survives a network failure, even without ranges."""
    path = tmp_path / "lines.jsonl"
    path.write_bytes(b"old")
    client = face.client(server(lambda _: content(BODY[:9], BROKEN), lambda _: content(BROKEN)))
    with pytest.raises(error.APIConnectionError):
        download(client, path)
    assert (b"old", [BODY[:9]]) == (path.read_bytes(), kept(path))

    seen: list[Any] = []
    client = face.client(server(rest if server_skips else lambda _: content(BODY)))
    download(client, path, progress=lambda *numbers: seen.append(numbers))
    assert (BODY, [path]) == (path.read_bytes(), [*tmp_path.iterdir()])
    assert "bytes=8-" == face.requests[-1].headers["range"]
    assert [(len(BODY), len(BODY))] == seen


def test_a_complete_download_is_confirmed_by_its_last_byte(face, tmp_path):
    """After a kill before the final rename, one byte confirms the length."""
    path = tmp_path / "lines.jsonl"
    begun = ResumableFile(path, "file-1")
    begun.open(len(BODY))
    begun.write(BODY)
    begun.discard()
    download(face.client(server(rest)), path)
    assert (BODY, []) == (path.read_bytes(), kept(path))
    assert f"bytes={len(BODY) - 1}-" == face.requests[-1].headers["range"]


@pytest.mark.parametrize(
    "found", [BODY[:9] + b"\0" * 20, BODY + b"more", b""], ids=["zeros", "too long", "empty"]
)
def test_an_invalid_beginning_is_not_resumed(face, tmp_path, found):
    """A crashed machine leaves zeros where data was not written yet."""
    path = tmp_path / "lines.jsonl"
    begun = ResumableFile(path, "file-1")
    begun.open(len(found))
    begun.write(found)
    begun.discard()
    download(face.client(server(lambda _: content(BODY))), path)
    assert (BODY, []) == (path.read_bytes(), kept(path))
    assert "range" not in face.requests[-1].headers


@pytest.mark.parametrize(
    ("size", "second"),
    [
        (len(BODY), lambda _: answer(404)),
        (len(BODY) + 1, lambda _: content(BODY)),
        (len(BODY), lambda _: content(BODY, content_length="99")),
    ],
    ids=["gone", "too short", "another length"],
)
def test_nothing_is_kept_of_a_content_that_is_gone_or_changed(face, tmp_path, size, second):
    """A useless beginning would be resumed forever."""
    path = tmp_path / "lines.jsonl"
    client = face.client(server(lambda _: content(BODY[:9], BROKEN), second, size=size))
    with pytest.raises(error.APIError):
        download(client, path)
    assert [] == [*tmp_path.iterdir()]


def test_nothing_is_kept_of_a_deleted_file(face, tmp_path):
    """The beginning of a deleted file is useless."""
    path = tmp_path / "lines.jsonl"
    begun = ResumableFile(path, "file-1")
    begun.open(len(BODY))
    begun.write(BODY[:9])
    begun.discard()
    with pytest.raises(error.NotFoundError):
        download(face.client(in_turn(answer(404))), path)
    assert [] == [*tmp_path.iterdir()]


def test_the_download_of_another_file_is_not_resumed(face, tmp_path):
    """Users may download different files to one path, such as the newest results."""
    path = tmp_path / "lines.jsonl"
    other = ResumableFile(path, "file-2")
    other.open(len(BODY))
    other.write(b"of another file")
    other.discard()
    download(face.client(server(lambda _: content(BODY))), path)
    assert (BODY, [b"of another file"]) == (path.read_bytes(), kept(path))


def test_two_downloads_do_not_write_to_one_file(tmp_path):
    """Two downloads writing to one file would mix their bytes."""
    path = tmp_path / "lines.jsonl"
    first = ResumableFile(path, "file-1")
    first.open(len(BODY))
    first.write(BODY[:9])
    with pytest.raises(OSError, match="another download to this path is under way"):
        ResumableFile(path, "file-1").open(len(BODY))
    first.discard()
    with ResumableFile(path, "file-1") as second:
        assert 8 == second.open(len(BODY))


def test_a_download_completed_by_another_is_not_written_to(tmp_path):
    """Between opening and locking, another process may have turned the file into a result."""
    path = tmp_path / "lines.jsonl"

    def complete(arguments: dict[str, Any]) -> None:
        if not path.exists():
            part = Path(arguments["file"].name)
            part.write_bytes(BODY)
            part.replace(path)

    with ResumableFile(path, "file-1") as file:
        with at_calls(lock, act=complete):
            assert 0 == file.open(len(BODY))
        file.write(b"mine")
    assert (BODY, [b"mine"]) == (path.read_bytes(), kept(path))


def test_a_task_that_is_cancelled_keeps_what_it_has(tmp_path):
    """A cancelled task resumes like a program stopped by Ctrl-C."""
    path = tmp_path / "lines.jsonl"

    async def endless(request: httpx2.Request) -> httpx2.Response:
        if not request.url.path.endswith("/content"):
            return answer(**{**FILE, "bytes": len(BODY)})

        async def pieces() -> Any:
            yield BODY[:9]
            await asyncio.Event().wait()

        return httpx2.Response(200, content=pieces())

    async def run() -> None:
        begun = asyncio.Event()
        client = voyageai.AsyncClient("any", transport=httpx2.MockTransport(endless))
        writing = client.files.content("file-1").write_to(
            path, resume=True, progress=lambda *_: begun.set()
        )
        task = asyncio.create_task(writing)
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
    assert [BODY[:9]] == kept(path)


# Files planted by others


def part_of(path: Path) -> Path:
    """Return the path of an unfinished download, which an attacker can predict."""
    return ResumableFile(path, "file-1")._part


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pipes in folders")
@pytest.mark.parametrize("kind", ["link", "dangling link", "pipe"])
def test_a_link_or_a_pipe_is_not_resumed(face, tmp_path, kind):
    """A link would be followed when writing, and a pipe would block."""
    path, mine = tmp_path / "lines.jsonl", tmp_path / "mine"
    mine.write_bytes(BODY[:9])
    if kind == "pipe":
        os.mkfifo(part_of(path))
    else:
        part_of(path).symlink_to(mine if kind == "link" else tmp_path / "nowhere")
    with pytest.raises(OSError, match=r"is a (symbolic link|named pipe), and must be a file"):
        download(face.client(server(rest)), path)
    assert (BODY[:9], False) == (mine.read_bytes(), path.exists())
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes")
@pytest.mark.parametrize("kind", ["another name", "others can write to it", "another user's"])
def test_a_file_that_others_can_write_is_not_resumed(face, tmp_path, kind):
    """Another user could choose the beginning of the results, or read them."""
    path, mine = tmp_path / "lines.jsonl", tmp_path / "mine"
    mine.write_bytes(b"{" * 9)
    if kind == "another name":
        part_of(path).hardlink_to(mine)
    else:
        part_of(path).write_bytes(b"{" * 9)
    if kind == "others can write to it":
        part_of(path).chmod(0o666)
    if kind == "another user's":
        if os.geteuid():
            pytest.skip("only root can give files away")
        os.chown(part_of(path), 12345, -1)
    download(face.client(server(lambda _: content(BODY))), path)
    assert (BODY, b"{" * 9, []) == (path.read_bytes(), mine.read_bytes(), kept(path))
    assert "range" not in face.requests[-1].headers


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes")
@pytest.mark.parametrize("umask", [0, 0o777])
@pytest.mark.parametrize("resume", [True, False])
def test_only_its_user_can_read_a_download(face, tmp_path, umask, resume):
    """Results hold texts and vectors, also before they are complete."""
    path, modes = tmp_path / "lines.jsonl", []

    def look(*_: int) -> None:
        modes.extend(oct(part.stat().st_mode & 0o777) for part in tmp_path.iterdir())

    old = os.umask(umask)
    try:
        client = face.client(server(lambda _: content(BODY)))
        done(client.files.content("file-1").write_to(path, resume=resume, progress=look))
    finally:
        os.umask(old)
    assert ["0o600"] * 2 == [*modes, oct(path.stat().st_mode & 0o777)]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pipes in folders")
@pytest.mark.parametrize("resume", [True, False])
def test_a_link_at_the_path_is_replaced_and_a_pipe_refused(face, tmp_path, resume):
    """Replacing the link leaves its target alone, but a pipe may have a reader."""
    path, mine, pipe = tmp_path / "lines.jsonl", tmp_path / "mine", tmp_path / "pipe"
    mine.write_text("my notes")
    path.symlink_to(mine)
    os.mkfifo(pipe)
    client = face.client(server(lambda _: content(BODY)))
    done(client.files.content("file-1").write_to(path, resume=resume))
    assert ("my notes", BODY, False) == (mine.read_text(), path.read_bytes(), path.is_symlink())
    with pytest.raises(error.ArgumentError, match="pipe is no regular file"):
        done(client.files.content("file-1").write_to(pipe, resume=resume))
    assert pipe.is_fifo()
