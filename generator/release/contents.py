"""What may be, must be and must not be in what is uploaded."""

import re
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

from . import archives, tree
from .hosts import index_hosts
from .tools import ReleaseError

LARGEST = 1_000_000  # bytes of one file
PACKAGES = ("generated/voyageai_rest/", "overlay/voyageai/", "overlay/voyageai_emulator/")

MUST = {
    ".whl": (
        "voyageai/py.typed",
        "voyageai_emulator/py.typed",
        "voyageai_rest/py.typed",
        "voyageai_rest/openapi.json",
        "voyageai_rest/catalogue.py",
        "voyageai_emulator/tokenizer/README.md",  # the licences of the texts it was trained on
        "*.dist-info/licenses/LICENSE",
        "*.dist-info/METADATA",
    ),
    ".gz": (
        "overlay/voyageai/py.typed",
        "overlay/voyageai_emulator/py.typed",
        "generated/voyageai_rest/py.typed",
        "generated/lock.json",
        "spec/openapi.yaml",
        "spec/catalogue.yaml",
        "spec/catalogue.schema.json",
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

# Folders of a person or a machine; such a path says where something was made.
_PLACE = re.compile(rb"(?<![\w.])(?:/home/\w|/Users/\w|/root/|[A-Z]:\\Users\\)")


def insist_on_good(root: Path, built: list[Path]) -> None:
    """Raise with every fault of the archives that were built from a tree."""
    kept = tree.files(root)
    known = [str(root).encode(), *(host.encode() for host in index_hosts())]
    found = [
        f"{archive.name}: {fault}"
        for archive in built
        for fault in faults(archive, archives.members(archive), kept, known)
    ]
    if found:
        raise ReleaseError("\n".join(found))


def faults(
    archive: Path, content: dict[str, bytes], kept: list[str], revealing: list[bytes]
) -> Iterator[str]:
    """Every fault of one archive, as a sentence.

    Args:
        archive: Its file.
        content: Its members: name to bytes.
        kept: The names of the files under git.
        revealing: What would say where it was built.
    """
    for pattern in MUST[archive.suffix]:
        if not any(fnmatch(name, pattern) for name in content):
            yield f"{pattern} is missing"
    yield from _strangers(archive, content, kept)
    for name, data in content.items():
        parts = Path(name).parts
        if wrong := sorted({*MUST_NOT} & {*parts}):
            yield f"{name} must not be included: {wrong[0]}"
        if name.endswith(MUST_NOT_END):
            yield f"{name} must not be included: {Path(name).suffix or name[-1]}"
        if len(data) > LARGEST:
            yield f"{name} has {len(data):,} bytes, more than {LARGEST:,}"
        if place := _PLACE.search(data):
            yield f"{name} contains a path of a machine: {place[0].decode()}..."
        for word in revealing:
            if word in data:
                yield f"{name} reveals where it was built: {word.decode()}"


def _strangers(archive: Path, content: dict[str, bytes], kept: list[str]) -> Iterator[str]:
    """What is not under git, or is and was left out."""
    if archive.suffix != ".whl":
        for name in sorted(content.keys() - set(kept) - {"PKG-INFO"}):
            yield f"{name} is not tracked by git"
        return
    expected = {
        name.removeprefix(folder.partition("/")[0] + "/")
        for folder in PACKAGES
        for name in kept
        if name.startswith(folder)
    }
    found = {name for name in content if ".dist-info/" not in name}
    for name in sorted(expected - found):
        yield f"{name} is missing"
    for name in sorted(found - expected):
        yield f"{name} is not tracked by git"
