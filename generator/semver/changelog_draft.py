"""Draft a section of the changelog, and find the changes that a section does not mention."""

import re
from collections.abc import Sequence

from packaging.version import Version

from .. import spec
from . import changelog
from .changes import HEADINGS, Change, Level

# Places that their sentences already name; to other lines the operation is added.
NAMED_IN_SENTENCE = (
    *("catalogue", "pyproject", "schemas", "tags"),
    *("voyageai", "voyageai_emulator"),
    *(entry.package for entry in spec.contracts()),
)


def draft(version: Version, changes: Sequence[Change]) -> str:
    """Draft the section of a version, with one line for changes that several places share."""
    lines = [f"## {version} ({changelog.UNRELEASED})"]
    for heading in HEADINGS:
        places: dict[str, list[str]] = {}
        for item in changes:
            if item.heading == heading:
                places.setdefault(item.sentence, []).append(_place(item))
        if places:
            lines += ["", f"### {heading}", ""]
            lines += [_bullet(sentence, named) for sentence, named in places.items()]
    return "\n".join(lines)


def missing(section: str, changes: Sequence[Change]) -> list[Change]:
    """Return the changes that a section does not mention.

    Breaking changes must be mentioned under a heading other than `Added`.
    """
    without_added = _without_added(section)
    return [
        item
        for item in changes
        if item.subject is not None
        and not _mentions(without_added if item.level is Level.MAJOR else section, item.subject)
    ]


def mentions_breaking(section: str) -> bool:
    """Return whether a section has a line under a heading other than `Added`."""
    lines = _without_added(section).splitlines()
    return any(line.strip() and not line.startswith("#") for line in lines)


def _without_added(section: str) -> str:
    return re.sub(r"^### Added\b.*?(?=^### |\Z)", "", section, flags=re.MULTILINE | re.DOTALL)


def _mentions(text: str, subject: str) -> bool:
    """Return whether a text contains a subject as a whole word."""
    return re.search(rf"(?<![\w-]){re.escape(subject)}(?![\w-]|\.\d)", text) is not None


def _place(item: Change) -> str:
    place = item.path.partition(":")[0]
    return "" if place.partition(".")[0] in NAMED_IN_SENTENCE else place


def _bullet(sentence: str, places: list[str]) -> str:
    named = ", ".join(f"`{place}`" for place in dict.fromkeys(places) if place)
    where = f" ({named})" if named else ""
    return f"- {sentence[:1].upper()}{sentence[1:]}{where}."
