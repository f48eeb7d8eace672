"""The last release, as it was: what the tree is compared with."""

import subprocess
import tarfile
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

from packaging.version import InvalidVersion, Version

from ..drift.documents import DriftError
from ..release import tree, version

SHIPPED = ("generated", "overlay", "spec")


def last_release(root: Path) -> str | None:
    """The tag of the newest final version that this branch goes on from; None before the first.

    A tree that is a release is one that goes on from the release before.
    """
    tags = tree.git(root, "tag", "--list", "v*", "--merged", "HEAD").split()
    versions = {name: found for name in tags if (found := _version(name))}
    now = version.tag(version.read(root))
    if tree.tagged(root, now) == tree.git(root, "rev-parse", "HEAD"):
        clean = not tree.git(root, "status", "--porcelain")
        versions = {name: found for name, found in versions.items() if name != now or not clean}
    return max(versions, key=versions.__getitem__, default=None)


def _version(tag: str) -> Version | None:
    try:
        found = Version(tag.removeprefix("v"))
    except InvalidVersion:
        return None
    return None if found.is_prerelease else found


@contextmanager
def checked_out(root: Path, revision: str) -> Iterator[Path]:
    """A folder with all files of a revision.

    Raises:
        DriftError: Git does not know it.
    """
    command = ["git", "-C", str(root), "archive", "--format=tar", revision, "--"]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        raise DriftError(f"{revision}: {done.stderr.decode('utf-8', 'replace').strip()}")
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(fileobj=BytesIO(done.stdout)) as archive:
            archive.extractall(folder, filter="data")
        yield Path(folder)


def is_changed(root: Path, revision: str, old: Path) -> bool:
    """Whether users would get anything else than at a revision, but for the version's name."""
    places = (*SHIPPED, f":(exclude){version.FILE}")
    changed = tree.git(root, "diff", "--name-only", revision, "--", *places)
    new = tree.git(root, "ls-files", "--others", "--exclude-standard", "--", *SHIPPED)
    return bool(changed or new) or project(root) != project(old)


def project(root: Path) -> dict[str, Any]:
    """What the wheel says of itself: dependencies, interpreters."""
    described: dict[str, Any] = tomllib.loads(
        root.joinpath("pyproject.toml").read_text(encoding="utf-8")
    )["project"]
    return described
