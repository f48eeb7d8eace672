"""Tests that were skipped are listed in the last lines of nox."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
CONFTEST = ROOT / "tests/conftest.py"
TESTS = """
import pytest

@pytest.mark.skipif(True, reason="no ffmpeg")
def test_one(): ...

def test_other():
    pytest.skip("no browser")

def test_run(): ...
"""


def test_reasons_are_written_to_the_file(tmp_path):
    """A reason among thousands of lines of output would be overlooked."""
    notes = tmp_path / "notes"
    tmp_path.joinpath("conftest.py").write_text(CONFTEST.read_text(encoding="utf-8"))
    tmp_path.joinpath("test_a.py").write_text(TESTS)

    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n1", "--rootdir", tmp_path, tmp_path],
        cwd=tmp_path,
        env={**os.environ, "SKIPPED_TESTS": str(notes)},
        check=True,
    )

    assert ["no browser", "no ffmpeg"] == notes.read_text(encoding="utf-8").splitlines()
