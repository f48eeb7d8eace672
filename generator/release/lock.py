"""Lock the versions that development and release use; users are held to none of them."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from ..commands import ReleaseError
from .install import EXTRAS, uv

FILE = Path("generator", "release", "locked.txt")
# Frameworks must work at their newest versions; torch differs between machines.
UNLOCKED = ("engines", "frameworks", "local", "spark")


def write(root: Path) -> None:
    """Lock everything to the newest version that fits, for every interpreter and system."""
    project = _project(root)
    oldest = next(iter(SpecifierSet(project["project"]["requires-python"]))).version
    groups = [name for name in project["dependency-groups"] if name not in UNLOCKED]
    uv(
        *("pip", "compile", "pyproject.toml", "--universal", "--python-version", oldest),
        *(f"--extra={extra}" for extra in EXTRAS),
        *(f"--group={group}" for group in groups),
        # Neither paths nor the index may show in the file.
        *("--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links"),
        *("--upgrade", "--quiet", "--output-file", FILE),
        cwd=root,
    )
    if "/" in root.joinpath(FILE).read_text(encoding="utf-8"):
        raise ReleaseError(f"{FILE} contains a path or a URL; remove it before you commit the file")


def faults(root: Path) -> Iterator[str]:
    """Yield every requirement that is not locked, or to a version that does not fit."""
    locked: dict[str, list[Requirement]] = {}
    for line in root.joinpath(FILE).read_text(encoding="utf-8").splitlines():
        pinned = Requirement(line)
        locked.setdefault(canonicalize_name(pinned.name), []).append(pinned)
    for needed in sorted(set(_requirements(_project(root)))):
        requirement = Requirement(needed)
        pins = locked.get(canonicalize_name(requirement.name), [])
        if not pins:
            yield f"{requirement.name} is not locked: run `nox -s lock`"
        for pin in pins:
            version = next(iter(pin.specifier)).version
            if not requirement.specifier.contains(version, prereleases=True):
                yield (
                    f"{requirement.name} is locked to {version}, which does not fit {requirement}: "
                    "run `nox -s lock`"
                )


def needed_by_users(root: Path) -> list[str]:
    """Return what the package requires, with its extras."""
    return list(_needed_by_users(_project(root)))


def _needed_by_users(project: dict[str, Any]) -> Iterator[str]:
    yield from project["project"]["dependencies"]
    for extra in EXTRAS:
        yield from project["project"]["optional-dependencies"][extra]


def _requirements(project: dict[str, Any]) -> Iterator[str]:
    yield from _needed_by_users(project)
    for name, group in project["dependency-groups"].items():
        if name not in UNLOCKED:
            yield from (entry for entry in group if isinstance(entry, str))


def _project(root: Path) -> dict[str, Any]:
    return tomllib.loads(root.joinpath("pyproject.toml").read_text(encoding="utf-8"))
