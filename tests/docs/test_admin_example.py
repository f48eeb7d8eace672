"""The example of key administration: a key from creation to deletion, in all three ways."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import voyageai_emulator
from voyageai_emulator import Emulator

from tests.cli.conftest import Shell, emulator, environment, shared, shell

__all__ = ["emulator", "environment", "shared", "shell"]  # fixtures

EXAMPLE = Path(__file__).parents[2] / "docs/examples/admin.py"
PROJECT = "65f0a1b2c3d4e5f6a7b8c9d0"


@pytest.mark.parametrize("option", [[], ["--async"]], ids=["sync", "async"])
def test_a_key_is_made_limited_used_and_deleted(
    option: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The example prints what the page shows, and leaves no key behind."""
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


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")
def test_the_command_line_does_the_same(shell: Shell, emulator: Emulator) -> None:
    """The command line has the effect of the methods, and no output shows the secret."""
    done = shell(
        f"unset VOYAGE_API_KEY VOYAGE_BASE_URL; bash {EXAMPLE.with_suffix('.sh')} {PROJECT}"
    )
    assert (0, "") == (done.returncode, done.stderr)
    said = [
        line for line in done.stdout.splitlines() if not line.startswith("Cause, cost and cure")
    ]
    created, first, second, refused, kept, deleted, last = said
    assert re.fullmatch("created [0-9a-f]{24}", created)
    assert ["request 1 was answered", "request 2 was answered"] == [first, second]
    assert refused.startswith("refused with status 4: voyageai: Request ")
    assert "rate limit of 2 requests per minute for voyage-4" in refused
    assert "kept to rpm=2000,tpm=8000000" == kept
    assert "deleted" == deleted
    assert last.startswith("refused with status 3: ")
    assert "Provided API key is invalid." in last
    assert "al-" not in done.stdout
    assert {401, 429} <= {each.status for each in emulator.requests}
