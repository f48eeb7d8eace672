"""The steps of the rehearsal: each fixture runs one, on the checkout of the step before."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from packaging.version import Version

from generator import git
from generator.release import publish, steps
from generator.semver import version
from tests.release import repositories

from . import checkout_copy, contract_change
from .index import serving

DAY = date(2031, 5, 17)
# The tests that a contract change affects most, as all tests would take ten minutes.
TESTED = (
    *("tests/drift/live", "tests/rest", "tests/spec/test_contract.py"),
    *(f"tests/emulator/test_{name}.py" for name in ("missing_handlers", "statuses", "validation")),
    *(f"tests/overlay/test_{name}.py" for name in ("options", "prompts", "requests")),
)

Done = subprocess.CompletedProcess[str]
Run = Callable[..., Done]


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with its release in dist/; a test must copy it before changing it."""
    root = checkout_copy.copy(tmp_path_factory.mktemp("released") / "checkout")
    steps.ready(root)
    steps.cut(root, DAY)
    steps.make(root, root / "dist")
    steps.tag(root, root / "dist")
    return root


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this repository in which a version is released."""
    root = checkout_copy.copy(tmp_path_factory.mktemp("rehearsal") / "checkout")
    steps.cut(root, DAY)
    git.tag(root, version.tag(version.read(root)), "The last release")
    return root


@pytest.fixture(scope="session")
def run(checkout: Path) -> Run:
    """Return a function that runs a module of the checkout."""

    def start(*command: object, expect: int = 0, **more: str) -> Done:
        done = subprocess.run(
            [sys.executable, "-m", *map(str, command)],
            cwd=checkout,
            env={**os.environ, "PYTHONPATH": str(checkout), **more},
            capture_output=True,
            text=True,
            check=False,
        )
        assert expect == done.returncode, done.stdout + done.stderr
        return done

    return start


@pytest.fixture(scope="session")
def last(checkout: Path) -> Version:
    """The released version."""
    return version.read(checkout)


@pytest.fixture(scope="session")
def generated(checkout: Path, run: Run, last: Version) -> list[str]:
    """Change the spec, check it, generate, and update snapshots; return the changed paths."""
    contract_change.change(checkout / "spec")
    run("generator.lint")
    run("generator")
    run("generator", "--check")
    own = os.pathsep.join(str(checkout / folder) for folder in ("", "generated", "overlay"))
    run("pytest", "-q", "tests/snapshots", "--update-snapshots", PYTHONPATH=own)
    run("pytest", "-q", *TESTED, PYTHONPATH=own)
    repositories.commit(checkout, "Models, a field and an operation")
    return git.run(checkout, "diff", "--name-only", version.tag(last)).split("\n")


@pytest.fixture(scope="session")
def drift(run: Run, generated: list[str], last: Version) -> Any:
    """The report of the differences from the last release."""
    output = run("generator.drift", version.tag(last), "--format", "json").stdout
    return json.loads(output)


@pytest.fixture(scope="session")
def verdict(run: Run, drift: Any) -> Any:
    """The verdict on the version; its exit status is 1, as the changelog has no entry yet."""
    return json.loads(run("generator.semver", "--format", "json", expect=1).stdout)


@pytest.fixture(scope="session")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[publish.Index]:
    """An empty package index."""
    with serving(tmp_path_factory.mktemp("index") / "packages") as found:
        yield found
