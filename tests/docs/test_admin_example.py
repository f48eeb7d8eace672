"""The example of the administration: a key from its creation to its deletion, both ways."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import voyageai_emulator

EXAMPLE = Path(__file__).parents[2] / "docs/examples/admin.py"
PROJECT = "65f0a1b2c3d4e5f6a7b8c9d0"


@pytest.mark.parametrize("option", [[], ["--async"]], ids=["sync", "async"])
def test_a_key_is_made_limited_used_and_deleted(
    option: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is printed is what a reader is promised; nothing is left behind."""
    with voyageai_emulator.running() as emulator:
        monkeypatch.setenv("MONGODB_ATLAS_CLIENT_ID", "emulator")
        monkeypatch.setenv("MONGODB_ATLAS_CLIENT_SECRET", "emulator")
        monkeypatch.setenv("MONGODB_ATLAS_BASE_URL", emulator.origin)
        done = subprocess.run(
            [sys.executable, "-W", "error", str(EXAMPLE), PROJECT, *option],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (0, "") == (done.returncode, done.stderr)
        created, first, second, refused, waits, deleted, last = done.stdout.splitlines()
        assert created.startswith("created an example: al-****")
        assert created.endswith(f" at {emulator.origin.removeprefix('http://')}")
        assert ["request 1 was answered", "request 2 was answered"] == [first, second]
        assert "rate limit of 2 requests per minute for voyage-4" in refused
        assert waits.startswith("with RateLimit(rpm=2, tpm=1000) a client waits: ")
        assert "deleted" == deleted
        assert "refused: Provided API key is invalid." == last
        assert {401, 429} <= {each.status for each in emulator.requests}
