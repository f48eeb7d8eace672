"""Something that users may notice, and how much it is."""

from enum import IntEnum

from attrs import frozen

from ..drift.differences import Change, Difference


class Level(IntEnum):
    """How much a change is, as semantic versioning counts."""

    NONE = 0
    PATCH = 1
    MINOR = 2
    MAJOR = 3


# The sections of a changelog, in their order there.
HEADINGS = ("Added", "Changed", "Deprecated", "Removed")

LEVELS = {
    Change.SENDERS: Level.MAJOR,
    Change.READERS: Level.MAJOR,
    Change.ADDITIVE: Level.MINOR,
    Change.DOCUMENTATION: Level.PATCH,
}
# Of what is said differently only this matters to users.
FACTS = "fact-changed"


@frozen
class News:
    """Something that users may notice.

    Attributes:
        path: Where.
        level: How much it is.
        heading: The section of the changelog that it belongs in; None if it is not for users.
        sentence: What it is.
        subject: The word by which the changelog has to name it; None if it need not be told.
    """

    path: str
    level: Level
    heading: str | None
    sentence: str
    subject: str | None = None


def of_the_contract(difference: Difference) -> News:
    """What a difference between two contracts is to users."""
    level = LEVELS[difference.change]
    return News(
        difference.path,
        level,
        _heading(difference, level),
        difference.sentence,
        difference.subject if level >= Level.MINOR else None,
    )


def _heading(difference: Difference, level: Level) -> str | None:
    kind = difference.kind
    if level is Level.PATCH:
        return "Changed" if kind == FACTS else None
    if kind in ("deprecated", "model-deprecated"):
        return "Deprecated"
    if level is Level.MAJOR:
        return "Removed" if kind.endswith(("-removed", "-retired")) else "Changed"
    return "Added" if "-added" in kind else "Changed"
