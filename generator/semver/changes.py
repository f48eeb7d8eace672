"""Changes that users may notice, with their level of semantic versioning."""

from enum import IntEnum

from attrs import frozen

from ..drift.differences import Difference, Severity


class Level(IntEnum):
    """Level of a change, by semantic versioning."""

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
# The only kind of documentation difference that matters to users.
FACTS = "fact-changed"


@frozen
class Change:
    """A change that users may notice.

    Attributes:
        path: Place of the change.
        level: Level of the change.
        heading: Heading in the changelog; None if it does not belong there.
        sentence: Description of the change.
        subject: Name that the changelog must mention; None if it need not.
    """

    path: str
    level: Level
    heading: str | None
    sentence: str
    subject: str | None = None


def contract_change(difference: Difference) -> Change:
    """Convert a difference between two contracts to a change of this package."""
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
