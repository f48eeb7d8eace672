"""The pages of the command line, each run from top to bottom by a real shell."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import voyageai_emulator
from voyageai_emulator import Emulator

from tests.cli.conftest import Shell, environment, shell

__all__ = ["environment", "shell"]  # fixtures

DOCS = Path(__file__).parents[2] / "docs"
PAGES = [DOCS / "cli.md", *sorted((DOCS / "cli").glob("*.md"))]
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.DOTALL | re.MULTILINE)
PIPELINES = 7


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """A new emulator for each page."""
    with voyageai_emulator.running() as found:
        yield found


def script(page: Path) -> str:
    """Return all commands of a page as one script, in the order of the page."""
    return "".join(block[1] for block in BLOCK.finditer(page.read_text(encoding="utf-8")))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_runs(page: Path, shell: Shell) -> None:
    """A reader who follows the page gets no error."""
    commands = script(page)
    if "jq " in commands and shutil.which("jq") is None:
        pytest.skip(f"jq is not installed: docs/{page.relative_to(DOCS)} is NOT tested")
    done = shell(f"set -e\n{commands}")
    assert 0 == done.returncode, done.stdout + done.stderr


def test_pages_show_pipelines() -> None:
    """Pipelines are the main use of a command line."""
    lines = "".join(map(script, PAGES)).splitlines()
    assert PIPELINES <= sum("voyageai" in line and " | " in line for line in lines)
