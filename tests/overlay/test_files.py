"""Files: uploads, downloads, lists, deletion, and failures of each."""

from __future__ import annotations

import asyncio
import copy
import datetime
import gzip
import inspect
import io
import json
import logging
import os
import pickle
import tempfile
from itertools import cycle
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import attrs
import httpx2
import pytest
import voyageai
from voyageai import error
from voyageai.batches import Batch
from voyageai.files import AsyncFileContent, AsyncFiles, FileContent, FileObject, Files
from voyageai.files.lines import LineCheck
from voyageai.files.resource import RawFiles
from voyageai.files.resource_async import AsyncRawFiles
from voyageai.files.sources import Source
from voyageai_rest.models import BatchEmbeddingsBody, BatchInputLine

from .file_server import BATCH, FILE, LINE, Body, answer, content, done, in_turn, jsonl, uploaded

LINES = jsonl(LINE, {**LINE, "custom_id": "b"})
STORED = answer(**FILE)
BROKEN = httpx2.ReadError("reset by peer")


class Pipe(io.RawIOBase):
    """A source that can be read once, in small pieces."""

    def __init__(self, content: bytes) -> None:
        self._left = io.BytesIO(content)

    def readable(self) -> bool:
        return True

    def readinto(self, room: Any) -> int:
        piece = self._left.read(min(len(room), 7))
        room[: len(piece)] = piece
        return len(piece)


def stored(request: httpx2.Request) -> httpx2.Response:
    """Store a file and return its object."""
    request.read()
    return answer(**FILE)


class Server(httpx2.BaseTransport, httpx2.AsyncBaseTransport):
    """A transport that reads bodies in pieces; to fail, it stops in the middle of a body."""

    def __init__(self, *answers: httpx2.Response | Exception) -> None:
        self.answers = list(answers)
        self.bodies: list[bytes] = []

    def begin(self) -> None:
        """Do something when a request arrives."""

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        self.begin()
        found, pieces = self.answers.pop(0), iter(request.stream)
        if isinstance(found, Exception):
            self.bodies.append(next(pieces) + next(pieces))
            raise found
        self.bodies.append(b"".join(pieces))
        return found

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.begin()
        found, pieces = self.answers.pop(0), aiter(request.stream)
        if isinstance(found, Exception):
            self.bodies.append(await anext(pieces) + await anext(pieces))
            raise found
        self.bodies.append(b"".join([piece async for piece in pieces]))
        return found


AT_ONCE = voyageai.RetryPolicy(max_retries=1, initial_delay=0)

# Uploads


SOURCES = {
    "path": str,
    "Path": Path,
    "bytes": Path.read_bytes,
    "bytearray": lambda path: bytearray(LINES),
    "memoryview": lambda path: memoryview(LINES),
    "BytesIO": lambda path: io.BytesIO(LINES),
    "file": lambda path: path.open("rb"),
    "unbuffered": lambda path: path.open("rb", buffering=0),
    "gzip": lambda path: gzip.GzipFile(fileobj=io.BytesIO(gzip.compress(LINES))),
    "pipe": lambda path: Pipe(LINES),
    "list": lambda path: [LINE, {**LINE, "custom_id": "b"}],
    "generator": lambda path: ({**LINE, "custom_id": name} for name in "ab"),
    "models": lambda path: [
        BatchInputLine(custom_id=name, body=BatchEmbeddingsBody(input=LINE["body"]["input"]))
        for name in "ab"
    ],
}


@pytest.mark.parametrize("kind", SOURCES)
@pytest.mark.parametrize("check", [True, False])
def test_the_same_lines_arrive_from_every_source(face, tmp_path, kind, check):
    """Users can pass any kind of source, and the server gets the same bytes, checked or not."""
    path = tmp_path / "some.jsonl"
    path.write_bytes(LINES)
    given = SOURCES[kind](path)
    file = done(face.client(stored).files.upload(given, filename="x.jsonl", check=check))
    if hasattr(given, "read"):
        assert not given.closed
        given.close()

    assert ("x.jsonl", LINES) == uploaded(face.requests[0])
    assert str(len(face.requests[0].content)) == face.requests[0].headers["content-length"]
    assert ("file-1", "req-1") == (file.id, file.request_id)


def test_a_file_is_sent_from_its_current_position(face):
    """Other libraries also start at a file's position, and a retry must start there again."""
    file = io.BytesIO(b"# a comment\n" + LINES)
    file.readline()
    server = Server(answer(429), answer(**FILE))
    done(face.kind("k", transport=server, max_retries=AT_ONCE).files.upload(file))

    assert server.bodies[0] == server.bodies[1]
    assert LINES in server.bodies[0]
    assert b"a comment" not in server.bodies[0]


