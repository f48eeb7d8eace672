"""An emulator with rate limits, and a table for the engines."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import voyageai_emulator
from voyageai_emulator import Emulator

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

EXAMPLES = Path(__file__).parents[2] / "docs/examples/engines"
ROWS = 3000
RPM, TPM = 2000, 8_000_000
PATIENCE = 900
"""Timeout of an example in seconds: Ray and Spark start slowly on a busy machine."""
Run = Callable[..., str]
Start = Callable[..., "subprocess.Popen[str]"]


def body(row: int) -> str | None:
    """Return the text of a row; in each thousand rows, one is None and one is empty."""
    return None if row % 1000 == 7 else "" if row % 1000 == 8 else f"It rains on day {row}."


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """An emulator with the rate limits of the examples."""
    with voyageai_emulator.running() as found:
        found.limits.set("voyage-4", rpm=RPM, tpm=TPM)
        monkeypatch.setenv("VOYAGE_API_KEY", "pa-not-in-a-pickle")
        monkeypatch.setenv("VOYAGE_BASE_URL", found.url)
        yield found


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """A Parquet file with ids and texts."""
    path = tmp_path / "notes.parquet"
    table = pa.table({"id": range(ROWS), "body": [body(row) for row in range(ROWS)]})
    pq.write_table(table, path, row_group_size=500)
    return path


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """A function that starts an example, which is killed after the test."""
    with ExitStack() as stack:

        def call(name: str, *arguments: object, **environment: str) -> subprocess.Popen[str]:
            process = subprocess.Popen(
                [sys.executable, str(EXAMPLES / name), *map(str, arguments)],
                cwd=tmp_path,
                env={**os.environ, "RAY_raylet_start_wait_time_s": "120", **environment},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            return process

        yield call


@pytest.fixture
def run(start: Start) -> Run:
    """A function that runs an example and returns its output."""

    def call(name: str, *arguments: object, **environment: str) -> str:
        process = start(name, *arguments, **environment)
        printed, said = process.communicate(timeout=PATIENCE)
        assert 0 == process.returncode, said[-5000:]
        return printed

    return call


def texts_sent(emulator: Emulator) -> list[str]:
    """Return all texts of successful requests."""
    return [
        text
        for request in emulator.requests
        if request.status == 200
        for text in request.body["input"]
    ]


def wanted(rows: Iterable[int] = range(ROWS)) -> list[str]:
    """Return the texts of rows that can be embedded, sorted, each once."""
    return sorted(text for text in map(body, rows) if text)
