"""File uploads over real HTTP."""

from __future__ import annotations

import asyncio
import email
import email.policy
import gzip
import io
import json
import os
import threading
from collections.abc import Iterator
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from voyageai_rest import Client
from voyageai_rest.api.files import upload_file
from voyageai_rest.models import UploadFileRequest
from voyageai_rest.types import File

LINES = b'{"custom_id": "a"}\n' * 5000
ANSWER = {
    "id": "file-1",
    "object": "file",
    "bytes": 1,
    "created_at": "2025-12-01T12:00:00Z",
    "filename": "lines.jsonl",
    "purpose": "batch",
}


class Uploads:
    """A server that keeps the files it receives."""

    def __init__(self) -> None:
        self.types: list[str] = []
        self.lengths: list[str | None] = []
        self.parts: list[dict[str, EmailMessage]] = []
        uploads = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                uploads.keep(self.headers, self._body())
                content = json.dumps(ANSWER).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def _body(self) -> bytes:
                if self.headers.get("Transfer-Encoding") != "chunked":
                    return self.rfile.read(int(self.headers["Content-Length"]))
                body = b""
                while size := int(self.rfile.readline(), 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return body

            def log_message(self, *arguments: Any) -> None:
                """Keep the server quiet."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"

    def keep(self, headers: Any, body: bytes) -> None:
        """Parse a body with the standard library's mail parser, not with the code that wrote it."""
        self.types.append(headers["Content-Type"])
        self.lengths.append(headers["Content-Length"])
        text = b"Content-Type: " + headers["Content-Type"].encode() + b"\r\n\r\n" + body
        message = email.message_from_bytes(text, policy=email.policy.HTTP)
        parts = list(message.iter_parts())
        named = {str(part.get_param("name", header="content-disposition")): part for part in parts}
        assert len(parts) == len(named)
        self.parts.append(named)

    def content(self, upload: int = -1) -> bytes:
        """Return the bytes of the file."""
        content = self.parts[upload]["file"].get_payload(decode=True)
        assert isinstance(content, bytes)
        return content


@pytest.fixture
def uploads() -> Iterator[Uploads]:
    """Run the server on the loopback."""
    uploads = Uploads()
    thread = threading.Thread(target=uploads.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield uploads
    uploads.server.shutdown()
    thread.join()
    uploads.server.server_close()


def upload(uploads: Uploads, *contents: Any, name: str = "lines.jsonl") -> None:
    with Client(api_key="t", base_url=uploads.url) as client:
        for content in contents:
            body = UploadFileRequest(file=File(content=content, name=name), purpose="batch")
            assert "file-1" == upload_file.send(client=client, body=body).parsed.id


def test_a_file_arrives_as_it_is(uploads: Uploads) -> None:
    """The server gets the same bytes, name and purpose."""
    upload(uploads, LINES)
    assert LINES == uploads.content()
    part = uploads.parts[0]
    assert "lines.jsonl" == part["file"].get_filename()
    assert b"batch" == part["purpose"].get_payload(decode=True)
    assert {"file", "purpose"} == set(part)


def test_the_boundary_is_another_each_time(uploads: Uploads) -> None:
    """A predictable boundary could be written into a file to add fields."""
    upload(uploads, LINES, LINES, LINES)
    assert 3 == len(set(uploads.types))


def test_a_file_can_not_add_fields(uploads: Uploads) -> None:
    """Content that looks like the end of a part is still content."""
    forged = (
        b"line1\r\n--+++\r\nContent-Disposition: form-data; "
        b'name="purpose"\r\n\r\nfine-tune\r\n--+++--'
    )
    upload(uploads, forged)
    assert forged == uploads.content()
    assert {"file", "purpose"} == set(uploads.parts[0])
    assert b"batch" == uploads.parts[0]["purpose"].get_payload(decode=True)


@pytest.mark.parametrize("name", ['a"; name="purpose', "a\r\nX: 1.jsonl", "ä 漢.jsonl"])
def test_a_file_name_can_not_add_headers(uploads: Uploads, name: str) -> None:
    """File names can come from strangers."""
    upload(uploads, b"{}", name=name)
    part = uploads.parts[0]["file"]
    assert {"file", "purpose"} == set(uploads.parts[0])
    assert {"content-disposition", "content-type"} >= {key.lower() for key in part}


def test_an_open_file_is_sent_from_disk(uploads: Uploads, tmp_path: Path) -> None:
    """The length is known, so the body needs no chunked encoding."""
    path = tmp_path / "lines.jsonl"
    path.write_bytes(LINES)
    with path.open("rb") as file:
        upload(uploads, file)
    assert LINES == uploads.content()
    assert uploads.lengths[0] is not None


def test_a_file_that_is_still_being_written_through_a_buffer_is_sent_whole(
    uploads: Uploads, tmp_path: Path
) -> None:
    """Buffered bytes are missing from the size of the descriptor."""
    with (tmp_path / "lines.jsonl").open("w+b") as file:
        file.write(LINES)
        file.seek(0)
        upload(uploads, file)
    assert LINES == uploads.content()


def test_a_pipe_is_sent(uploads: Uploads) -> None:
    """A pipe has a descriptor of size 0, and can't seek."""
    reading, writing = os.pipe()
    os.write(writing, LINES[:4000])
    os.close(writing)
    with os.fdopen(reading, "rb") as file:
        upload(uploads, file)
    assert LINES[:4000] == uploads.content()


def test_a_raw_pipe_is_sent(uploads: Uploads) -> None:
    """An unbuffered pipe refuses to seek with a different exception."""
    reading, writing = os.pipe()
    os.write(writing, LINES[:4000])
    os.close(writing)
    with os.fdopen(reading, "rb", buffering=0) as file:
        upload(uploads, file)
    assert LINES[:4000] == uploads.content()


class Stream(io.RawIOBase):
    """A stream that can be read once."""

    def __init__(self, content: bytes) -> None:
        self._rest = io.BytesIO(content)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._rest.readinto(buffer)


def test_a_file_that_can_not_seek_is_sent(uploads: Uploads) -> None:
    """The body of another response, for example, can be uploaded directly."""
    upload(uploads, Stream(LINES))
    assert LINES == uploads.content()


def test_a_compressed_file_is_sent_as_it_reads(uploads: Uploads, tmp_path: Path) -> None:
    """The size of its descriptor is that of the compressed data."""
    path = tmp_path / "lines.jsonl.gz"
    path.write_bytes(gzip.compress(LINES))
    with gzip.open(path) as file:
        upload(uploads, file)
    assert LINES == uploads.content()


def test_files_can_be_sent_without_blocking(uploads: Uploads) -> None:
    """An event loop sends the same body without blocking."""

    async def main() -> str:
        async with Client(api_key="t", base_url=uploads.url) as client:
            body = UploadFileRequest(
                file=File(content=io.BytesIO(LINES), name="lines.jsonl"), purpose="batch"
            )
            return (await upload_file.send_async(client=client, body=body)).parsed.id

    assert "file-1" == asyncio.run(main())
    assert LINES == uploads.content()


def test_a_media_type_can_be_given(uploads: Uploads) -> None:
    """The file name alone may not tell the type."""
    file = File(content=LINES, name="lines", media_type="application/jsonl")
    with Client(api_key="t", base_url=uploads.url) as client:
        upload_file.send(client=client, body=UploadFileRequest(file=file, purpose="batch"))
    assert "application/jsonl" == uploads.parts[0]["file"].get_content_type()


def test_a_text_file_is_refused(tmp_path: Path) -> None:
    """Its bytes would depend on the machine's encoding."""
    with (tmp_path / "a").open("w+", encoding="utf-8") as file, Client(api_key="t") as client:
        content: Any = file
        body = UploadFileRequest(file=File(content=content, name="a"), purpose="batch")
        with pytest.raises(TypeError, match="binary mode"):
            upload_file.send(client=client, body=body)
