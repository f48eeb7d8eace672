"""Compare a text with its snapshot, or rewrite the snapshot."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from pathlib import Path

import pytest

RECORDED = Path(__file__).parent / "recorded"


def differences(name: str, recorded: str, text: str) -> list[str]:
    """Return all lines that differ, as a diff without context."""
    lines = recorded.splitlines(), text.splitlines()
    return list(difflib.unified_diff(*lines, f"recorded/{name}", "now", lineterm="", n=0))


@pytest.fixture
def same_as_recorded(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Assert that a text equals its snapshot; with --update-snapshots rewrite the snapshot."""

    def check(name: str, text: str) -> None:
        path = RECORDED / name
        if request.config.getoption("--update-snapshots"):
            path.write_text(text, encoding="utf-8")
        recorded = path.read_text(encoding="utf-8")
        differing = differences(name, recorded, text)
        if differing:
            pytest.fail(
                f"{name} changed; if this is intended, run `nox -s snapshots` and review the diff\n"
                + "\n".join(differing),
                pytrace=False,
            )

    return check
