"""The tree under git: what is committed is what is released."""

import tarfile
from pathlib import Path

from .tools import ReleaseError, attempt, run


def git(root: Path, *arguments: str | Path) -> str:
    """What a git command of this tree prints."""
    return run("git", "-C", root, *arguments).strip()


def insist_on_clean(root: Path) -> None:
    """Raise if anything is changed or new and not committed."""
    if changes := git(root, "status", "--porcelain"):
        raise ReleaseError(
            f"the tree has uncommitted changes; commit or remove them first:\n{changes}"
        )


def commit(root: Path, message: str, *files: Path) -> None:
    """Commit these files, if they changed."""
    git(root, "add", "--", *files)
    if git(root, "status", "--porcelain", "--untracked-files=no"):
        git(root, "commit", "--quiet", "--message", message)


def tag(root: Path, name: str, message: str) -> None:
    """Tag the last commit; that it has the tag already is fine.

    Raises:
        ReleaseError: If another commit has it.
    """
    known = tagged(root, name)
    if known is None:
        git(root, "tag", "--annotate", "--message", message, name)
    elif known != git(root, "rev-parse", "HEAD"):
        raise ReleaseError(
            f"{name} is already the tag of another commit, {known[:12]}, and a version can be "
            "released only once; start the next one with `nox -s begin -- VERSION`"
        )


def tagged(root: Path, name: str) -> str | None:
    """The commit that a tag is on."""
    done = attempt("git", "-C", root, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    return done.stdout.strip() or None


def seconds(root: Path) -> int:
    """When the last commit was made, in seconds since 1970."""
    return int(git(root, "log", "-1", "--format=%ct"))


def files(root: Path) -> list[str]:
    """The names of all files that git keeps."""
    return [name for name in git(root, "ls-files", "-z").split("\0") if name]


def export(root: Path, target: Path) -> None:
    """Write the last commit's files into a folder that is not there yet."""
    target.mkdir(parents=True)
    archive = target.parent / f"{target.name}.tar"
    git(root, "archive", "--format=tar", "--output", archive.absolute(), "HEAD")
    with tarfile.open(archive) as content:
        content.extractall(target, filter="data")
    archive.unlink()
