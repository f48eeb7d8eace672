"""Check the contents of the archives to upload."""

import os
import re
import tarfile
import zipfile
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

from .. import git, spec
from ..commands import ReleaseError, attempt, python

MAX_FILE_BYTES = 1_000_000
GENERATED = [entry.package for entry in spec.contracts()]
PACKAGES = (
    *(f"generated/{package}/" for package in GENERATED),
    *("overlay/voyageai/", "overlay/voyageai_emulator/"),
)

MUST = {
    ".whl": (
        "voyageai/py.typed",
        "voyageai_emulator/py.typed",
        *(f"{package}/py.typed" for package in GENERATED),
        *(f"{package}/openapi.json" for package in GENERATED),
        *(f"{entry.package}/catalogue.py" for entry in spec.contracts() if entry.catalogue),
        "voyageai_emulator/tokenizer/README.md",  # the licences of the texts it was trained on
        "*.dist-info/licenses/LICENSE",
        "*.dist-info/METADATA",
    ),
    ".gz": (
        "overlay/voyageai/py.typed",
        "overlay/voyageai_emulator/py.typed",
        *(f"generated/{package}/py.typed" for package in GENERATED),
        "generated/lock.json",
        "spec/contracts.yaml",
        *(f"spec/{path.name}" for entry in spec.contracts() for path in entry.files),
        "overlay/voyageai_emulator/tokenizer/README.md",
        "pyproject.toml",
        "README.md",
        "CHANGELOG.md",
        "LICENSE",
        "PKG-INFO",
    ),
}
MUST_NOT = ("tests", "test", "__pycache__", ".git", ".nox", ".venv", ".hypothesis", "dist", "build")
MUST_NOT_END = (".pyc", ".pyo", ".orig", ".rej", ".log", ".db", ".sqlite", ".env", ".pem", "~")

# A path on the machine where a file was made.
_PLACE = re.compile(rb"(?<![\w.])(?:/home/\w|/Users/\w|/root/|[A-Z]:\\Users\\)")


def check_contents(root: Path, built: list[Path]) -> None:
    """Raise `ReleaseError` with all faults of the archives that were built from a tree."""
    tracked = git.files(root)
    known = [str(root).encode(), *(host.encode() for host in index_hosts())]
    found = [
        f"{archive.name}: {fault}"
        for archive in built
        for fault in faults(archive, members(archive), tracked, known)
    ]
    if found:
        raise ReleaseError("\n".join(found))


def faults(
    archive: Path, content: dict[str, bytes], tracked: list[str], revealing: list[bytes]
) -> Iterator[str]:
    """Yield every fault of one archive, as a sentence.

    Args:
        archive: Path of the archive.
        content: Bytes of its members, by name.
        tracked: Names of the files under git.
        revealing: Words that would reveal where it was built.
    """
    for pattern in MUST[archive.suffix]:
        if not any(fnmatch(name, pattern) for name in content):
            yield f"{pattern} is missing"
    yield from _unexpected(archive, content, tracked)
    for name, data in content.items():
        parts = Path(name).parts
        if wrong := sorted({*MUST_NOT} & {*parts}):
            yield f"{name} must not be included: {wrong[0]}"
        if name.endswith(MUST_NOT_END):
            yield f"{name} must not be included: {Path(name).suffix or name[-1]}"
        if len(data) > MAX_FILE_BYTES:
            yield f"{name} has {len(data):,} bytes, more than {MAX_FILE_BYTES:,}"
        if place := _PLACE.search(data):
            yield f"{name} contains a path of a machine: {place[0].decode()}..."
        for word in revealing:
            if word in data:
                yield f"{name} reveals where it was built: {word.decode()}"


def _unexpected(archive: Path, content: dict[str, bytes], tracked: list[str]) -> Iterator[str]:
    """Yield files that are not under git, and files under git that are missing."""
    if archive.suffix != ".whl":
        for name in sorted(content.keys() - set(tracked) - {"PKG-INFO"}):
            yield f"{name} is not tracked by git"
        return
    expected = {
        name.removeprefix(folder.partition("/")[0] + "/")
        for folder in PACKAGES
        for name in tracked
        if name.startswith(folder)
    }
    found = {name for name in content if ".dist-info/" not in name}
    for name in sorted(expected - found):
        yield f"{name} is missing"
    for name in sorted(found - expected):
        yield f"{name} is not tracked by git"


def members(archive: Path) -> dict[str, bytes]:
    """Return the members of an archive by name; those of an sdist without the top folder."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return {name: wheel.read(name) for name in wheel.namelist() if not name.endswith("/")}
    content: dict[str, bytes] = {}
    with tarfile.open(archive) as distribution:
        for member in distribution.getmembers():
            if stream := distribution.extractfile(member):
                content[member.name.partition("/")[2]] = stream.read()
    return content


_HOST = re.compile(r"\w+://(?:[^/\s'@]*@)?([^/\s':]+)")
VARIABLES = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL")


def index_hosts() -> list[str]:
    """Return the hosts of package indexes in the settings of pip and uv."""
    settings = attempt(*python("pip", "config", "list")).stdout.splitlines()
    lines = [line for line in settings if "index" in line.partition("=")[0]]
    lines += [os.environ.get(name, "") for name in VARIABLES]
    return sorted({host for line in lines for host in _HOST.findall(line)})
