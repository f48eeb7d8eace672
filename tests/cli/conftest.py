"""Run command lines against an emulator, in this process or in a real shell."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
import voyageai_emulator
from click.testing import CliRunner, Result
from voyageai.cli.program import program
from voyageai_emulator import Emulator

BASH = shutil.which("bash")
SECRET = "pa-secret-5f2e"
OURS = ("VOYAGE", "MONGODB_ATLAS")
"""Prefixes of the environment variables that the command line reads."""


class Run(Protocol):
    """Run a command line in this process, and check its exit status."""

    def __call__(
        self, *words: object, input: str | bytes | None = None, status: int = 0, **env: str
    ) -> Result: ...


class Shell(Protocol):
    """Run a bash script in which `voyageai` is the command line."""

    def __call__(
        self, script: str, *, input: str = "", **env: str
    ) -> subprocess.CompletedProcess[str]: ...


@pytest.fixture(scope="module")
def shared() -> Iterator[Emulator]:
    """An emulator for tests that change nothing in it."""
    with voyageai_emulator.running() as found:
        yield found


@pytest.fixture
def emulator(shared: Emulator) -> Emulator:
    """The shared emulator, with its log of requests and its faults cleared."""
    shared.requests.clear()
    shared.faults.clear()
    return shared


@pytest.fixture
def environment(emulator: Emulator, tmp_path: Path) -> dict[str, str]:
    """Return a user's environment variables: a key, credentials and the emulator's hosts."""
    found = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    found |= {"VOYAGE_API_KEY": SECRET, "VOYAGE_BASE_URL": emulator.url}
    found |= dict.fromkeys(("MONGODB_ATLAS_CLIENT_ID", "MONGODB_ATLAS_CLIENT_SECRET"), "emulator")
    found |= {"MONGODB_ATLAS_BASE_URL": emulator.origin}
    found |= {"HF_ENDPOINT": emulator.origin, "HF_HOME": str(tmp_path / "hub")}
    for name in ("NO_COLOR", "FORCE_COLOR"):
        found.pop(name, None)
    return found


@pytest.fixture
def run(environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that runs a command line in the test's temporary folder."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(OURS)]:
        monkeypatch.delenv(name)

    def call(
        *words: object, input: str | bytes | None = None, status: int = 0, **env: str
    ) -> Result:
        variables: dict[str, Any] = {**environment, **env}
        done = CliRunner().invoke(
            program, [*map(str, words)], input=input, env=variables, prog_name="voyageai"
        )
        assert done.exit_code == status, done.output
        assert SECRET not in done.output
        return done

    return call


@pytest.fixture
def shell(environment: dict[str, str], tmp_path: Path) -> Shell:
    """Return a function that runs a bash script."""
    if BASH is None:
        pytest.skip("bash is not installed: pipelines of the command line are NOT tested")
    binaries = tmp_path / "bin"
    binaries.mkdir()
    command = binaries / "voyageai"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -W error -m voyageai "$@"\n')
    command.chmod(0o755)
    work = tmp_path / "work"
    work.mkdir()

    def call(script: str, *, input: str = "", **env: str) -> subprocess.CompletedProcess[str]:
        path = f"{binaries}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            [str(BASH), "-uo", "pipefail", "-c", script],
            cwd=work,
            env={**environment, "PATH": path, **env},
            input=input,
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        assert SECRET not in done.stdout + done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        return done

    return call


def answered(environment: dict[str, str], answer: str, status: int, *words: str) -> str:
    """Run a command on a terminal, answer its question, and return what it prints."""
    import pty  # not on Windows

    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "voyageai", *words],
        env=environment,
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        os.close(theirs)
        os.write(ours, f"{answer}\n".encode())
        _, said = process.communicate()
    os.close(ours)
    assert status == process.returncode, said
    assert "interrupted" not in said
    return said