WRONG = [
    (b"{", "line 1 is not JSON"),
    (LINES + b"\n", "line 3 is empty; remove it"),
    (LINES + b"[]", "line 3 is no line of a batch: the whole body: expected an object"),
    (b'{"body": {"input": "a"}}', "line 1 is no line of a batch: custom_id: missing"),
    (b'{"custom_id": 7, "body": {"input": "a"}}', "custom_id: expected a string"),
    (b'{"custom_id": "a"}', "line 1 is no line of a batch: body: missing"),
    (b'{"custom_id": "a", "body": []}', "body: expected an object"),
    (b'{"custom_id": "a", "body": {"input": NaN}}', "NaN is not a JSON number"),
    (b'{"custom_id": "", "body": {"input": "a"}}', "line 1 has an empty custom_id"),
    (LINES + jsonl(LINE), "line 3 has the same custom_id as line 1: 'a'"),
    (b"\xef\xbb\xbf" + LINES, "line 1 begins with a byte order mark"),
    (LINES.replace(b"keys", b"k\xe9ys", 1), "line 1 is not UTF-8"),
    (LINES.decode().encode("utf-16"), "line 1 is not UTF-8"),
    (json.dumps([LINE], indent=2).encode(), "line 1 is not JSON"),
    (b'"' + b"a" * 200, r"is not JSON \(.*\): '\"a{79}'(?m:$)"),
    (b"[" * 100_000, "line 1 is not JSON"),
]


FORMS = [bytes, io.BytesIO, Pipe]


@pytest.mark.parametrize(
    ("lines", "reason", "form"),
    [
        *((*WRONG[0], form) for form in FORMS),
        *((*wrong, form) for wrong, form in zip(WRONG[1:], cycle(FORMS), strict=False)),
    ],
    ids=range(len(WRONG) + len(FORMS) - 1),
)
def test_a_line_that_is_wrong_is_named_before_anything_is_sent(face, lines, reason, form):
    """The server would report the line only hours later."""
    with pytest.raises(error.ArgumentError, match=reason) as raised:
        done(face.client(stored).files.upload(form(lines), filename="a.jsonl"))

    assert [] == face.requests
    assert raised.value.argument.startswith("source[")


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([LINE, {"custom_id": "b"}], "line 2 is no line of a batch: body: missing"),
        ([LINE, 7], "line 2 is no line of a batch: the whole body: expected an object"),
        ([LINE, LINE], "line 2 has the same custom_id as line 1"),
        ([LINE, {"custom_id": "b", "body": {"input": "\ud800"}}], "line 2 holds a lone surrogate"),
    ],
)
def test_a_row_that_is_wrong_is_named_too(face, rows, reason):
    """The error comes at the first wrong row, before further rows are generated."""
    generated = []

    def generate():
        for row in [*rows, LINE]:
            generated.append(row)
            yield row

    with pytest.raises(error.ArgumentError, match=reason):
        done(face.client(stored).files.upload(generate()))

    assert ([], 2) == (face.requests, len(generated))


def test_unchecked_rows_must_still_be_rows(face):
    """Without checks the line's fields may be new, but it must be a JSON object."""
    for row, reason in (
        (7, "line 1 must be a mapping"),
        ({"a": object()}, "line 1 can't be written"),
    ):
        with pytest.raises(error.ArgumentError, match=reason):
            done(face.client(stored).files.upload([row], check=False))
    done(face.client(stored).files.upload([{"new": "form"}], check=False))
    assert b'{"new": "form"}\n' == uploaded(face.requests[-1])[1]


@pytest.mark.parametrize("given", [LINES, [LINE, {**LINE, "custom_id": "b"}]])
def test_more_lines_than_a_batch_takes_are_refused(given):
    """No batch could run the file, however long its upload took."""
    with (
        Source(given) as source,
        pytest.raises(error.ArgumentError, match="more than 1 lines"),
    ):
        list(source.prepare(LineCheck(max_lines=1)))


def test_a_line_of_any_length_does_not_fill_the_memory():
    """A file without newlines would otherwise be read into memory whole."""
    with (
        Source(LINES) as source,
        pytest.raises(error.ArgumentError, match="line 1 is longer than 10 bytes"),
    ):
        list(source.prepare(LineCheck(max_bytes=10)))


@pytest.mark.parametrize(
    ("given", "name", "argument"),
    [
        (io.StringIO("{}"), "a.jsonl", "source"),
        (LINE, None, "source"),
        (7, None, "source"),
        (None, None, "source"),
        (b"", None, "source"),
        ([], None, "source"),
        (b"{}", "a.json", "filename"),
        ("lines.txt", None, "filename"),
        (Path("lines"), None, "filename"),
    ],
)
def test_an_invalid_source_is_refused_with_the_valid_ones(face, given, name, argument):
    """The error names the argument and says which sources are valid."""
    with pytest.raises(error.ArgumentError) as raised:
        done(face.client(stored).files.upload(given, filename=name))
    assert ([], argument) == (face.requests, raised.value.argument)


def test_an_unknown_purpose_is_refused(face):
    """The error comes before a gigabyte is uploaded in vain."""
    with pytest.raises(error.ArgumentError, match="purpose must be one of 'batch'"):
        done(face.client(stored).files.upload(LINES, purpose="fine-tune"))


