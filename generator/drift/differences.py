"""A difference, and what it means by the table in rules.yaml."""

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
    """Severity of a difference by the code that it breaks, the gravest first."""

    SENDERS = "breaking for senders"
    READERS = "breaking for readers"
    ADDITIVE = "additive"
    DOCUMENTATION = "documentation"

    @property
    def is_breaking(self) -> bool:
        """Return whether programs have to change."""
        return self in (Severity.SENDERS, Severity.READERS)


@frozen
class Place:
    """A place in the contract.

    Attributes:
        owner: The operation, or the part of the contract.
        side: What of it: `request`, `response.200`, `query`.
        inner: The way within it, such as `data[].embedding`.
    """

    owner: str
    side: str = ""
    inner: str = ""

    def __str__(self) -> str:
        within = ".".join(part for part in (self.side, self.inner) if part)
        return f"{self.owner}: {within}" if within else self.owner

    def field(self, name: str) -> "Place":
        """Return the place of one of its fields."""
        return Place(self.owner, self.side, f"{self.inner}.{name}" if self.inner else name)

    def part(self, suffix: str) -> "Place":
        """Return the place of one of its parts, such as `[]` for its items."""
        return Place(self.owner, self.side, f"{self.inner}{suffix}")

    @property
    def name(self) -> str:
        """Return what a sentence calls it."""
        if self.inner:
            return f"`{self.inner}`"
        return "the body" if self.side else self.owner


@frozen
class Difference:
    """A difference between two contracts, and what it means.

    Attributes:
        path: Where: an operation or a part of the contract, and the way within it.
        kind: A key of rules.yaml.
        severity: Whom it concerns.
        sentence: What it is, without the operation.
        subject: The word that names it in a changelog.
        before: What stood there; None if that says nothing.
        after: What stands there now.
    """

    path: str
    kind: str
    severity: Severity
    sentence: str
    subject: str
    before: Any = None
    after: Any = None

    def as_json(self) -> dict[str, Any]:
        """Return the stable form: these keys, and values that JSON has."""
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
        """Return what reports are sorted by within a severity."""
        return self.path, self.kind, self.sentence


@cache
def rules() -> dict[str, dict[str, tuple[Severity, str]]]:
    """Read rules.yaml: kind, then side, to severity and sentence."""
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
    """Make a difference of a kind, with its severity and sentence.

    Args:
        kind: A key of rules.yaml.
        place: Where it is.
        before: What stood there.
        after: What stands there now.
        side: Whether the place is sent or answered, where the kind depends on it.
        name: What the sentence calls it; the place's name by default.
        subject: The word that names it in a changelog; the last field's name by default.
        keyword: The limit that differs.
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
    gravity = list(Severity)
    return sorted(differences, key=lambda item: (gravity.index(item.severity), item.order))


def format_value(value: Any) -> str:
    """Return a value as sentences show it."""
    if value is None:
        return ABSENT
    if isinstance(value, list):
        return ", ".join(map(format_value, value)) or ABSENT
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = text.replace("\n", "\\n")  # sentences are lines
    return text if len(text) <= MAX_CHARACTERS else f"{text[: MAX_CHARACTERS - 1]}…"


def _last(place: Place) -> str:
    """Return the name of the innermost field, or of what holds it."""
    names = [part.partition("<")[0].rstrip("[]*") for part in place.inner.split(".")]
    return next((name for name in reversed(names) if name), place.owner)
