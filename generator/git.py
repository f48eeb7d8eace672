"""Run git in a checkout, as releases are made from commits."""

import tarfile
from pathlib import Path

from . import commands
from .commands import ReleaseError


def run(root: Path, *arguments: str | Path) -> str:
    """Run a git command in a checkout, and return what it prints."""
    return commands.run("git", "-C", root, *arguments).strip()


def require_clean(root: Path) -> None:
    """Raise `ReleaseError` if there are uncommitted changes or new files."""
    if changes := run(root, "status", "--porcelain"):
        raise ReleaseError(
            f"the tree has uncommitted changes; commit or remove them first:\n{changes}"
        )


def commit(root: Path, message: str, *files: Path) -> None:
    """Commit files, if they changed."""
    run(root, "add", "--", *files)
    if run(root, "status", "--porcelain", "--untracked-files=no"):
        run(root, "commit", "--quiet", "--message", message)


def tag(root: Path, name: str, message: str) -> None:
    """Tag the last commit, unless it already has the tag.

    Raises:
        ReleaseError: Another commit has the tag.
    """
    known = tagged(root, name)
    if known is None:
        run(root, "tag", "--annotate", "--message", message, name)
    elif known != run(root, "rev-parse", "HEAD"):
        raise ReleaseError(
            f"{name} is already the tag of another commit, {known[:12]}, and a version can be "
            "released only once; start the next one with `nox -s bump -- VERSION`"
        )


def tagged(root: Path, name: str) -> str | None:
    """Return the commit of a tag; None if the tag does not exist."""
    done = commands.attempt(
        "git", "-C", root, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}"
    )
    return done.stdout.strip() or None


def seconds(root: Path) -> int:
    """Return the time of the last commit, in seconds since 1970."""
    return int(run(root, "log", "-1", "--format=%ct"))


def files(root: Path) -> list[str]:
    """Return the names of all tracked files."""
    return [name for name in run(root, "ls-files", "-z").split("\0") if name]


def export(root: Path, target: Path) -> None:
    """Write the files of the last commit into a new folder."""
    target.mkdir(parents=True)
    archive = target.parent / f"{target.name}.tar"
    run(root, "archive", "--format=tar", "--output", archive.absolute(), "HEAD")
    with tarfile.open(archive) as content:
        content.extractall(target, filter="data")
    archive.unlink()