def test_a_missing_file_raises_file_not_found(face, tmp_path):
    """Users catch the same FileNotFoundError as from `open`."""
    with pytest.raises(FileNotFoundError):
        done(face.client(stored).files.upload(tmp_path / "none.jsonl"))


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (b"", "lines.jsonl"),
        (Path("folder/some.JSONL"), "some.JSONL"),
        ("folder/some.jsonl", "some.jsonl"),
    ],
)
def test_files_have_their_own_names_by_default(given, name, tmp_path, monkeypatch):
    """Users find a file in a list by its name."""
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    for each in ("some.JSONL", "some.jsonl"):
        (Path("folder") / each).write_bytes(b"{}")
    with Source(given) as source:
        assert name == source.filename
    with Source(given, "other.jsonl") as source:
        assert "other.jsonl" == source.filename
    with Path("folder/some.jsonl").open("rb") as file, Source(file) as source:
        assert "some.jsonl" == source.filename


def test_temporary_files_are_private_and_do_not_stay(face, tmp_path, monkeypatch):
    """Rows may be confidential, and disks small."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    modes = []

    def look(request):
        modes.extend(path.stat().st_mode & 0o077 for path in tmp_path.iterdir())
        return stored(request)

    done(face.client(look).files.upload([LINE]))
    with pytest.raises(error.ArgumentError):
        done(face.client(look).files.upload(Pipe(b"{"), filename="a.jsonl"))
    assert ([], set()) == ([*tmp_path.iterdir()], {*modes} - {0})


def test_progress_reaches_the_total_and_restarts_with_a_retry(face):
    """A progress bar reaches 100 %, and restarts with a retry."""
    lines = jsonl(*({**LINE, "custom_id": f"{n}"} for n in range(3000)))
    seen = []
    client = face.kind("k", transport=Server(answer(429), answer(**FILE)), max_retries=AT_ONCE)
    done(client.files.upload(lines, progress=lambda *numbers: seen.append(numbers)))

    assert (0, len(lines)) == seen[0]
    half = 1 + len(seen) // 2
    first, second = seen[1:half], seen[half:]
    assert first == second == sorted(set(first))
    assert (len(lines), len(lines)) == second[-1]
    assert {len(lines)} == {total for _, total in seen}


def test_an_exception_of_the_progress_callback_ends_the_upload(face):
    """Users can cancel an upload by raising in the callback."""

    def progress(sent: int, total: int) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        done(face.client(stored).files.upload(LINES, progress=progress))


@pytest.mark.parametrize("failure", [httpx2.ReadError("x"), httpx2.ReadTimeout("x"), answer(503)])
def test_a_file_that_may_be_stored_is_not_uploaded_twice(face, failure):
    """A second copy would be stored unnoticed, so the error tells how to look for the first."""
    client = face.client(in_turn(failure), max_retries=3)
    with pytest.raises(error.VoyageError, match=r"may have been stored.*files\.list\(\)") as raised:
        done(client.files.upload(LINES))
    assert (1, True) == (raised.value.attempts, raised.value.outcome_unknown)
    assert 1 == len(face.requests)


@pytest.mark.parametrize("refusal", [httpx2.ConnectError("x"), answer(429)])
def test_a_file_that_was_refused_is_uploaded_again(face, refusal):
    """A refusal proves that nothing was stored."""
    client = face.client(in_turn(refusal, stored), max_retries=1)
    assert "file-1" == done(client.files.upload(LINES)).id
    client = face.client(in_turn(refusal), max_retries=1)
    with pytest.raises(error.VoyageError) as raised:
        done(client.files.upload(LINES))
    assert (2, False) == (raised.value.attempts, raised.value.outcome_unknown)


def test_an_upload_that_broke_off_is_repeated(face):
    """The server lacks the end of the file, so it can't have stored it."""
    server = Server(httpx2.WriteError("x"), answer(**FILE))
    client = face.kind("k", transport=server, max_retries=AT_ONCE)
    assert "file-1" == done(client.files.upload(LINES)).id
    assert LINES in server.bodies[1]
    server = Server(httpx2.WriteError("x"))
    with pytest.raises(error.APIConnectionError) as raised:
        done(face.kind("k", transport=server).files.upload(LINES))
    assert not raised.value.outcome_unknown


@pytest.mark.parametrize("change", [LINES[:-5], LINES + b" "])
def test_a_file_that_changes_while_it_is_sent_is_not_stored_half_checked(face, tmp_path, change):
    """Another program may still be writing the file, so its checked lines are out of date."""
    path = tmp_path / "lines.jsonl"
    path.write_bytes(LINES)

    class Changing(Server):
        def begin(self) -> None:
            path.write_bytes(change)

    server = Changing(STORED)
    with pytest.raises(error.ArgumentError, match=r"lines\.jsonl changed while"):
        done(face.kind("k", transport=server).files.upload(path))
    assert [] == server.bodies


