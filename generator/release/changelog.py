"""The changelog's headings: what is not yet released, and when the rest was."""

import re
from datetime import date
from pathlib import Path

from packaging.version import Version

from .tools import ReleaseError

FILE = Path("CHANGELOG.md")
UNRELEASED = "not yet released"
_HEADING = re.compile(r"^## (?P<version>\S+) \((?P<when>[^)]+)\)$", re.MULTILINE)


def cut(text: str, version: Version, day: date) -> str:
    """The changelog once a version is released.

    Args:
        text: The changelog.
        version: The version, which its first heading names.
        day: The day of the release.

    Returns:
        The changelog with the day in that heading. It is the same if a day is there already.

    Raises:
        ReleaseError: If the first heading is another version's, or nothing stands below it.
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
    """The changelog with an empty section for a version that is begun."""
    heading = _first(text)
    if heading["when"] == UNRELEASED:
        raise ReleaseError(f"{FILE}: {heading['version']} is {UNRELEASED}; release it first")
    return f"{text[: heading.start()]}## {version} ({UNRELEASED})\n\n{text[heading.start() :]}"


def section(text: str, version: Version) -> str:
    """What the changelog says of a version, without the heading."""
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
