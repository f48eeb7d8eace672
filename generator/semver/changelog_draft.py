"""Draft a section of the changelog, and find what a written one leaves out."""

import re
from collections.abc import Sequence

from packaging.version import Version

from .. import spec
from . import changelog
from .changes import HEADINGS, Change, Level

# An operation's path is added to its line; the sentences about these name their place already.
NAMED_IN_SENTENCE = (
    *("catalogue", "pyproject", "schemas", "tags"),
    *("voyageai", "voyageai_emulator"),
    *(entry.package for entry in spec.contracts()),
)


def draft(version: Version, changes: Sequence[Change]) -> str:
    """Draft the section of a version; a sentence that several places share stands there once."""
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
    """Return the changes that a section does not name.

    What breaks must be named under another heading than `Added`.
    """
    without_added = _without_added(section)
    return [
        item
        for item in changes
        if item.subject is not None
        and not _names(without_added if item.level is Level.MAJOR else section, item.subject)
    ]


def mentions_breaking(section: str) -> bool:
    """Return whether a section has a line under another heading than `Added`."""
    lines = _without_added(section).splitlines()
    return any(line.strip() and not line.startswith("#") for line in lines)


def _without_added(section: str) -> str:
    return re.sub(r"^### Added\b.*?(?=^### |\Z)", "", section, flags=re.MULTILINE | re.DOTALL)


def _names(text: str, subject: str) -> bool:
    """Return whether a text has a word of its own, not only one that contains it."""
    return re.search(rf"(?<![\w-]){re.escape(subject)}(?![\w-]|\.\d)", text) is not None


def _place(item: Change) -> str:
    place = item.path.partition(":")[0]
    return "" if place.partition(".")[0] in NAMED_IN_SENTENCE else place


def _bullet(sentence: str, places: list[str]) -> str:
    named = ", ".join(f"`{place}`" for place in dict.fromkeys(places) if place)
    where = f" ({named})" if named else ""
    return f"- {sentence[:1].upper()}{sentence[1:]}{where}."
