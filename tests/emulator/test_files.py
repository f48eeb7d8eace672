"""Upload, list, download and delete files."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from itertools import count
from typing import Any

import httpx2
import pytest
from voyageai_emulator import bodies, running
from voyageai_emulator.emulator import Emulator
from voyageai_emulator.recording.record import MAX_KEPT
from voyageai_rest.catalogue import BATCH

from tests.emulator.batch_jobs import Jobs, jsonl, some_lines
from tests.emulator.contract_client import check

FILE = "#/components/schemas/FileObject"
LIST = "#/components/schemas/FileList"
ERROR = "#/components/schemas/Error"
PREAMBLE = (
    "The request body is not valid JSON, or some arguments were not specified properly. "
    "In particular, "
)
CONTENT = b'{"a": 1}\n{"b": 2}'
KEYS = count()
DAY = 86_400


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    """An emulator for these tests."""
    with running() as emulator:
        yield emulator


@pytest.fixture
def jobs(emulator: Emulator) -> Iterator[Jobs]:
    """A client whose files no other test sees."""
    with Jobs(emulator.url, f"key-{next(KEYS)}") as jobs:
        yield jobs


@pytest.fixture
def others(emulator: Emulator) -> Iterator[Jobs]:
    """A client with another key."""
    with Jobs(emulator.url, f"key-{next(KEYS)}") as jobs:
        yield jobs


def refused(response: httpx2.Response, status: int) -> str:
    """Return the reason for which a request is refused."""
    assert status == response.status_code, response.text
    check(ERROR, response.json())
    detail: str = response.json()["detail"]
    return detail


# Upload


def test_an_upload_is_described_as_the_contract_says() -> None:
    """The times follow the emulator's clock, and the file expires after 30 days."""
    with running(clock=lambda: 1_764_616_703.455349) as emulator, Jobs(emulator.url) as jobs:
        file = jobs.upload(CONTENT, "texts.jsonl")
        check(FILE, file)
        assert file == {
            "id": file["id"],
            "object": "file",
            "bytes": len(CONTENT),
            "created_at": "2025-12-01T19:18:23.455349+00:00",
            "expires_at": "2025-12-31T19:18:23.455349+00:00",
            "filename": "texts.jsonl",
            "purpose": "batch",
        }
        assert file == jobs.get(f"/files/{file['id']}")


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        ({}, "Your request body was missing one or more required arguments."),
        (
            {"data": {"purpose": "batch"}, "files": {"other": ("a.jsonl", b"{}")}},
            "Your request body was missing one or more required arguments.; "
            "Argument 'other' is not supported by our API",
        ),
        (
            {"data": {"purpose": "fine-tune"}, "files": {"file": ("a.jsonl", b"{}")}},
            "Value 'fine-tune' supplied for purpose is not allowed",
        ),
        (
            {"files": {"file": ("a.jsonl", b"{}")}},
            "Your request body was missing one or more required arguments.",
        ),
        (
            {"data": {"purpose": "batch"}, "files": {"file": ("a.txt", b"{}")}},
            "Error for argument 'file': Value error, the name of the file must end in .jsonl",
        ),
        (
            {"data": {"purpose": "batch"}, "files": {"file": ("a.jsonl", b"")}},
            "Error for argument 'file': Value error, the file is empty",
        ),
        (
            {"files": {"purpose": (None, "batch"), "file": (None, "{}")}},
            "Error for argument 'file': Value error, the file must be sent as a file, "
            "with a filename",
        ),
        (
            {"json": {"purpose": "batch"}},
            "Your request body was missing one or more required arguments.",
        ),
    ],
)
def test_an_upload_that_is_not_as_it_must_be_is_refused(
    jobs: Jobs, form: dict[str, Any], reason: str
) -> None:
    """The refusal names the field."""
    assert refused(jobs.http.post("/files", **form), 400).startswith(PREAMBLE + reason)
    assert [] == jobs.get("/files")["data"]