def test_a_client_of_the_users_own_streams_too(face):
    """Users bring their own client for proxies, hooks or certificates."""
    kind = httpx2.Client if face.kind is voyageai.Client else httpx2.AsyncClient
    seen = []

    def handle(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return content(b"a", b"b") if request.method == "GET" else stored(request)

    client = face.kind("k", http_client=kind(transport=httpx2.MockTransport(handle)))
    done(client.files.upload(LINES))
    assert LINES == uploaded(seen[0])[1]
    assert [b"a", b"b"] == done(client.files.content("file-1").iter_bytes())


# File objects


def test_a_file_is_a_value(face):
    """Programs compare, print, pickle and store file objects."""
    file = done(face.client(in_turn(STORED)).files.retrieve("file-1"))
    assert "/v1/files/file-1" == face.requests[0].url.path
    assert FILE == file.to_dict()
    assert file == FileObject.from_dict(FILE) == pickle.loads(pickle.dumps(file))
    assert file == copy.deepcopy(file)
    assert "FileObject('file-1', 'lines.jsonl', 46 bytes, batch)" == repr(file)
    assert datetime.timedelta(days=30) == file.expires_at - file.created_at
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        file.id = "other"


def test_new_fields_and_values_of_a_response_are_kept():
    """The API will add purposes and fields."""
    data = {**FILE, "purpose": "vision", "status": "processed"}
    file = FileObject.from_dict(data)
    assert ("vision", data) == (file.purpose, file.to_dict())


def test_times_have_a_zone_whatever_the_server_writes():
    """Python can't compare times with and without a time zone."""
    bare = FileObject.from_dict({**FILE, "created_at": "2025-12-01T19:18:23.455349"})
    zulu = FileObject.from_dict({**FILE, "created_at": "2025-12-01T19:18:23.455349Z"})
    assert bare.created_at == zulu.created_at == FileObject.from_dict(FILE).created_at
    unknown = {name: value for name, value in FILE.items() if name != "expires_at"}
    assert FileObject.from_dict(unknown).expires_at is None


# Lists


def page(*names: str, more: bool = False) -> httpx2.Response:
    """Return a page of files."""
    data = [{**FILE, "id": name} for name in names]
    last = names[-1] if names else None
    return answer(object="list", data=data, first_id=None, last_id=last, has_more=more)


def test_iterating_a_list_loads_all_pages(face):
    """Users iterate over all files without handling pages."""
    client = face.client(in_turn(page("a", "b", more=True), page("c", more=True), page()))
    found = client.files.list(purpose="batch", order="asc", limit=2, after="z")
    assert ["a", "b", "c"] == [file.id for file in done(found)]
    shared = {"purpose": "batch", "limit": "2", "order": "asc"}
    assert [{**shared, "after": after} for after in "zbc"] == [
        dict(request.url.params) for request in face.requests
    ]


def test_pages_are_loaded_when_they_are_needed(face):
    """Reading the first of ten thousand files takes one request."""
    client = face.client(in_turn(page("a", more=True), page("b")))
    listed = client.files.list()
    assert [] == face.requests
    if face.kind is voyageai.Client:
        assert "a" == next(iter(listed)).id
    else:

        async def first():
            async for file in listed:
                return file.id
            raise AssertionError("there is one")

        assert "a" == asyncio.run(first())
    assert 1 == len(face.requests)
    assert {} == dict(face.requests[0].url.params)


def test_a_single_page_can_be_loaded(face):
    """Programs with a paged display load one page at a time."""
    found = done(face.client(in_turn(page("a", "b", more=True))).files.list(limit=2).page())
    assert (["a", "b"], True, "b") == (
        [file.id for file in found.data],
        found.has_more,
        found.last_id,
    )
    empty = done(face.client(in_turn(page())).files.list().page())
    assert ((), False, None) == (empty.data, empty.has_more, empty.last_id)


@pytest.mark.parametrize("pages", [[page(more=True)], [page("a", more=True)] * 2])
def test_an_endless_list_raises_an_error(face, pages):
    """A list whose pages repeat, or have no last id, would be read forever."""
    with pytest.raises(error.MalformedResponseError, match="last_id"):
        done(face.client(in_turn(*pages)).files.list())


def test_an_unknown_order_is_refused(face):
    """The error comes from `list`, not with the first file."""
    with pytest.raises(error.ArgumentError, match="order must be one of 'asc', 'desc'"):
        face.client().files.list(order="newest")


# Deletion


def test_deletion_returns_nothing_or_raises(face):
    """A deletion that succeeds has nothing to return, and one that fails never passes silently."""
    gone = answer(id="file-1", object="file", deleted=True)
    assert done(face.client(in_turn(gone)).files.delete("file-1")) is None
    assert ("DELETE", "/v1/files/file-1") == (face.requests[0].method, face.requests[0].url.path)
    kept = answer(id="file-1", object="file", deleted=False)
    with pytest.raises(error.NotDeletedError) as raised:
        done(face.client(in_turn(kept)).files.delete("file-1"))
    assert ("file-1",) == raised.value.file_ids


def test_a_failed_deletion_of_many_files_names_them(face):
    """A response with `success: false` raises, and names the files that can't be deleted."""
    assert done(face.client(in_turn(answer(success=True))).files.delete_many(["a", "b"])) is None
    assert {"file_ids": ["a", "b"]} == face.body
    refused = answer(success=False, error_file_ids=["b"])
    with pytest.raises(error.NotDeletedError, match="these can't be: b") as raised:
        done(face.client(in_turn(refused)).files.delete_many(("a", "b")))
    found = pickle.loads(pickle.dumps(raised.value))
    assert (("b",), 200, "req-1") == (found.file_ids, found.http_status, found.request_id)
    assert ["b"] == found.json_body["error_file_ids"]


@pytest.mark.parametrize(
    ("method", "given"),
    [
        ("retrieve", ""),
        ("retrieve", None),
        ("delete", 7),
        ("delete_many", "file-1"),
        ("delete_many", ["a", None]),
        ("content", ""),
    ],
)
def test_an_invalid_id_is_refused(face, method, given):
    """An empty id would address `/files/`, which is another operation."""
    with pytest.raises(error.ArgumentError, match="id"):
        done(getattr(face.client(stored).files, method)(given))
    assert [] == face.requests


# Contents

ROWS = [{"n": n, "text": "ä" * n} for n in range(5)]
BODY = jsonl(*ROWS)


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
@pytest.mark.parametrize("end", [b"", b"\n", b"\n\n", b"\r\n"])
def test_lines_are_parsed_however_the_body_is_split(face, size, end):
    """A network may split a body anywhere, even within a character."""
    body = BODY.removesuffix(b"\n") + end
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    client = face.client(in_turn(content(*pieces)))
    assert ROWS == done(client.files.content("file-1").lines())


def test_a_line_that_makes_no_sense_is_named(face):
    """The valid lines before it are returned first."""
    for wrong, reason in (
        (b"{oops", "line 6 of file-1 is not JSON"),
        (b"7", "is not a JSON object"),
    ):
        client = face.client(in_turn(content(BODY + wrong)))
        with pytest.raises(error.MalformedResponseError, match=reason):
            done(client.files.content("file-1").lines())


def test_a_content_is_requested_when_it_is_read(face):
    """Byte positions for resuming are only valid in an uncompressed body."""
    found = face.client(in_turn(content(BODY))).files.content("file-1", extra_headers={"x-a": "b"})
    assert [] == face.requests
    assert BODY == done(found.read())
    headers = face.requests[0].headers
    assert ("*/*", "identity", "b") == (
        headers["accept"],
        headers["accept-encoding"],
        headers["x-a"],
    )
    assert "range" not in headers
    assert f"{type(found).__name__}('file-1')" == repr(found)


@pytest.mark.parametrize(
    "rest",
    [
        lambda: content(BODY[9:], status=206, content_range=f"bytes 9-{len(BODY) - 1}/{len(BODY)}"),
        lambda: content(BODY[4:], status=206, content_range=f"bytes 4-{len(BODY) - 1}/*"),
        lambda: content(BODY[:3], BODY[3:]),
        lambda: content(gzip.compress(BODY), content_encoding="gzip"),
    ],
    ids=["range", "earlier", "whole", "compressed"],
)
def test_a_broken_download_resumes_where_it_broke(face, rest):
    """The server resumes, or resends from the start, and the user sees each byte once."""
    client = face.client(in_turn(content(BODY[:9], BROKEN, etag='"1"'), rest()))
    assert BODY == done(client.files.content("file-1").read())
    assert "bytes=9-" == face.requests[1].headers["range"]
    assert '"1"' == face.requests[1].headers["if-range"]
    assert [0.5] == face.waits


def test_a_download_without_progress_fails(face):
    """After three failures without progress it gives up; each new byte resets the count."""

    def rest(request):
        start = int(request.headers.get("range", "bytes=0-")[6:-1])
        content_range = f"bytes {start}-{len(BODY) - 1}/{len(BODY)}"
        return content(BODY[start : start + 1], BROKEN, status=206, content_range=content_range)

    client = face.client(in_turn(*[rest] * 9, lambda request: content(BROKEN)))
    with pytest.raises(error.APIConnectionError):
        done(client.files.content("file-1").read())
    assert [0.5] * 9 + [1.0, 2.0] == face.waits


def test_a_download_survives_a_short_outage(face):
    """A server that restarts first breaks the connection, then refuses the next."""
    down = [httpx2.ConnectError("x"), answer(503)]
    client = face.client(in_turn(content(BODY[:9], BROKEN), *down, content(BODY)))
    assert BODY == done(client.files.content("file-1").read())
    client = face.client(in_turn(answer(503), content(BODY)))
    with pytest.raises(error.ServiceUnavailableError):
        done(client.files.content("file-1").read())
    client = face.client(in_turn(answer(503), content(BODY)), max_retries=1)
    assert BODY == done(client.files.content("file-1").read())


def test_a_file_deleted_during_a_download_is_an_error(face):
    """A file may expire during a download."""
    client = face.client(in_turn(content(BODY[:9], BROKEN), answer(404, detail="gone")))
    with pytest.raises(error.NotFoundError):
        done(client.files.content("file-1").read())


def test_a_refused_range_is_not_requested_again(face):
    """Some servers refuse a range where they should ignore it."""
    client = face.client(in_turn(content(BODY[:9], BROKEN), answer(416), content(BODY)))
    assert BODY == done(client.files.content("file-1").read())
    assert [False, True, False] == ["range" in request.headers for request in face.requests]


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        ({"etag": '"1"'}, {"etag": '"2"'}, "content changed"),
        ({"content_length": "99"}, {"content_length": "98"}, "length changed"),
        ({}, {"status": 206, "content_range": "bytes 10-20/21"}, "sent another part"),
        ({}, {"status": 206}, "sent another part"),
    ],
)
def test_parts_of_different_contents_are_never_joined(face, first, second, reason):
    """The result would be a file that never existed."""
    client = face.client(in_turn(content(BODY[:9], BROKEN, **first), content(BODY, **second)))
    with pytest.raises(error.APIError, match=reason):
        done(client.files.content("file-1").read())


