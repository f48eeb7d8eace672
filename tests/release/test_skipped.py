"""What is skipped or left out is told, where it is read."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
CONFTEST = ROOT / "tests/conftest.py"
TESTS = """
import pytest

@pytest.mark.skipif(True, reason="no ffmpeg")
def test_one(): ...

def test_other():
    pytest.skip("no browser")

def test_run(): ...
"""


def test_reasons_are_noted_for_who_asks(tmp_path):
    """A line among thousands, in one session of many, is read by nobody."""
    notes = tmp_path / "notes"
    tmp_path.joinpath("conftest.py").write_text(CONFTEST.read_text(encoding="utf-8"))
    tmp_path.joinpath("test_a.py").write_text(TESTS)

    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n1", "--rootdir", tmp_path, tmp_path],
        cwd=tmp_path,
        env={**os.environ, "SKIPPED_TESTS": str(notes)},
        check=True,
    )

    assert ["no browser", "no ffmpeg"] == notes.read_text(encoding="utf-8").splitlines()


def test_what_nox_leaves_out_is_what_contributing_says():
    """Who relies on a green `nox` must know what it did not run."""
    tree = ast.parse(ROOT.joinpath("noxfile.py").read_text(encoding="utf-8"))
    sessions, default = set(), set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.decorator_list:
            given = {word.arg: word.value for word in node.decorator_list[0].keywords}
            sessions.add(given["name"].value if "name" in given else node.name)
        if isinstance(node, ast.Assign) and "nox.options.sessions" == ast.unparse(node.targets[0]):
            default = {
                name.value for name in ast.walk(node.value) if isinstance(name, ast.Constant)
            }
    text = ROOT.joinpath("CONTRIBUTING.md").read_text(encoding="utf-8")
    said = re.search(r"\*\*Left out of `nox`\*\*: (.*?)\n\n", text, re.DOTALL)[1]

    assert default < sessions
    assert sessions - default == {*re.findall(r"`([a-z]+)`", said)}
