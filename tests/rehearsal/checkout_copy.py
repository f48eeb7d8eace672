"""Copies of this checkout, to release from."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from packaging.version import Version

from generator import paths
from generator.release import changelog, tree, version
from tests.release import checkouts

CHANGELOG = f"# Changelog\n\n## 1.0.0 ({changelog.UNRELEASED})\n\n- Everything.\n"


def copy(target: Path) -> Path:
    """Clone this repository as it stands, committed or not, as if nothing was released before."""
    subprocess.run(["git", "clone", "--quiet", paths.ROOT, target], check=True)
    checkouts.identify(target)
    listed = tree.git(paths.ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in filter(None, listed.split("\0")):
        original, path = paths.ROOT / name, target / name
        if original.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(original, path)
        else:
            path.unlink(missing_ok=True)
    if tags := tree.git(target, "tag").split():
        tree.git(target, "tag", "--delete", *tags)
    version.write(target, Version("1.0.0.dev0"))
    target.joinpath(changelog.FILE).write_text(CHANGELOG, encoding="utf-8")
    checkouts.commit(target, "As it stands")
    return target