def test_a_content_of_another_length_than_said_is_an_error(face):
    """A truncated file would be missing lines unnoticed."""
    client = face.client(in_turn(content(BODY, content_length="1000")))
    with pytest.raises(error.MalformedResponseError, match="has 1000 bytes, but"):
        done(client.files.content("file-1").lines())


def test_a_deadline_bounds_reading_the_whole_content(face):
    """`read` keeps to the deadline, while iterating takes as long as the caller's loop."""

    def slowly():
        for at in range(0, len(BODY), 10):
            face.time += 1
            yield BODY[at : at + 10]

    client = face.client(lambda request: httpx2.Response(200, stream=Body(slowly())), deadline=3)
    with pytest.raises(
        error.DeadlineError, match=r"longer than its deadline of 3 s; 20 bytes had arrived"
    ):
        done(client.files.content("file-1").read())
    assert BODY == b"".join(done(client.files.content("file-1").iter_bytes()))
    assert BODY == done(client.files.content("file-1", deadline=90).read())


def test_a_content_read_in_part_closes_its_response(face):
    """The connection becomes free for the next request."""
    responses = [content(BODY, BODY), content(BODY, BODY)]
    client = face.client(in_turn(*responses))
    if face.kind is voyageai.Client:
        with client.files.content("file-1") as found:
            rows = found.lines()
            assert ROWS[0] == next(rows)
            assert 0 == responses[0].stream.closed
        assert [] == list(rows)
        next(client.files.content("file-1").iter_bytes())  # dropped at once
    else:

        async def leave():
            async with client.files.content("file-1") as found:
                async for row in found.lines():
                    assert ROWS[0] == row
                    break
                assert 0 == responses[0].stream.closed
            assert 1 == responses[0].stream.closed
            await anext(client.files.content("file-1").iter_bytes())

        asyncio.run(leave())
    assert [1, 1] == [response.stream.closed for response in responses]


