"""Git repositories for tests of releases."""

from __future__ import annotations

import subprocess
from pathlib import Path

from generator import git


def empty(target: Path, version: str, changelog: str) -> Path:
    """Create a repository with only a version and a changelog."""
    target.joinpath("overlay", "voyageai").mkdir(parents=True)
    target.joinpath("overlay", "voyageai", "version.py").write_text(f'VERSION = "{version}"\n')
    target.joinpath("CHANGELOG.md").write_text(changelog)
    target.joinpath(".gitignore").write_text("dist/\n")
    subprocess.run(["git", "init", "--quiet", target], check=True)
    identify(target)
    commit(target, "The beginning")
    return target


def identify(target: Path) -> None:
    """Configure the author of commits."""
    git.run(target, "config", "user.name", "A maintainer")
    git.run(target, "config", "user.email", "maintainer@example.com")


def commit(target: Path, message: str) -> None:
    """Commit all changes, if there are any."""
    git.run(target, "add", "--all")
    if git.run(target, "status", "--porcelain"):
        git.run(target, "commit", "--quiet", "--message", message)
