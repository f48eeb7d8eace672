"""`lock.json` records the inputs that the code was generated from."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from generator import paths
from generator.build import NOT_LOCKED


@pytest.fixture(scope="module")
def lock() -> dict[str, Any]:
    """The committed lock."""
    return json.loads((paths.GENERATED / paths.LOCK).read_text(encoding="utf-8"))


def digests(folder: Path, *patterns: str) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for pattern in patterns
        for path in folder.rglob(pattern)
    }


def test_the_spec_is_locked(lock: dict[str, Any]) -> None:
    """Every file of the spec that affects the code is in the lock with its current hash."""
    files = digests(paths.SPEC, "*.yaml", "*.json")
    making = {name: digest for name, digest in files.items() if "known-disagreements" not in name}
    assert making == lock["spec"]


def test_the_generator_is_locked(lock: dict[str, Any]) -> None:
    """Code, templates and options affect the output, so they are locked; checks are not."""
    files = digests(paths.GENERATOR, "*.py", "*.jinja", "*.yaml")
    shaping = {
        name: digest for name, digest in files.items() if name.split("/")[0] not in NOT_LOCKED
    }
    assert shaping == lock["generator"]


def test_the_tools_are_locked(lock: dict[str, Any]) -> None:
    """Another version of a tool may generate different code."""
    tools = {"openapi-python-client", "ruff", "jinja2"}
    assert {tool: version(tool) for tool in tools} == lock["tools"]


def added(done: subprocess.CompletedProcess[str]) -> set[str]:
    """Return the files that the check reports for a lock with one more input."""
    assert 1 == done.returncode, done.stderr
    names = [line for line in done.stdout.splitlines() if line.startswith("+++ ")]
    assert ["+++ b/lock.json"] == names
    return set(re.findall(r'^\+ +"(.+?)": ', done.stdout, flags=re.MULTILINE))


def test_a_changed_input_fails_the_check(run, spec_folder: Path) -> None:
    """Even a new comment means that the code was not generated from this spec."""
    names = {"contracts.yaml", "openapi.yaml", "catalogue.yaml", "admin.yaml"}
    for name in names:
        changed = spec_folder / name
        changed.write_bytes(changed.read_bytes() + b"# A remark.\n")
    assert names == added(run("--check", "--spec", spec_folder))


def test_a_changed_generator_fails_the_check(run_process, tmp_path: Path) -> None:
    """CI finds a template that was edited without running the generator."""
    for folder in (paths.GENERATOR, paths.SPEC):
        shutil.copytree(folder, tmp_path / folder.name)
    remarks = {"templates/client.py.jinja": "{# A remark. #}", "config.yaml": "# A remark.\n"}
    for name, remark in remarks.items():
        path = tmp_path / "generator" / name
        path.write_text(path.read_text(encoding="utf-8") + remark, encoding="utf-8")
    assert set(remarks) == added(run_process("--check", "--output", paths.GENERATED, root=tmp_path))
