"""The examples of two pages run with the tools that the pages describe."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .collector import Collector, collecting

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "test-and-trace.md"
BLOCKS = [
    block
    for page in (PAGE, DOCS / "opentelemetry.md")
    for block in re.findall(
        r"^```python\n(.*?)^```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
]
TOOLS = {
    "opentelemetry.instrumentation.httpx": "opentelemetry-instrumentation-httpx",
    "opentelemetry.instrumentation.voyageai": "opentelemetry-instrumentation-voyageai",
    "pytest_httpx": "pytest-httpx",
    "pytest_httpx2": "httpx2-pytest",
    "respx": "respx",
    "sentry_sdk": "sentry-sdk",
    "vcr": "vcrpy",
}


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    """Run a collector that programs find by environment variables."""
    with collecting() as found:
        yield found


@pytest.mark.parametrize("code", BLOCKS, ids=range(len(BLOCKS)))
def test_an_example_runs(code, tmp_path, collector):
    """Readers copy the examples; one that is a test is run by pytest."""
    path = tmp_path / "test_example.py"
    path.write_text(code, "utf-8")
    without = ["-p", "no:asyncio", "-p", "no:syrupy", "-p", "no:cacheprovider"]
    command = ["-m", "pytest", "-q", *without] if "def test_" in code else []
    done = subprocess.run(
        [sys.executable, *command, path.name],
        cwd=tmp_path,
        env={**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert 0 == done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("module", TOOLS)
def test_the_page_names_what_is_tested(module):
    """Readers rely on the page's table for the tools that were tested."""
    pytest.importorskip(module)

    assert TOOLS[module] in PAGE.read_text("utf-8")
