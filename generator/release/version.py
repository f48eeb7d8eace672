"""The version: written once, in the package, and read from there by everything else."""

import re
from pathlib import Path

from packaging.version import InvalidVersion, Version

from .tools import ReleaseError

FILE = Path("overlay", "voyageai", "version.py")
_LINE = re.compile(r'^VERSION = "([^"]+)"$', re.MULTILINE)


def read(root: Path) -> Version:
    """The version of a tree."""
    found = _LINE.search(root.joinpath(FILE).read_text(encoding="utf-8"))
    if found is None:
        raise ReleaseError(f'{FILE}: there is no line VERSION = "..."')
    return parse(found[1])


def write(root: Path, version: Version) -> None:
    """Make it the version of a tree."""
    path = root / FILE
    text = _LINE.sub(f'VERSION = "{version}"', path.read_text(encoding="utf-8"))
    path.write_text(text, encoding="utf-8")


def parse(text: str) -> Version:
    """A version from a text such as ``0.6.0``.

    Raises:
        ReleaseError: If it is none.
    """
    try:
        return Version(text)
    except InvalidVersion as error:
        raise ReleaseError(f"{text!r} is not a version; write one such as 0.6.0") from error


def final(version: Version) -> Version:
    """What a version in the making becomes: 0.6.0 of 0.6.0.dev0."""
    return Version(version.base_version) if version.is_devrelease else version


def tag(version: Version) -> str:
    """The name of its git tag."""
    return f"v{version}"
