"""Comparing a text with what is recorded, or recording it."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from pathlib import Path

import pytest

RECORDED = Path(__file__).parent / "recorded"


def differences(name: str, recorded: str, text: str) -> list[str]:
    """All lines that differ, as a diff without context."""
    lines = recorded.splitlines(), text.splitlines()
    return list(difflib.unified_diff(*lines, f"recorded/{name}", "now", lineterm="", n=0))


@pytest.fixture
def same_as_recorded(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Assert that a text is as recorded; with --update-snapshots record it."""

    def check(name: str, text: str) -> None:
        path = RECORDED / name
        if request.config.getoption("--update-snapshots"):
            path.write_text(text, encoding="utf-8")
        recorded = path.read_text(encoding="utf-8")
        differing = differences(name, recorded, text)
        if differing:
            pytest.fail(
                f"{name} changed; if that is meant: nox -s snapshots, and review the diff\n"
                + "\n".join(differing),
                pytrace=False,
            )

    return check
