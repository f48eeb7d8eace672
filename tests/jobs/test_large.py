"""A job of 250,000 texts returns all vectors, in order, in little memory."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from voyageai_emulator import Emulator

from .large import ROWS

ALLOWED = 200_000_000
PATIENCE = 1200


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak from /proc")
def test_a_large_job_takes_little_memory(emulator: Emulator, run: Any, tmp_path: Path) -> None:
    """The bound excludes the file of the vectors, which the system may page out."""
    with run("large", emulator, tmp_path / "job") as process:
        output, errors = process.communicate(timeout=PATIENCE)
    shutil.rmtree(tmp_path)  # it takes gigabytes
    assert 0 == process.returncode, errors
    found = json.loads(output)
    print(found)
    assert (ROWS, ROWS, True, 3) == tuple(
        found[name] for name in ("rows", "equal", "ordered", "batches")
    )
    assert found["run"] < ALLOWED
    assert found["read"] < ALLOWED
    assert found["matrix"] - found["result"] < ALLOWED
