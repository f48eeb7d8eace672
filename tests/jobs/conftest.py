"""Processes that run jobs, and an emulator for them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import voyageai_emulator
from voyageai_emulator import Emulator

ROOT = Path(__file__).parents[2]


@contextmanager
def working(module: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Start a process that runs a module of this folder, and kill it on exit."""
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", f"tests.jobs.{module}", *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """A new emulator for each test."""
    with voyageai_emulator.running() as found:
        yield found


@pytest.fixture
def run() -> Any:
    """Return the context manager that starts a process."""
    return working
