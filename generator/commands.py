"""Run other programs."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path


class ReleaseError(Exception):
    """Raised if the tree can't be released or compared; the message says why, and what to do."""


def run(
    *command: str | Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    umask: int = -1,
) -> str:
    """Run a program, and raise if it fails.

    Args:
        command: The program and its arguments.
        cwd: The folder to run in.
        env: The program's whole environment; by default this process's.
        umask: The program's umask; -1 for this process's.

    Returns:
        Its standard output.

    Raises:
        ReleaseError: The program failed; the message has its output.
    """
    done = attempt(*command, cwd=cwd, env=env, umask=umask)
    if done.returncode:
        called = " ".join(map(str, command[:4]))
        raise ReleaseError(f"{called} failed:\n{done.stdout}{done.stderr}".rstrip())
    return done.stdout


def attempt(
    *command: str | Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    umask: int = -1,
) -> subprocess.CompletedProcess[str]:
    """Run a program, and return its status and output, even if it failed."""
    return subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env=env,
        umask=umask,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def python(module: str, *arguments: str | Path) -> Sequence[str | Path]:
    """Return the command that runs a module with this interpreter."""
    return (sys.executable, "-m", module, *arguments)


def environment(variables: Mapping[str, str], *, without: tuple[str, ...] = ()) -> dict[str, str]:
    """Return this process's environment, without names with some prefixes, plus `variables`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(without)}
    return {**kept, **variables}