def test_each_read_starts_from_the_beginning(face):
    """A content object can be read repeatedly, unlike a stream."""
    found = face.client(lambda request: content(BODY)).files.content("file-1")
    assert (BODY, ROWS, BODY) == (done(found.read()), done(found.lines()), done(found.read()))


# Redirects


def test_a_redirect_to_another_host_is_followed_without_the_key(face, key):
    """Storage hosts use signed URLs and must never see the API key."""
    elsewhere = "https://storage.example/lines?signature=5f2e"
    moved = httpx2.Response(307, headers={"location": elsewhere})
    client = face.client(
        in_turn(moved, content(BODY[:9], BROKEN), moved, content(BODY)),
        base_url="https://api.voyageai.com/v1",
    )
    assert BODY == done(client.files.content("file-1", extra_headers={"x-mine": "secret"}).read())
    theirs = face.requests[1::2]
    assert [elsewhere] * 2 == [str(request.url) for request in theirs]
    for request in theirs:
        assert "storage.example" == request.headers["host"]
        assert key not in str(request.headers.raw)
        assert "secret" not in str(request.headers.raw)
    assert "bytes=9-" == theirs[1].headers["range"]


def test_a_redirect_on_the_same_host_keeps_the_key(face, key):
    """The API may move a path on its own host."""
    moved = httpx2.Response(302, headers={"location": "/v2/content"})
    client = face.client(in_turn(moved, content(BODY)))
    assert BODY == done(client.files.content("file-1").read())
    assert f"Bearer {key}" == face.requests[1].headers["authorization"]
    assert "/v2/content" == face.requests[1].url.path


@pytest.mark.parametrize("place", ["http://other.example/", "ftp://a/", "https://a:x/", None])
def test_unsafe_redirects_are_not_followed(face, place):
    """Least of all may a redirect lead from https to http."""
    moved = httpx2.Response(302, headers={} if place is None else {"location": place})
    client = face.client(in_turn(moved), base_url="https://api.voyageai.com/v1")
    with pytest.raises(error.APIError, match="HTTP 302"):
        done(client.files.content("file-1").read())
    assert 1 == len(face.requests)


def test_endless_redirects_fail(face):
    """A redirect loop ends with an error."""
    client = face.client(in_turn(httpx2.Response(302, headers={"location": "/again"})))
    with pytest.raises(error.APIError, match="HTTP 302"):
        done(client.files.content("file-1").read())
    assert 6 == len(face.requests)


def test_no_other_call_follows_redirects(face):
    """Request bodies may go to the API only."""
    client = face.client(in_turn(httpx2.Response(307, headers={"location": "/again"})))
    with pytest.raises(error.APIError, match="HTTP 307"):
        done(client.files.retrieve("file-1"))
    assert 1 == len(face.requests)


# To a path


def told(size: int) -> httpx2.Response:
    """Return the response of `retrieve` for a file of some size."""
    return answer(**{**FILE, "bytes": size})


