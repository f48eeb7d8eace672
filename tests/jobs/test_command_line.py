"""A million lines through the command line in little memory, and resumed after a kill."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from .stub_server import StubServer, serving
from .test_index import PROBE

ROWS = int(os.environ.get("COMMAND_LINE_ROWS", "1000000"))
ALLOWED = 250_000_000
IN_FLIGHT, PER_REQUEST = 4, 1000
EMBED = (sys.executable, "-m", "voyageai", "embed", "-m", "voyage-4", "-d", "256")


@pytest.fixture
def server() -> Iterator[StubServer]:
    """Run a stub server whose answers cost almost no time."""
    with serving() as found:
        yield found


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    """Write the input lines to a file."""
    found = tmp_path / "lines.txt"
    with found.open("w") as file:
        file.writelines(f"Record {n}: the river rose by {n % 977} cm.\n" for n in range(ROWS))
    return found


def begin(
    server: StubServer, *words: str, cwd: Path, command: Sequence[str] = EMBED
) -> subprocess.Popen[bytes]:
    """Start the command line in a new process."""
    env = {**os.environ, "VOYAGE_API_KEY": "pa-key", "VOYAGE_BASE_URL": server.url}
    return subprocess.Popen([*command, *words], cwd=cwd, env=env, stderr=subprocess.PIPE)


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak as Linux counts it")
def test_a_million_lines_take_little_memory(
    server: StubServer, lines: Path, tmp_path: Path
) -> None:
    """Rows are written as they are answered, so memory does not grow with the input."""
    command = (sys.executable, "-c", PROBE, *EMBED[3:])
    words = ("--out", "parquet", "-O", "x.parquet", "-f", str(lines))
    with begin(server, *words, cwd=tmp_path, command=command) as process:
        _, errors = process.communicate()
    assert 0 == process.returncode, errors.decode()
    peak = 1024 * int(errors.splitlines()[-1])
    print(f"{ROWS:,} rows, {peak / 1e6:.0f} MB")
    file: Any = pq.ParquetFile(tmp_path / "x.parquet")
    assert ROWS == file.metadata.num_rows
    assert {1} == {*server.sent.values()}
    assert peak < ALLOWED


def test_a_table_that_is_killed_goes_on(server: StubServer, lines: Path, tmp_path: Path) -> None:
    """Only requests that were in flight at the kill are sent again."""
    words = ("--into", "table", "-j", str(IN_FLIGHT), str(lines))
    enough = ROWS // PER_REQUEST // 3
    with begin(server, *words, cwd=tmp_path) as process:
        while server.answered < enough:
            assert process.poll() is None
            time.sleep(0.01)
        process.kill()
    with begin(server, *words, cwd=tmp_path) as process:
        _, errors = process.communicate()
    assert 0 == process.returncode, errors.decode()
    assert ROWS == len(server.sent)
    repeated = sum(count - 1 for count in server.sent.values())
    print(f"{repeated:,} of {ROWS:,} texts were sent twice")
    assert repeated <= IN_FLIGHT * PER_REQUEST
    dataset: Any = pq.ParquetDataset(tmp_path / "table")
    assert ROWS == sum(fragment.count_rows() for fragment in dataset.fragments)
