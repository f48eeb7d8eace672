"""The changelog: a section drafted, and what a written one leaves out."""

import re
from collections.abc import Sequence

from packaging.version import Version

from ..release import changelog
from .news import HEADINGS, Level, News

# An operation's path says where; these say it already.
PLACES_SAID = ("catalogue", "pyproject", "voyageai", "voyageai_rest", "schemas")


def draft(version: Version, news: Sequence[News]) -> str:
    """The section of a version, in plain words; what many places share stands there once."""
    lines = [f"## {version} ({changelog.UNRELEASED})"]
    for heading in HEADINGS:
        places: dict[str, list[str]] = {}
        for item in news:
            if item.heading == heading:
                places.setdefault(item.sentence, []).append(_place(item))
        if places:
            lines += ["", f"### {heading}", ""]
            lines += [_bullet(sentence, named) for sentence, named in places.items()]
    return "\n".join(lines)


def left_out(section: str, news: Sequence[News]) -> list[News]:
    """What a section does not tell, or tells as if nothing broke.

    What breaks has to stand below another heading than what is new.
    """
    beside_new = _beside_new(section)
    return [
        item
        for item in news
        if item.subject is not None
        and not _names(beside_new if item.level is Level.MAJOR else section, item.subject)
    ]


def tells_what_breaks(section: str) -> bool:
    """Whether a section tells anything that is not only new."""
    lines = _beside_new(section).splitlines()
    return any(line.strip() and not line.startswith("#") for line in lines)


def _beside_new(section: str) -> str:
    return re.sub(r"^### Added\b.*?(?=^### |\Z)", "", section, flags=re.MULTILINE | re.DOTALL)


def _names(text: str, subject: str) -> bool:
    """Whether a text has a word, not only one that contains it."""
    return re.search(rf"(?<![\w-]){re.escape(subject)}(?![\w-]|\.\d)", text) is not None


def _place(item: News) -> str:
    place = item.path.partition(":")[0]
    return "" if place.partition(".")[0] in PLACES_SAID else place


def _bullet(sentence: str, places: list[str]) -> str:
    named = ", ".join(f"`{place}`" for place in dict.fromkeys(places) if place)
    where = f" ({named})" if named else ""
    return f"- {sentence[:1].upper()}{sentence[1:]}{where}."
