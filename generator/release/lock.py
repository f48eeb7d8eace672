"""Lock the packages of development and release to versions and hashes; users are not affected."""

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
# The packages that workflows install first, with pip, to get nox.
FIRST = Path("generator", "release", "nox.txt")
# Frameworks must work at their newest versions, and would hold back other packages; torch differs
# between machines.
UNLOCKED = ("engines", "frameworks", "gateways", "local", "spark")
HASH = "--hash=sha256:"


def write(root: Path) -> None:
    """Lock all packages to their newest compatible versions, for every interpreter and system."""
    project = _project(root)
    oldest = next(iter(SpecifierSet(project["project"]["requires-python"]))).version
    groups = [name for name in project["dependency-groups"] if name not in UNLOCKED]
    everything = [
        "pyproject.toml",
        *(f"--extra={extra}" for extra in EXTRAS),
        *(f"--group={group}" for group in groups),
    ]
    for file, wanted in ((FILE, everything), (FIRST, ["--group=nox", "--constraint", FILE])):
        uv(
            *("pip", "compile", *wanted, "--universal", "--python-version", oldest),
            # The file must contain neither paths nor the URL of the index.
            *("--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links"),
            *("--generate-hashes", "--upgrade", "--quiet", "--output-file", file),
            cwd=root,
        )
        if "/" in root.joinpath(file).read_text(encoding="utf-8"):
            raise ReleaseError(f"{file} contains a path or a URL; remove it before you commit it")


def pins(text: str) -> Iterator[tuple[Requirement, list[str]]]:
    """Yield each pinned version of a lock, with the hashes of its files."""
    for line in text.replace("\\\n", " ").splitlines():
        pin, *hashes = line.split(HASH)
        yield Requirement(pin), [digest.strip() for digest in hashes]


def faults(root: Path) -> Iterator[str]:
    """Yield a sentence for every requirement without a lock, a matching version or hashes."""
    locked: dict[str, list[Requirement]] = {}
    for file in (FILE, FIRST):
        for pin, hashes in pins(root.joinpath(file).read_text(encoding="utf-8")):
            locked.setdefault(canonicalize_name(pin.name), []).append(pin)
            if not hashes:
                yield f"{pin.name} is locked without hashes in {file}: run `nox -s lock`"
    for needed in sorted(set(_requirements(_project(root)))):
        requirement = Requirement(needed)
        found = locked.get(canonicalize_name(requirement.name), [])
        if not found:
            yield f"{requirement.name} is not locked: run `nox -s lock`"
        for pin in found:
            version = next(iter(pin.specifier)).version
            if not requirement.specifier.contains(version, prereleases=True):
                yield (
                    f"{requirement.name} is locked to {version}, which does not match "
                    f"{requirement}: run `nox -s lock`"
                )


def needed_by_users(root: Path) -> list[str]:
    """Return the requirements of the package with its extras."""
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
