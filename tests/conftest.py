"""Options of the whole test suite."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options `--update-snapshots` and `--full`."""
    parser.addoption("--update-snapshots", action="store_true", help="rewrite the snapshots")
    parser.addoption(
        "--full", action="store_true", help="run all cases, not only the default selection"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Set the number of random examples per test, without a deadline."""
    try:
        from hypothesis import HealthCheck, settings
    except ImportError:  # some sessions have no such tests
        return
    # Durations on a busy machine say nothing about the code.
    busy = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.register_profile("day", busy, max_examples=100)
    settings.register_profile("night", busy, max_examples=300)
    settings.load_profile("night" if config.getoption("--full") else "day")


@pytest.fixture(scope="session")
def full(request: pytest.FixtureRequest) -> bool:
    """Return True if all cases are to be run, not only the default selection."""
    return bool(request.config.getoption("--full"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect tests marked `full` unless `--full` is given."""
    if not config.getoption("--full"):
        left = [item for item in items if item.get_closest_marker("full")]
        items[:] = [item for item in items if not item.get_closest_marker("full")]
        config.hook.pytest_deselected(items=left)


def pytest_collection_finish() -> None:
    """Exclude the collected tests from garbage collection, which some tests run often."""
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Write the reasons of skipped tests to the file `SKIPPED_TESTS`, which nox prints."""
    worker = hasattr(
        terminalreporter.config, "workerinput"
    )  # the controller has the results of all workers
    if (file := os.environ.get("SKIPPED_TESTS")) and not worker:
        reasons = {report.longrepr[2] for report in terminalreporter.getreports("skipped")}
        with Path(file).open("a", encoding="utf-8") as notes:
            for reason in sorted(reasons):
                notes.write(" ".join(reason.removeprefix("Skipped: ").split()) + "\n")
