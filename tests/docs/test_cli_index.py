"""The commands of docs/cli-index.md run by a shell, each block in a folder of its own."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import voyageai_emulator

PAGE = Path(__file__).parents[2] / "docs/cli-index.md"
BLOCKS = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
FILES = {
    "docs/keys.md": "The keys are on the table.\n",
    "docs/weather/rain.md": "It rains in May.\n",
    "docs/old/a.md": "It snowed once.\n",
}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Base URL of an emulator."""
    with voyageai_emulator.running() as found:
        yield found


@pytest.mark.skipif(shutil.which("sh") is None, reason="sh is not installed")
@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_a_block_runs(block: str, url: str, tmp_path: Path) -> None:
    """Readers copy them, one at a time; every command of it succeeds."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    python = shlex.quote(sys.executable)
    functions = (
        f'voyageai() {{ {python} -W error -m voyageai "$@"; }}\npython() {{ {python} "$@"; }}\n'
    )
    done = subprocess.run(
        ["sh", "-eu", "-c", functions + block],
        cwd=tmp_path,
        env={**os.environ, "VOYAGE_API_KEY": "pa-emulated", "VOYAGE_BASE_URL": url},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert 0 == done.returncode, done.stderr
    assert "docs" in done.stdout


def test_there_are_blocks() -> None:
    """A page of another form would pass untested."""
    assert len(BLOCKS) > 4
