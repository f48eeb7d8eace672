"""Options of the whole test suite."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add an option that writes snapshots anew, and one that tests as much as by night."""
    parser.addoption("--update-snapshots", action="store_true", help="write the snapshots anew")
    parser.addoption(
        "--full", action="store_true", help="try all cases where a part is the default"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Choose how many random examples a test has, and how long it may take."""
    try:
        from hypothesis import HealthCheck, settings
    except ImportError:  # some sessions have no such tests
        return
    # How long a busy machine takes says nothing about the code.
    busy = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.register_profile("day", busy, max_examples=100)
    settings.register_profile("night", busy, max_examples=300)
    settings.load_profile("night" if config.getoption("--full") else "day")


@pytest.fixture(scope="session")
def full(request: pytest.FixtureRequest) -> bool:
    """Return whether all cases are tried where a part is the default."""
    return bool(request.config.getoption("--full"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave what is marked `full` to runs with `--full`."""
    if not config.getoption("--full"):
        left = [item for item in items if item.get_closest_marker("full")]
        items[:] = [item for item in items if not item.get_closest_marker("full")]
        config.hook.pytest_deselected(items=left)


def pytest_collection_finish() -> None:
    """Keep thousands of collected tests out of the garbage collections of tests that need one."""
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Note what was skipped, and why, for who asked for it: nox says it at its end."""
    worker = hasattr(terminalreporter.config, "workerinput")  # whose results another process has
    if (file := os.environ.get("SKIPPED_TESTS")) and not worker:
        reasons = {report.longrepr[2] for report in terminalreporter.getreports("skipped")}
        with Path(file).open("a", encoding="utf-8") as notes:
            for reason in sorted(reasons):
                notes.write(" ".join(reason.removeprefix("Skipped: ").split()) + "\n")