def test_a_path_gets_the_whole_content(face, tmp_path):
    """A broken download resumes, replaces the old file, and reports its progress."""
    path = tmp_path / "lines.jsonl"
    path.write_bytes(b"old")
    seen = []
    client = face.client(in_turn(told(len(BODY)), content(BODY[:9], BROKEN), content(BODY)))
    written = client.files.content("file-1").write_to(
        str(path), progress=lambda *numbers: seen.append(numbers)
    )
    assert (path, BODY) == (done(written), path.read_bytes())
    assert [(9, len(BODY)), (len(BODY), len(BODY))] == seen
    assert [path] == [*tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("size", "answers"),
    [
        (len(BODY), [lambda: answer(404)]),
        (len(BODY), [lambda: content(BODY[:9], BROKEN), lambda: answer(404)]),
        (len(BODY) + 1, [lambda: content(BODY)]),
        (len(BODY), [lambda: content(BODY[:9], ZeroDivisionError())]),
    ],
    ids=["gone", "gone meanwhile", "too short", "broken"],
)
def test_a_failed_download_leaves_the_old_file(face, tmp_path, size, answers):
    """Half a file would look like a whole one."""
    path = tmp_path / "lines.jsonl"
    path.write_bytes(b"old")
    client = face.client(in_turn(told(size), *(make() for make in answers)))
    with pytest.raises((error.APIError, ZeroDivisionError)):
        done(client.files.content("file-1").write_to(path))
    assert (b"old", [path]) == (path.read_bytes(), [*tmp_path.iterdir()])


def test_a_path_that_can_not_be_written_is_refused_before_the_content_comes(face, tmp_path):
    """The error comes before a gigabyte is downloaded in vain."""
    client = face.client(in_turn(told(len(BODY))))
    with pytest.raises(error.ArgumentError, match="is a folder"):
        done(client.files.content("file-1").write_to(tmp_path))
    with pytest.raises(FileNotFoundError):
        done(client.files.content("file-1").write_to(tmp_path / "none" / "lines.jsonl"))
    assert {"/v1/files/file-1"} == {request.url.path for request in face.requests}


def test_a_downloaded_file_survives_a_power_failure(face, tmp_path, monkeypatch):
    """The content is flushed first, then renamed, then the folder is flushed."""
    order = []
    fsync, replace = os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda number: (order.append("fsync"), fsync(number)))
    monkeypatch.setattr(
        Path, "replace", lambda self, to: (order.append("replace"), replace(self, to))
    )
    client = face.client(in_turn(told(len(BODY)), content(BODY)))
    done(client.files.content("file-1").write_to(tmp_path / "a"))
    assert ["fsync", "replace", "fsync"] == order


# All methods


def test_both_faces_have_the_same_methods_with_the_same_signatures():
    """A method added to one client only, or with other arguments, fails here."""

    def methods(kind):
        found = {}
        for name, member in vars(kind).items():
            if name.startswith("_") or "close" in name:
                continue
            function = member.fget if isinstance(member, property) else member
            signature = inspect.signature(function)
            given = [
                (p.name, p.kind, p.default, p.annotation) for p in signature.parameters.values()
            ]
            returned = str(signature.return_annotation).replace("Async", "")
            assert inspect.getdoc(function)
            found[name] = (given, returned)
        return found

    assert methods(Files) == methods(AsyncFiles)
    assert methods(FileContent) == methods(AsyncFileContent)
    raw = {*vars(RawFiles)} - {"__init__", "__doc__"}
    assert raw == {*vars(AsyncRawFiles)} - {"__init__", "__doc__"}


def test_raw_responses_are_available(face):
    """Users can read headers that no result contains."""
    client = face.client(in_turn(STORED))
    for method, given in (("upload", LINES), ("retrieve", "file-1")):
        found = done(getattr(client.files.with_raw_response, method)(given))
        assert (200, "req-1", "file-1") == (found.status_code, found.request_id, found.parse().id)
    client = face.client(in_turn(answer(success=False, error_file_ids=["b"])))
    found = done(client.files.with_raw_response.delete_many(["b"]))
    with pytest.raises(error.NotDeletedError):
        found.parse()


def test_options_of_a_call_are_those_of_every_method(face):
    """Users learn one set of options for all methods."""
    client = face.client(in_turn(STORED))
    done(client.files.upload(LINES, extra_headers={"x-a": "b"}))
    assert "b" == face.requests[0].headers["x-a"]
    done(face.client(in_turn(page())).files.list(extra_headers={"x-a": "c"}))
    assert "c" == face.requests[1].headers["x-a"]
    with pytest.raises(TypeError, match="unexpected keyword argument 'retries'"):
        done(client.files.retrieve("file-1", retries=3))


def test_files_do_not_wait_for_the_rate_limit_of_models(face):
    """File calls don't count against a model's rate limit, so they must not use it up."""
    client = face.client(in_turn(STORED), rate_limit=voyageai.RateLimit(rpm=1))
    for _ in range(3):
        done(client.files.retrieve("file-1"))
    assert [] == face.waits


def test_errors_carry_the_servers_response(face):
    """A support case needs status, body and request id."""
    refused = httpx2.Response(
        404, json={"detail": "File 'file-1' not found."}, headers={"x-request-id": "req-9"}
    )
    for call in (
        lambda files: files.retrieve("file-1"),
        lambda files: files.delete("file-1"),
        lambda files: files.content("file-1").lines(),
        lambda files: files.upload(LINES),
    ):
        with pytest.raises(error.NotFoundError, match="not found") as raised:
            done(call(face.client(in_turn(refused)).files))
        assert (404, "req-9") == (raised.value.http_status, raised.value.request_id)
        assert "not found" in raised.value.http_body


