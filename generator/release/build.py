"""Build the wheel and the source distribution reproducibly."""

import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import NamedTuple

from .. import commands, git
from ..commands import ReleaseError, python, run


class BuildEnvironment(NamedTuple):
    """The environment of a build, which must not affect the result."""

    folder: str
    umask: int
    time_zone: str
    hash_seed: str
    later: int
    """Seconds by which the files are newer than the commit."""


BUILD_ENVIRONMENTS = (
    BuildEnvironment("here", 0o022, "UTC", "0", 0),
    BuildEnvironment("elsewhere/in a folder", 0o077, "Asia/Kathmandu", "1", 86_400 * 400),
)


def build(root: Path, target: Path) -> list[Path]:
    """Build the last commit twice, in different environments, and compare.

    Args:
        root: The checkout.
        target: Folder for the files; its old content is removed.

    Returns:
        The wheel and the source distribution.

    Raises:
        ReleaseError: The two builds differ, or a package index would refuse their metadata.
    """
    with tempfile.TemporaryDirectory() as folder:
        one, other = (_build(root, Path(folder), setting) for setting in BUILD_ENVIRONMENTS)
        require_same(one, other)
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(one, target)
    built = [*target.glob("*.whl"), *target.glob("*.tar.gz")]
    run(*python("twine", "check", "--strict", *built))
    return built


def _build(root: Path, folder: Path, setting: BuildEnvironment) -> Path:
    source = folder / setting.folder / "source"
    git.export(root, source)
    made = git.seconds(root)
    for path in source.rglob("*"):
        os.utime(path, (made + setting.later,) * 2)
    env = commands.environment(
        {
            "SOURCE_DATE_EPOCH": str(made),
            "TZ": setting.time_zone,
            "PYTHONHASHSEED": setting.hash_seed,
        }
    )
    built = folder / setting.folder / "built"
    # Without isolation, so that the locked backend is used instead of the newest.
    command = python("build", "--no-isolation", "--outdir", built, source)
    run(*command, cwd=folder, env=env, umask=setting.umask)
    return built


def require_same(one: Path, other: Path) -> None:
    """Raise `ReleaseError` unless two folders contain identical files."""
    names = {path.name for folder in (one, other) for path in folder.iterdir()}
    different = sorted(
        name
        for name in names
        if _content(one / name) is None or _content(one / name) != _content(other / name)
    )
    if different:
        raise ReleaseError(
            f"two builds of one commit differ: {', '.join(different)}; remove whatever depends on "
            "the place or time of the build"
        )


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


SUMS = "SHA256SUMS"


def write_sums(folder: Path) -> None:
    """Write the checksums of a folder's files into it, in the format of `sha256sum`."""
    lines = [
        f"{digest(path)}  {path.name}\n" for path in sorted(folder.iterdir()) if path.name != SUMS
    ]
    folder.joinpath(SUMS).write_text("".join(lines), encoding="utf-8")


def verify_sums(folder: Path) -> None:
    """Raise `ReleaseError` unless a folder contains exactly the files of its checksums."""
    path = folder / SUMS
    if not path.is_file():
        raise ReleaseError(f"{path} is missing: run `nox -s release` first")
    expected = dict(line.split("  ")[::-1] for line in path.read_text("utf-8").splitlines())
    found = {path.name: digest(path) for path in folder.iterdir() if path.name != SUMS}
    if wrong := sorted(name for name, _ in expected.items() ^ found.items()):
        raise ReleaseError(
            f"these files do not match {SUMS}: {', '.join(dict.fromkeys(wrong))}; "
            "run `nox -s release` again"
        )


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal digits."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
