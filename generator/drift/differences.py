"""Differences, and their severity by the table in rules.yaml."""

import json
from collections.abc import Iterable
from enum import Enum
from functools import cache
from typing import Any, Literal

from attrs import frozen

from .. import paths, spec

Side = Literal["request", "response"]
ABSENT = "none"
MAX_CHARACTERS = 80


class Severity(Enum):
    """Severity of a difference, by the programs that it breaks; most severe first."""

    SENDERS = "breaking for senders"
    READERS = "breaking for readers"
    ADDITIVE = "additive"
    DOCUMENTATION = "documentation"

    @property
    def is_breaking(self) -> bool:
        """True if programs have to change."""
        return self in (Severity.SENDERS, Severity.READERS)


@frozen
class Place:
    """A place in the contract.

    Attributes:
        owner: Operation, or part of the contract.
        side: Part of the operation, such as `request`, `response.200` or `query`.
        inner: Path within that part, such as `data[].embedding`.
    """

    owner: str
    side: str = ""
    inner: str = ""

    def __str__(self) -> str:
        within = ".".join(part for part in (self.side, self.inner) if part)
        return f"{self.owner}: {within}" if within else self.owner

    def field(self, name: str) -> "Place":
        """Return the place of a field."""
        return Place(self.owner, self.side, f"{self.inner}.{name}" if self.inner else name)

    def part(self, suffix: str) -> "Place":
        """Return the place of a part, such as `[]` for the items of a list."""
        return Place(self.owner, self.side, f"{self.inner}{suffix}")

    @property
    def name(self) -> str:
        """Name of the place in sentences."""
        if self.inner:
            return f"`{self.inner}`"
        return "the body" if self.side else self.owner


@frozen
class Difference:
    """A difference between two contracts.

    Attributes:
        path: Operation or part of the contract, and the path within it.
        kind: Key in rules.yaml.
        severity: Programs that it breaks, if any.
        sentence: Description, without the operation.
        subject: Name of what differs, for a changelog.
        before: Old value; None if there is none to show.
        after: New value; None if there is none to show.
    """

    path: str
    kind: str
    severity: Severity
    sentence: str
    subject: str
    before: Any = None
    after: Any = None

    def as_json(self) -> dict[str, Any]:
        """Return the difference as a JSON object; its keys are stable."""
        return {
            "path": self.path,
            "kind": self.kind,
            "class": self.severity.value,
            "sentence": self.sentence,
            "subject": self.subject,
            "before": self.before,
            "after": self.after,
        }

    @property
    def order(self) -> tuple[str, ...]:
        """Sort key of reports within a severity."""
        return self.path, self.kind, self.sentence


@cache
def rules() -> dict[str, dict[str, tuple[Severity, str]]]:
    """Read rules.yaml: severity and sentence by kind, then by side."""
    return {
        kind: {side: (Severity[name.upper()], sentence) for side, (name, sentence) in sides.items()}
        for kind, sides in spec.load(paths.GENERATOR / "drift" / "rules.yaml").items()
    }


def difference(
    kind: str,
    place: Place,
    before: Any = None,
    after: Any = None,
    *,
    side: Side | None = None,
    name: str = "",
    subject: str = "",
    keyword: str = "",
) -> Difference:
    """Return a difference of a kind, with the severity and sentence of rules.yaml.

    Args:
        kind: Key in rules.yaml.
        place: Place of the difference.
        before: Old value.
        after: New value.
        side: Side of the place, if the severity of the kind depends on it.
        name: Name in the sentence; by default that of the place.
        subject: Name of what differs, for a changelog; by default that of the innermost field.
        keyword: Keyword of a limit that differs.
    """
    sides = rules()[kind]
    severity, sentence = sides["anywhere"] if "anywhere" in sides else sides[side or "request"]
    subject = subject or _last(place)
    text = sentence.format(
        name=name or place.name,
        subject=subject,
        before=format_value(before),
        after=format_value(after),
        keyword=keyword,
    )
    return Difference(str(place), kind, severity, text, subject, before, after)


def by_severity(differences: Iterable[Difference]) -> list[Difference]:
    """Sort differences by severity, and within one by place."""
    order = list(Severity)
    return sorted(differences, key=lambda item: (order.index(item.severity), item.order))


def format_value(value: Any) -> str:
    """Return a value as shown in sentences."""
    if value is None:
        return ABSENT
    if isinstance(value, list):
        return ", ".join(map(format_value, value)) or ABSENT
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = text.replace("\n", "\\n")  # sentences are lines
    return text if len(text) <= MAX_CHARACTERS else f"{text[: MAX_CHARACTERS - 1]}…"


def _last(place: Place) -> str:
    """Return the name of the innermost field of a place, or of its owner."""
    names = [part.partition("<")[0].rstrip("[]*") for part in place.inner.split(".")]
    return next((name for name in reversed(names) if name), place.owner)
