"""The changelog's headings: what is not yet released, and when the rest was."""

import re
from datetime import date
from pathlib import Path

from packaging.version import Version

from ..commands import ReleaseError

FILE = Path("CHANGELOG.md")
UNRELEASED = "not yet released"
_HEADING = re.compile(r"^## (?P<version>\S+) \((?P<when>[^)]+)\)$", re.MULTILINE)


def cut(text: str, version: Version, day: date) -> str:
    """Date the first section of the changelog.

    Args:
        text: The changelog.
        version: The version that its first heading must name.
        day: The day of the release.

    Returns:
        The changelog with the day in that heading; unchanged if a day is there already.

    Raises:
        ReleaseError: The first heading is another version's, or its section is empty.
    """
    heading = _first(text)
    if heading["version"] != str(version):
        raise ReleaseError(
            f"{FILE}: the first section is for {heading['version']}, but the version is {version}; "
            f"write what is new under '## {version} ({UNRELEASED})'"
        )
    if not section(text, version):
        raise ReleaseError(f"{FILE}: the section of {version} is empty; write what is new")
    if heading["when"] != UNRELEASED:
        return text
    return text[: heading.start()] + f"## {version} ({day:%Y-%m-%d})" + text[heading.end() :]


def begin(text: str, version: Version) -> str:
    """Return the changelog with an empty section for a new version."""
    heading = _first(text)
    if heading["when"] == UNRELEASED:
        raise ReleaseError(f"{FILE}: {heading['version']} is {UNRELEASED}; release it first")
    return f"{text[: heading.start()]}## {version} ({UNRELEASED})\n\n{text[heading.start() :]}"


def section(text: str, version: Version) -> str:
    """Return the section of a version without its heading; empty if there is none."""
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
