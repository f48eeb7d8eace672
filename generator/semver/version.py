"""Read, write and increase the version, which is in the package only."""

import re
from pathlib import Path

from packaging.version import InvalidVersion, Version

from ..commands import ReleaseError
from .changes import Level

FILE = Path("overlay", "voyageai", "version.py")
_LINE = re.compile(r'^VERSION = "([^"]+)"$', re.MULTILINE)


def read(root: Path) -> Version:
    """Read the version of a tree.

    Raises:
        ReleaseError: The file has no version.
    """
    found = _LINE.search(root.joinpath(FILE).read_text(encoding="utf-8"))
    if found is None:
        raise ReleaseError(f'{FILE}: there is no line VERSION = "..."')
    return parse(found[1])


def write(root: Path, version: Version) -> None:
    """Write the version of a tree."""
    path = root / FILE
    text = _LINE.sub(f'VERSION = "{version}"', path.read_text(encoding="utf-8"))
    path.write_text(text, encoding="utf-8")


def parse(text: str) -> Version:
    """Parse a version, such as ``0.6.0``.

    Raises:
        ReleaseError: `text` is not a version.
    """
    try:
        return Version(text)
    except InvalidVersion as error:
        raise ReleaseError(f"{text!r} is not a version; write one such as 0.6.0") from error


def final(version: Version) -> Version:
    """Return the final version of a development version, such as 0.6.0 for 0.6.0.dev0."""
    return Version(version.base_version) if version.is_devrelease else version


def tag(version: Version) -> str:
    """Return the name of a version's git tag."""
    return f"v{version}"


def minimum(released: Version, level: Level) -> Version:
    """Return the lowest version for a level of changes.

    Before 1.0.0 every level increases the next lower number, as dependency resolvers expect: the
    middle number for breaking changes, the last one for others.

    Args:
        released: Previous version; a pre-release becomes final at any level.
        level: Highest level of the changes since.
    """
    if released.is_prerelease:
        return Version(released.base_version)
    major, minor, micro = released.release[:3]
    if level is Level.NONE:
        return released
    if level is Level.MAJOR and major:
        return Version(f"{major + 1}.0.0")
    if level is Level.MAJOR or (level is Level.MINOR and major):
        return Version(f"{major}.{minor + 1}.0")
    return Version(f"{major}.{minor}.{micro + 1}")
