"""Read and change the headings of the changelog, with their versions and dates."""

import re
from datetime import date
from pathlib import Path

from packaging.version import Version

from ..commands import ReleaseError

FILE = Path("CHANGELOG.md")
UNRELEASED = "not yet released"
_HEADING = re.compile(r"^## (?P<version>\S+) \((?P<when>[^)]+)\)$", re.MULTILINE)


def cut(text: str, version: Version, day: date) -> str:
    """Set the date of the first section of the changelog.

    Args:
        text: The changelog.
        version: Version that its first heading must have.
        day: Day of the release.

    Returns:
        The changelog with the day in that heading; unchanged if it has one already.

    Raises:
        ReleaseError: The first heading has another version, or its section is empty.
    """
    heading = _first(text)
    if heading["version"] != str(version):
        raise ReleaseError(
            f"{FILE}: the first section is for {heading['version']}, but the version is {version}; "
            f"write the changes under '## {version} ({UNRELEASED})'"
        )
    if not section(text, version):
        raise ReleaseError(f"{FILE}: the section of {version} is empty; write the changes")
    if heading["when"] != UNRELEASED:
        return text
    return text[: heading.start()] + f"## {version} ({day:%Y-%m-%d})" + text[heading.end() :]


def begin(text: str, version: Version) -> str:
    """Return the changelog with an empty section for a new version.

    Raises:
        ReleaseError: The first section is not released yet.
    """
    heading = _first(text)
    if heading["when"] == UNRELEASED:
        raise ReleaseError(f"{FILE}: {heading['version']} is {UNRELEASED}; release it first")
    return f"{text[: heading.start()]}## {version} ({UNRELEASED})\n\n{text[heading.start() :]}"


def section(text: str, version: Version) -> str:
    """Return the section of a version without its heading; empty if there is no such section."""
    headings = list(_HEADING.finditer(text))
    ends = [*(heading.start() for heading in headings[1:]), len(text)]
    for heading, end in zip(headings, ends, strict=True):
        if heading["version"] == str(version):
            return text[heading.end() : end].strip()
    return ""


def _first(text: str) -> re.Match[str]:
    heading = _HEADING.search(text)
    if heading is None:
        raise ReleaseError(f"{FILE}: there is no heading such as '## 0.6.0 ({UNRELEASED})'")
    return heading