def test_a_broken_body_raises_an_error_with_the_request_id(face):
    """The response began as a success, so the error has to name the request."""
    client = face.client(lambda request: content(BROKEN, x_request_id="req-7"))
    with pytest.raises(error.APIConnectionError, match="req-7"):
        done(client.files.content("file-1").read())


def test_bodies_are_logged_without_being_read(face, caplog, monkeypatch):
    """Debug logging must not load a whole file into memory."""
    monkeypatch.setattr(logging.getLogger("voyageai.bodies"), "level", logging.DEBUG)
    with caplog.at_level(logging.DEBUG, "voyageai.bodies"):
        assert BODY == done(face.client(in_turn(content(BODY))).files.content("file-1").read())
        done(face.client(stored).files.upload(LINES))
    assert ["< <a stream>", "> <a stream>"] == [
        line for line in caplog.messages if "a stream" in line
    ]


IDS = [
    "", " ", ".", "..", "a/b", "../batches/b", "a\\b", "a b", "a\n", "a\x00", "ü", "\ud800",
    "x" * 100_000, b"file-1", 5, None,
]  # fmt: skip


@pytest.mark.parametrize("id", IDS, ids=lambda each: repr(each)[:20])
def test_an_invalid_id_is_refused_by_every_method(face, id):
    """An id of `..` would address another resource, as some gateways decode escaped paths."""
    client = face.client()
    files, batches = client.files, client.batches
    calls = {
        "file_id": [
            lambda: done(files.retrieve(id)),
            lambda: done(files.delete(id)),
            lambda: done(files.content(id).read()),
            lambda: done(files.with_raw_response.retrieve(id)),
        ],
        r"file_ids\[0\]": [lambda: done(files.delete_many([id]))],
        "batch_id": [lambda: done(batches.retrieve(id)), lambda: done(batches.cancel(id))],
        "batch": [lambda: done(batches.wait(id))],
        "input_file_id": [
            lambda: done(batches.create("/v1/embeddings", id, {"model": "voyage-4"}))
        ],
    }
    if id is not None:
        calls["after"] = [
            lambda: done(files.list(after=id).page()),
            lambda: done(batches.list(after=id).page()),
        ]
    for argument, each in calls.items():
        for call in each:
            with pytest.raises(error.ArgumentError, match=f"^{argument} must be an id") as caught:
                call()
            assert len(str(caught.value)) < 200

    assert [] == face.requests


def test_ids_of_any_form_are_accepted(face):
    """The API does not specify the form of ids."""
    client = face.client(in_turn(STORED))
    for id in ("file-1", "a.b..c", "...", "~_-:@!$&'()*+,;=%2e", "A" * 512):
        done(client.files.retrieve(id))
        assert id == unquote(face.requests[-1].url.raw_path.decode().rpartition("/")[2])


@pytest.mark.parametrize(
    ("argument", "value"),
    [("limit", 0), ("limit", "5"), ("limit", 1.5), ("limit", True), ("purpose", 5), ("purpose", "\ud800")],
)  # fmt: skip
def test_invalid_arguments_of_a_list_are_refused(face, argument, value):
    """The error comes before anything is sent, and names the argument."""
    with pytest.raises(error.ArgumentError, match=r"must be|lone surrogate"):
        done(face.client().files.list(**{argument: value}).page())

    assert [] == face.requests


@pytest.mark.parametrize("name", ["\ud800.jsonl", 5, b"a.jsonl"])
def test_an_invalid_file_name_is_refused(face, name):
    """Paths on Linux may hold bytes that are not UTF-8, and these become lone surrogates."""
    with pytest.raises(error.ArgumentError, match=r"ends in \.jsonl|lone surrogate"):
        done(face.client().files.upload(LINES, filename=name))

    assert [] == face.requests


@pytest.mark.parametrize("ids", [None, 5, "file-1"])
def test_an_invalid_list_of_ids_is_refused(face, ids):
    """Each character of a string would be taken for an id."""
    with pytest.raises(error.ArgumentError, match="file_ids must be a list of ids"):
        done(face.client().files.delete_many(ids))


@pytest.mark.parametrize("last", ["a/b", "\ud800", "x" * 100_000])
def test_a_page_without_a_next_one_is_a_malformed_response(face, last):
    """An error about an argument would mislead, as the user gave none."""
    body = {"object": "list", "data": [], "has_more": True, "last_id": last}
    content = json.dumps(body).encode()
    client = face.client(lambda request: httpx2.Response(200, content=content))
    with pytest.raises(error.MalformedResponseError, match="does not lead to them"):
        done(client.files.list())


def test_reprs_of_files_and_jobs_are_printable():
    """Programs print and log reprs, so control characters must not reach a terminal."""
    file = FileObject.from_dict({**FILE, "id": "a\x1b", "filename": "b\n", "purpose": "c\u202e"})
    batch = Batch.from_dict({**BATCH, "id": "a\x1b", "status": "b\nc"})

    assert (repr(file) + repr(batch)).isprintable()
    assert "b\nc" == batch.status
