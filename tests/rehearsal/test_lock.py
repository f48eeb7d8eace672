"""Installed tools are exactly the ones that were locked."""

from __future__ import annotations

import re
import subprocess
import sys

from generator.commands import environment
from generator.release import lock

from . import checkout_copy


def test_a_tool_that_is_not_what_was_locked_is_not_installed(tmp_path):
    """A tool replaced in the index or in transit must not run its code."""
    root = checkout_copy.copy(tmp_path / "checkout")
    locked = root / lock.FILE
    changed = re.sub(
        r"^(ruff==\S+) \\\n(    --hash=\S+( \\)?\n)+",
        rf"\1 {lock.HASH}{'0' * 64}\n",
        locked.read_text("utf-8"),
        flags=re.MULTILINE,
    )
    assert changed != locked.read_text("utf-8")
    locked.write_text(changed, "utf-8")

    done = subprocess.run(
        [sys.executable, "-m", "nox", "-s", "generate-check"],
        cwd=root,
        env=environment({}, without=("UV_NO_VERIFY_HASHES",)),
        capture_output=True,
        text=True,
        check=False,
    )

    output = done.stdout + done.stderr
    assert 1 == done.returncode, output
    assert "Hash mismatch for `ruff==" in output
    assert "python -m generator" not in output
