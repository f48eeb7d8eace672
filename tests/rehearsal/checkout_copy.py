"""Copies of this checkout, to release from."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from packaging.version import Version

from generator import git, paths
from generator.semver import changelog, version
from tests.release import repositories

CHANGELOG = f"# Changelog\n\n## 1.0.0 ({changelog.UNRELEASED})\n\n- Everything.\n"


def copy(target: Path) -> Path:
    """Clone this repository with uncommitted changes, as if nothing had been released before."""
    subprocess.run(["git", "clone", "--quiet", paths.ROOT, target], check=True)
    repositories.identify(target)
    listed = git.run(paths.ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in filter(None, listed.split("\0")):
        original, path = paths.ROOT / name, target / name
        if original.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(original, path)
        else:
            path.unlink(missing_ok=True)
    if tags := git.run(target, "tag").split():
        git.run(target, "tag", "--delete", *tags)
    version.write(target, Version("1.0.0.dev0"))
    target.joinpath(changelog.FILE).write_text(CHANGELOG, encoding="utf-8")
    repositories.commit(target, "As it stands")
    return target
