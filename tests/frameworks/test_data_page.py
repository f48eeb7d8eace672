"""The examples of docs/data-libraries.md run, each by itself, against the emulator."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import voyageai_emulator

PAGE = Path(__file__).parents[2] / "docs/data-libraries.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("code", BLOCKS, ids=range(len(BLOCKS)))
def test_an_example_runs(code, tmp_path, monkeypatch):
    """Readers copy the examples."""
    with voyageai_emulator.running() as url:
        monkeypatch.setenv("VOYAGE_API_KEY", "emulator")
        monkeypatch.setenv("VOYAGE_BASE_URL", url)
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    assert 0 == done.returncode, done.stderr
