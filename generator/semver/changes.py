"""A change that users may notice, and how much it is."""

from enum import IntEnum

from attrs import frozen

from ..drift.differences import Difference, Severity


class Level(IntEnum):
    """Size of a change, by semantic versioning."""

    NONE = 0
    PATCH = 1
    MINOR = 2
    MAJOR = 3


# The sections of a changelog, in their order there.
HEADINGS = ("Added", "Changed", "Deprecated", "Removed")

LEVELS = {
    Severity.SENDERS: Level.MAJOR,
    Severity.READERS: Level.MAJOR,
    Severity.ADDITIVE: Level.MINOR,
    Severity.DOCUMENTATION: Level.PATCH,
}
# Of differences in documentation only this kind matters to users.
FACTS = "fact-changed"


@frozen
class Change:
    """Something that users may notice.

    Attributes:
        path: Where it is.
        level: How much it is.
        heading: The changelog's heading that it belongs under; None if it is not for users.
        sentence: What it is.
        subject: The word by which the changelog must name it; None if it need not.
    """

    path: str
    level: Level
    heading: str | None
    sentence: str
    subject: str | None = None


def contract_change(difference: Difference) -> Change:
    """Return a difference between two contracts as a change of this package."""
    level = LEVELS[difference.severity]
    return Change(
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
