"""Run batch jobs in tests: input files, jobs and output files."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import httpx2
from voyageai_emulator import running
from voyageai_emulator.emulator import Emulator
from voyageai_rest.catalogue import BATCH

ENDPOINT = "/v1/embeddings"
MODEL = "voyage-4"
SMALL = {"model": MODEL, "output_dimension": 256}


def a_line(custom_id: str, **body: Any) -> dict[str, Any]:
    """Return an input line of an embeddings job."""
    return {"custom_id": custom_id, "body": body or {"input": [f"text of {custom_id}"]}}


def some_lines(count: int) -> Iterator[dict[str, Any]]:
    """Return `count` input lines with the ids `line-1`, `line-2` and so on."""
    return (a_line(f"line-{number}") for number in range(1, count + 1))


def jsonl(lines: Iterable[Mapping[str, Any]]) -> bytes:
    """Return lines in JSONL form."""
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


class Jobs:
    """A client of files and batch jobs."""

    def __init__(self, url: str, key: str = "any") -> None:
        self.http = httpx2.Client(
            base_url=url, headers={"authorization": f"Bearer {key}"}, timeout=60
        )

    def __enter__(self) -> Jobs:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def upload(self, content: bytes, name: str = "lines.jsonl") -> dict[str, Any]:
        """Upload a file of lines; return its object."""
        return self._ok(
            self.http.post("/files", files={"file": (name, content)}, data={"purpose": "batch"})
        )

    def post(self, file: str, **fields: Any) -> httpx2.Response:
        """Send the request that creates a job; return the response."""
        body = {
            "endpoint": ENDPOINT,
            "input_file_id": file,
            "completion_window": BATCH.completion_window,
            "request_params": SMALL,
        }
        return self.http.post("/batches", json={**body, **fields})

    def create(self, lines: bytes | Iterable[Mapping[str, Any]], **fields: Any) -> dict[str, Any]:
        """Start a job over lines."""
        content = lines if isinstance(lines, bytes) else jsonl(lines)
        return self._ok(self.post(self.upload(content)["id"], **fields))

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """Return the JSON at a path."""
        return self._ok(self.http.get(path, params=query))

    def cancel(self, job: str) -> dict[str, Any]:
        """Cancel a job; return its object."""
        return self._ok(self.http.post(f"/batches/{job}/cancel"))

    def content(self, file: str | None) -> list[dict[str, Any]]:
        """Return the lines of a file; empty if there is no file."""
        if file is None:
            return []
        response = self.http.get(f"/files/{file}/content")
        assert 200 == response.status_code, response.text
        return [json.loads(line) for line in response.content.splitlines()]

    def results(self, job: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Return the lines of a job's output file and of its error file."""
        batch = self.get(f"/batches/{job}")
        return self.content(batch["output_file_id"]), self.content(batch["error_file_id"])

    @staticmethod
    def _ok(response: httpx2.Response) -> dict[str, Any]:
        assert 200 == response.status_code, response.text[:1000]
        answer: dict[str, Any] = response.json()
        return answer


def ids(lines: Iterable[Mapping[str, Any]]) -> Counter[str]:
    """Return the number of lines with each custom_id."""
    return Counter(line["custom_id"] for line in lines)


class Measured(NamedTuple):
    """The time and memory that a large job took."""

    lines: int
    seconds: float
    peak: int
    """Peak memory of the process in bytes, including the client."""


def measure(lines: int, params: Mapping[str, Any], state: str | None = None) -> Measured:
    """Run a job of many lines in this process, and download its output.

    Args:
        lines: How many.
        params: The job's parameters, including the model.
        state: The emulator's state file.
    """
    import resource  # not on Windows

    with running(state=state) as emulator, Jobs(emulator.url) as jobs:
        begun = time.perf_counter()
        job = jobs.create(some_lines(lines), request_params=params)
        assert 0 == emulator.batches.settle(timeout=600)
        seconds = time.perf_counter() - begun
        assert lines == jobs.get(f"/batches/{job['id']}")["request_counts"]["completed"]
        assert lines == _streamed_lines(jobs, emulator)
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return Measured(lines, seconds, peak)


def _streamed_lines(jobs: Jobs, emulator: Emulator) -> int:
    output = emulator.batches.all()[0].output_file_id
    with jobs.http.stream("GET", f"/files/{output}/content") as response:
        return sum(part.count(b"\n") for part in response.iter_bytes())


if __name__ == "__main__":
    print(*measure(int(sys.argv[1]), json.loads(sys.argv[2]), *sys.argv[3:]))