def test_a_form_that_is_broken_is_refused(jobs: Jobs) -> None:
    """A client that builds the form by hand can make such mistakes."""
    for body, kind in (
        (b"zzz", ""),
        (b"zzz", "; boundary=b"),
        (b"--b\r\n\r\nx\r\n--b--", "; boundary=b"),
    ):
        headers = {"content-type": "multipart/form-data" + kind}
        assert refused(jobs.http.post("/files", content=body, headers=headers), 400)


def test_lines_are_not_looked_at_before_a_job_reads_them(jobs: Jobs) -> None:
    """The API checks lines while a job is validating."""
    assert 8 == jobs.upload(b"no JSON\n")["bytes"]


@pytest.mark.parametrize("chunked", [False, True])
def test_a_file_that_is_too_large_is_refused(chunked: bool) -> None:
    """The upload is refused as soon as its size is known, announced or not."""
    with running() as emulator, Jobs(emulator.url) as jobs:
        emulator.batches.limit(max_file_bytes=1000)
        files = {"file": ("a.jsonl", b"x" * 4 * bodies.FORM_OVERHEAD)}
        request = jobs.http.build_request("POST", "/files", files=files, data={"purpose": "batch"})
        content = request.read()
        headers = {"content-type": request.headers["content-type"]}
        parts = (content[at : at + 10_000] for at in range(0, len(content), 10_000))
        response = jobs.http.post("/files", content=parts if chunked else content, headers=headers)
        assert "up to 1000 bytes" in refused(response, 413)
        assert emulator.requests.last.size < (len(content) if chunked else 1)
        just_too_large = {"file": ("a.jsonl", b"x" * 1001)}
        response = jobs.http.post("/files", files=just_too_large, data={"purpose": "batch"})
        assert "up to 1000 bytes" in refused(response, 413)
        assert 1000 == jobs.upload(b"x" * 1000)["bytes"]


@pytest.mark.parametrize("chunked", [False, True])
def test_json_that_is_too_large_is_refused(jobs: Jobs, chunked: bool) -> None:
    """A single request must not fill the memory."""
    most = bodies.BASE_BYTES
    content = b'{"file_ids": ["%s"]}' % (b"x" * most)
    parts = (content[at : at + 65_536] for at in range(0, len(content), 65_536))
    response = jobs.http.post("/files/delete", content=parts if chunked else content)
    assert f"up to {most} bytes" in refused(response, 413)


def test_the_record_of_a_large_body_is_truncated(emulator: Emulator, jobs: Jobs) -> None:
    """The recording has a memory limit."""
    jobs.upload(b"x" * MAX_KEPT)
    last = emulator.requests.last
    assert (MAX_KEPT, True, None, True) == (
        len(last.raw),
        last.cut,
        last.body,
        last.as_json()["cut"],
    )
    assert last.size > MAX_KEPT
    jobs.http.post("/files/delete", json={"file_ids": []})
    assert not emulator.requests.last.cut


# Lists


def test_files_are_listed_page_by_page(jobs: Jobs) -> None:
    """Both orders list every file exactly once."""
    created = [jobs.upload(CONTENT, f"{number}.jsonl") for number in range(5)]
    for order, expected in (("desc", created[::-1]), ("asc", created)):
        found: list[dict[str, Any]] = []
        after: dict[str, str] = {}
        more = True
        while more:
            page = jobs.get("/files", order=order, limit=2, **after)
            check(LIST, page)
            assert (page["data"][0]["id"], page["data"][-1]["id"]) == (
                page["first_id"],
                page["last_id"],
            )
            found += page["data"]
            after, more = {"after": page["last_id"]}, page["has_more"]
        assert expected == found
    assert created[::-1] == jobs.get("/files")["data"]
    assert created == jobs.get("/files", purpose="batch", order="asc", ignored="yes")["data"]


