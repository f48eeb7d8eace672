"""Find the last release, and check it out for a comparison with the tree."""

import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from packaging.version import InvalidVersion, Version

from .. import git
from ..drift.documents import DriftError
from . import version
from .project import project

SHIPPED = ("generated", "overlay", "spec")


def last_release(root: Path) -> str | None:
    """Return the tag of the newest final version that this branch contains; None if there is none.

    If the tree is itself a release, the release before it is returned.
    """
    tags = git.run(root, "tag", "--list", "v*", "--merged", "HEAD").split()
    versions = {name: found for name in tags if (found := _version(name))}
    now = version.tag(version.read(root))
    if git.tagged(root, now) == git.run(root, "rev-parse", "HEAD"):
        clean = not git.run(root, "status", "--porcelain")
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
    """Check out a revision into a temporary folder.

    Raises:
        DriftError: The revision does not exist.
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
    """Return whether the files that users get have changed since a revision, except the version."""
    pathspecs = (*SHIPPED, f":(exclude){version.FILE}")
    changed = git.run(root, "diff", "--name-only", revision, "--", *pathspecs)
    new = git.run(root, "ls-files", "--others", "--exclude-standard", "--", *SHIPPED)
    return bool(changed or new) or project(root) != project(old)
