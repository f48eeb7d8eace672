"""Time and memory that a large batch job takes in the emulator."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from . import bars
from .contenders import Environment
from .measure import first_line, on_own_core
from .tables import Section

# The unit of `ru_maxrss`: a kibibyte on Linux, a byte on macOS.
UNIT = 1 if sys.platform == "darwin" else 1024
PAUSE = 0.25
BOUNDARY = "benchmark"
FORM = f"multipart/form-data; boundary={BOUNDARY}"
PARAMS = {"model": "voyage-4-lite", "output_dimension": 256, "encoding_format": "base64"}


def large_job(environment: Environment, lines: int) -> Section:
    """Measure a job in an emulator that keeps its state in a file."""
    section = Section(bars.JOB)
    with tempfile.TemporaryDirectory() as folder:
        state = str(Path(folder) / "state.db")
        command = [str(environment.python), "-I", "-m", "voyageai_emulator", "--state", state]
        with on_own_core(command) as server:
            client = Client(first_line(server).split()[-1])
            begun = time.perf_counter()
            answered = client.run(lines)
            seconds = time.perf_counter() - begun
            if answered != lines:
                sys.exit(f"{answered} of {lines} lines were answered")
            server.terminate()
            _, status, used = os.wait4(server.pid, 0)
            server.returncode = os.waitstatus_to_exitcode(status)
    section.add(
        bars.EMULATOR,
        {
            bars.LINES: lines,
            bars.SECONDS: seconds,
            bars.RATE: lines / seconds,
            bars.PEAK_MEMORY: used.ru_maxrss * UNIT / 1e6,
        },
    )
    return section


class Client:
    """A minimal client for files and batch jobs, which needs only the standard library."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._base = parts.path
        self._http = HTTPConnection(parts.hostname or "", parts.port, timeout=60)

    def run(self, lines: int) -> int:
        """Run a job of `lines` lines, and return the number of lines in its output."""
        file = self._json("POST", "/files", upload(lines), FORM)
        job = self._json(
            "POST",
            "/batches",
            json.dumps(
                {
                    "endpoint": "/v1/embeddings",
                    "input_file_id": file["id"],
                    "completion_window": "12h",
                    "request_params": PARAMS,
                }
            ).encode(),
        )
        while job["status"] in ("validating", "in_progress", "finalizing"):
            time.sleep(PAUSE)
            job = self._json("GET", f"/batches/{job['id']}")
        if job["status"] != "completed":
            sys.exit(f"the job is {job['status']}: {job['errors']}")
        return sum(
            piece.count(b"\n")
            for piece in self._ask("GET", f"/files/{job['output_file_id']}/content")
        )

    def _json(self, *asked: Any) -> Any:
        return json.loads(b"".join(self._ask(*asked)))

    def _ask(
        self, method: str, path: str, body: bytes | None = None, kind: str = "application/json"
    ) -> Iterator[bytes]:
        headers = {"Authorization": "Bearer benchmark", "Content-Type": kind}
        self._http.request(method, self._base + path, body, headers)
        answer = self._http.getresponse()
        if answer.status != 200:
            sys.exit(f"{method} {path}: {answer.status} {answer.read(1000).decode()}")
        while piece := answer.read(1 << 20):
            yield piece


def upload(lines: int) -> bytes:
    """Return a multipart form with a file of `lines` lines."""
    content = "".join(
        json.dumps({"custom_id": f"line-{n}", "body": {"input": [f"text of line {n}"]}}) + "\n"
        for n in range(lines)
    )
    return (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="lines.jsonl"\r\n'
        f"\r\n{content}\r\n--{BOUNDARY}--\r\n"
    ).encode()
