"""The examples of docs/test-and-trace.md run, with the tools that they are about."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "test-and-trace.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
TOOLS = {
    "opentelemetry.instrumentation.httpx": "opentelemetry-instrumentation-httpx",
    "opentelemetry.instrumentation.voyageai": "opentelemetry-instrumentation-voyageai",
    "pytest_httpx": "pytest-httpx",
    "pytest_httpx2": "httpx2-pytest",
    "respx": "respx",
    "sentry_sdk": "sentry-sdk",
    "vcr": "vcrpy",
}


@pytest.mark.parametrize("code", BLOCKS, ids=range(len(BLOCKS)))
def test_an_example_runs(code, tmp_path):
    """Readers copy them; a test among them is run as one."""
    path = tmp_path / "test_example.py"
    path.write_text(code, "utf-8")
    without = ["-p", "no:asyncio", "-p", "no:syrupy", "-p", "no:cacheprovider"]
    command = ["-m", "pytest", "-q", *without] if "def test_" in code else []
    done = subprocess.run(
        [sys.executable, *command, path.name],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert 0 == done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("module", TOOLS)
def test_the_page_names_what_is_tested(module):
    """Its table is what was tried, and what is tried is in it."""
    pytest.importorskip(module)

    assert TOOLS[module] in PAGE.read_text("utf-8")