def test_an_empty_page_has_no_first_and_no_last(jobs: Jobs) -> None:
    """An unknown purpose has no files."""
    jobs.upload(CONTENT)
    empty = {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}
    assert empty == jobs.get("/files", purpose="batch-output")
    assert empty == jobs.get("/files", purpose="other")


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("limit=x", "Error for argument 'limit': Input should be a valid integer"),
        ("limit=", "Error for argument 'limit': Input should be a valid integer"),
        ("limit=1.0", "Error for argument 'limit': Input should be a valid integer"),
        ("limit=" + "9" * 5000, "Error for argument 'limit': Input should be a valid integer"),
        ("limit=0", "Error for argument 'limit': Input should be greater than or equal to 1"),
        ("limit=10001", "Error for argument 'limit': Input should be less than or equal to 10000"),
        ("order=up", "Value 'up' supplied for order is not allowed"),
    ],
)
def test_a_query_is_checked(jobs: Jobs, query: str, reason: str) -> None:
    """The parameters are checked by their schemas, with the messages used for bodies."""
    assert PREAMBLE + reason == refused(jobs.http.get(f"/files?{query}"), 400)


def test_a_page_after_a_file_that_is_not_there_is_refused(jobs: Jobs, others: Jobs) -> None:
    """The next page can't be determined from an unknown file."""
    for after in ("file-x", "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), ""):
        reason = refused(jobs.http.get("/files", params={"after": after}), 404)
        assert f"File '{after}' not found." == reason
    file = others.upload(CONTENT)["id"]
    refused(jobs.http.get("/files", params={"after": file}), 404)


# Content


def test_a_content_comes_back_byte_for_byte(jobs: Jobs) -> None:
    """A file may hold any bytes, not only text."""
    content = bytes(range(256)) * 3000
    file = jobs.upload(content)["id"]
    response = jobs.http.get(f"/files/{file}/content")
    assert (200, "text/plain", content) == (
        response.status_code,
        response.headers["content-type"],
        response.content,
    )
    head = jobs.http.head(f"/files/{file}/content")
    assert (200, str(len(content)), b"") == (
        head.status_code,
        head.headers["content-length"],
        head.content,
    )


@pytest.mark.parametrize(
    ("said", "start", "stop"),
    [
        ("bytes=0-", 0, 17),
        ("bytes=5-", 5, 17),
        ("bytes=5-5", 5, 6),
        ("bytes=5-7", 5, 8),
        ("bytes=16-999", 16, 17),
        ("bytes=-4", 13, 17),
        ("bytes=-999", 0, 17),
        ("Bytes=0-0", 0, 1),
    ],
)
def test_a_download_can_be_resumed(jobs: Jobs, said: str, start: int, stop: int) -> None:
    """Output files are large, and connections break."""
    file = jobs.upload(CONTENT)["id"]
    response = jobs.http.get(f"/files/{file}/content", headers={"range": said})
    assert (206, CONTENT[start:stop], f"bytes {start}-{stop - 1}/17", str(stop - start)) == (
        response.status_code,
        response.content,
        response.headers["content-range"],
        response.headers["content-length"],
    )


@pytest.mark.parametrize(
    "said", ["bytes=7-5", "bytes=0-1,3-4", "lines=1-2", "bytes=-", "bytes=a-b", "5-6"]
)
def test_an_invalid_range_is_ignored(jobs: Jobs, said: str) -> None:
    """The whole content is always a valid answer."""
    file = jobs.upload(CONTENT)["id"]
    response = jobs.http.get(f"/files/{file}/content", headers={"range": said})
    assert (200, CONTENT) == (response.status_code, response.content)


@pytest.mark.parametrize("said", ["bytes=17-", "bytes=99-100", "bytes=-0"])
def test_a_range_beyond_the_end_is_refused(jobs: Jobs, said: str) -> None:
    """A client that has the whole file learns its size from the refusal."""
    file = jobs.upload(CONTENT)["id"]
    response = jobs.http.get(f"/files/{file}/content", headers={"range": said})
    assert "17 bytes" in refused(response, 416)
    assert "bytes */17" == response.headers["content-range"]


def test_a_range_of_another_file_is_not_sent(jobs: Jobs) -> None:
    """Parts of two different files would be joined."""
    file = jobs.upload(CONTENT)["id"]
    path = f"/files/{file}/content"
    tag = jobs.http.get(path).headers["etag"]
    for condition, status in ((tag, 206), ('"other"', 200)):
        headers = {"range": "bytes=5-", "if-range": condition}
        assert status == jobs.http.get(path, headers=headers).status_code


# Expiry and deletion


def test_an_expired_file_is_gone() -> None:
    """The file expires to the microsecond, by the emulator's clock."""
    with running(clock=lambda: 1000.0) as emulator, Jobs(emulator.url) as jobs:
        file = jobs.upload(CONTENT)
        kept = datetime.datetime.fromisoformat(
            file["expires_at"]
        ) - datetime.datetime.fromisoformat(file["created_at"])
        assert datetime.timedelta(days=BATCH.file_retention_days) == kept
        emulator.clock.advance(kept.total_seconds() - 0.001)
        assert file == jobs.get(f"/files/{file['id']}")
        emulator.clock.advance(0.001)
        for path in ("", "/content"):
            reason = refused(jobs.http.get(f"/files/{file['id']}{path}"), 404)
            assert f"File '{file['id']}' not found." == reason
        refused(jobs.http.delete(f"/files/{file['id']}"), 404)
        assert [] == jobs.get("/files")["data"]
        assert file["id"] != jobs.upload(CONTENT)["id"]


def test_a_file_is_deleted_once(jobs: Jobs) -> None:
    """A second deletion gets a 404."""
    file = jobs.upload(CONTENT)["id"]
    response = jobs.http.delete(f"/files/{file}")
    check("#/components/schemas/DeletedFile", response.json())
    assert {"id": file, "object": "file", "deleted": True} == response.json()
    refused(jobs.http.delete(f"/files/{file}"), 404)
    refused(jobs.http.get(f"/files/{file}"), 404)


def test_several_files_are_deleted_all_or_none(jobs: Jobs, others: Jobs) -> None:
    """One wrong id in a list deletes nothing."""
    mine = [jobs.upload(CONTENT)["id"] for _ in range(3)]
    theirs = others.upload(CONTENT)["id"]
    wrong = ["file-x", "\ud800", theirs]

    def delete(ids: list[str]) -> dict[str, Any]:
        raw = b'{"file_ids": %s}' % str([*ids]).replace("'", '"').encode(
            "ascii", "backslashreplace"
        )
        response: dict[str, Any] = jobs.http.post("/files/delete", content=raw).json()
        check("#/components/schemas/DeleteFilesResponse", response)
        return response

    assert {"success": False, "error_file_ids": wrong} == delete([mine[0], *wrong, mine[1]])
    assert 3 == len(jobs.get("/files")["data"])
    assert {"success": True} == delete([mine[0], mine[1], mine[0]])
    assert mine[2:] == [file["id"] for file in jobs.get("/files")["data"]]
    assert {"success": True} == delete([])


def test_a_file_that_a_job_reads_is_not_deleted() -> None:
    """The job needs its input until it ends."""
    with running() as emulator, Jobs(emulator.url) as jobs:
        emulator.batches.hold("in_progress")
        job = jobs.create(jsonl(some_lines(3)))
        file = job["input_file_id"]
        assert "used by a batch" in refused(jobs.http.delete(f"/files/{file}"), 400)
        assert {"success": False, "error_file_ids": [file]} == jobs.http.post(
            "/files/delete", json={"file_ids": [file]}
        ).json()
        emulator.batches.release()
        assert 0 == emulator.batches.settle()
        assert jobs.http.delete(f"/files/{file}").json()["deleted"]


def test_files_of_another_key_are_not_there(jobs: Jobs, others: Jobs) -> None:
    """Another key can't even see that they exist."""
    file = others.upload(CONTENT)["id"]
    for method, path in (("GET", ""), ("GET", "/content"), ("DELETE", "")):
        reason = refused(jobs.http.request(method, f"/files/{file}{path}"), 404)
        assert f"File '{file}' not found." == reason
    assert [] == jobs.get("/files")["data"]
    assert file == others.get("/files")["first_id"]


def test_a_small_form_is_checked_before_the_key(emulator: Emulator) -> None:
    """JSON bodies are checked in the same order."""
    with httpx2.Client(base_url=emulator.url) as http:
        refused(http.post("/files", data={"purpose": "batch"}), 400)
        right = {"file": ("a.jsonl", CONTENT)}
        assert "Unauthorized" == refused(
            http.post("/files", files=right, data={"purpose": "batch"}), 401
        )
