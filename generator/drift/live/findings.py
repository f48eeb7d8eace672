"""Differences of a live host, classified by rules.yaml here and in drift/."""

from functools import cache
from typing import Any

from ... import paths, spec
from ..catalogues import CATALOGUE
from ..differences import Difference, Place, Severity, difference, format_value

MAX_CHARACTERS = 300


def live_difference(
    kind: str,
    place: Place,
    before: Any = None,
    after: Any = None,
    *,
    name: str = "",
    subject: str = "",
    keyword: str = "",
    words: str = "",
) -> Difference:
    """Return a difference of a kind, with its severity and sentence.

    Args:
        kind: Key in rules.yaml, in this folder or in drift/.
        place: Place of the difference.
        before: Value of the contract or the catalogue; None if there is none to show.
        after: Value of the host.
        name: Name in the sentence; by default that of the place.
        subject: Name of what differs, for a changelog.
        keyword: Keyword of a limit that differs.
        words: Message of the host.
    """
    if kind not in rules():
        return difference(
            kind,
            place,
            before,
            after,
            side="request" if place.side == "request" else "response",
            name=name,
            subject=subject,
            keyword=keyword,
        )
    severity, sentence = rules()[kind]
    named = name or place.name
    text = sentence.format(
        name=named,
        before=format_value(before),
        after=format_value(after),
        words=truncated(" ".join(words.split())),
    )
    return Difference(str(place), kind, severity, text, subject or named, before, after)


def catalogue_difference(
    kind: str, model: str, fact: str, before: Any, after: Any, *, name: str = ""
) -> Difference:
    """Return a difference from the catalogue's entry of a model."""
    place = Place(CATALOGUE, "", f"models.{model}.{fact}")
    named = name or f"`{fact}` of {model}"
    return live_difference(kind, place, before, after, name=named, subject=model)


def truncated(text: str) -> str:
    """Return a text, truncated to `MAX_CHARACTERS`."""
    return text if len(text) <= MAX_CHARACTERS else f"{text[: MAX_CHARACTERS - 1]}…"


@cache
def rules() -> dict[str, tuple[Severity, str]]:
    """Read rules.yaml: severity and sentence by kind."""
    return {
        kind: (Severity[severity.upper()], sentence)
        for kind, (severity, sentence) in spec.load(
            paths.GENERATOR / "drift" / "live" / "rules.yaml"
        ).items()
    }
