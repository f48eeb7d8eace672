"""Building what is uploaded, so that anybody who builds the same commit gets the same bytes."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import NamedTuple

from . import tree
from .tools import ReleaseError, environment, python, run


class Circumstances(NamedTuple):
    """What must not show in what is built."""

    folder: str
    umask: int
    time_zone: str
    hash_seed: str
    later: int
    """Seconds by which its files are younger than the commit."""


CIRCUMSTANCES = (
    Circumstances("here", 0o022, "UTC", "0", 0),
    Circumstances("elsewhere/in a folder", 0o077, "Asia/Kathmandu", "1", 86_400 * 400),
)


def build(root: Path, target: Path) -> list[Path]:
    """Build the last commit twice, under different circumstances.

    Args:
        root: The tree.
        target: The folder for the files. What was in it is gone.

    Returns:
        The wheel and the source distribution.

    Raises:
        ReleaseError: If the two differ, or a package index would not take them.
    """
    with tempfile.TemporaryDirectory() as folder:
        one, other = (_build(root, Path(folder), circumstances) for circumstances in CIRCUMSTANCES)
        insist_on_same(one, other)
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(one, target)
    built = [*target.glob("*.whl"), *target.glob("*.tar.gz")]
    run(*python("twine", "check", "--strict", *built))
    return built


def _build(root: Path, folder: Path, circumstances: Circumstances) -> Path:
    source = folder / circumstances.folder / "source"
    tree.export(root, source)
    made = tree.seconds(root)
    for path in source.rglob("*"):
        os.utime(path, (made + circumstances.later,) * 2)
    env = environment(
        {
            "SOURCE_DATE_EPOCH": str(made),
            "TZ": circumstances.time_zone,
            "PYTHONHASHSEED": circumstances.hash_seed,
        }
    )
    built = folder / circumstances.folder / "built"
    # Without isolation, so that the backend is the locked one and not today's newest.
    command = python("build", "--no-isolation", "--outdir", built, source)
    run(*command, cwd=folder, env=env, umask=circumstances.umask)
    return built


def insist_on_same(one: Path, other: Path) -> None:
    """Raise unless both folders hold the same files to the byte."""
    names = {path.name for folder in (one, other) for path in folder.iterdir()}
    different = sorted(
        name
        for name in names
        if _content(one / name) is None or _content(one / name) != _content(other / name)
    )
    if different:
        raise ReleaseError(
            f"two builds of one commit differ: {', '.join(different)}; something in them depends "
            "on where or when they were built"
        )


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None
