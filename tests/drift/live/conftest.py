"""Run the `live` command against a host."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from generator.drift.__main__ import main
from tests.drift.live.probe_harness import KEY


class Ran(NamedTuple):
    """The exit status and the output of a run."""

    status: int
    out: str
    err: str

    @property
    def report(self) -> dict[str, Any]:
        """Return the JSON report that the command printed."""
        report: dict[str, Any] = json.loads(self.out)
        return report


Live = Callable[..., Ran]


@pytest.fixture
def live(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Live:
    """Return a function that runs `python -m generator.drift live` with a key and a base URL."""

    def run(base_url: str, *arguments: str, key: str = KEY) -> Ran:
        monkeypatch.setenv("VOYAGE_API_KEY", key)
        monkeypatch.setenv("VOYAGE_BASE_URL", base_url)
        status = main(["live", *arguments])
        return Ran(status, *capsys.readouterr())

    return run
