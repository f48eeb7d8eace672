"""Differences that a live host shows, classified by rules.yaml here and in drift/."""

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
    """Make a difference of a kind, with its severity and sentence.

    Args:
        kind: A key of rules.yaml, here or beside the comparison of documents.
        place: Where it is.
        before: What the contract or the catalogue has; None if that says nothing.
        after: What the host has.
        name: What the sentence calls it; the place's name by default.
        subject: The word that names it in a changelog.
        keyword: The limit that differs.
        words: What the host says.
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
    """Make a difference from what the catalogue has about a model."""
    place = Place(CATALOGUE, "", f"models.{model}.{fact}")
    named = name or f"`{fact}` of {model}"
    return live_difference(kind, place, before, after, name=named, subject=model)


def truncated(text: str) -> str:
    """Return a text, cut to the length that reports quote."""
    return text if len(text) <= MAX_CHARACTERS else f"{text[: MAX_CHARACTERS - 1]}…"


@cache
def rules() -> dict[str, tuple[Severity, str]]:
    """Read rules.yaml: kind to severity and sentence."""
    return {
        kind: (Severity[severity.upper()], sentence)
        for kind, (severity, sentence) in spec.load(
            paths.GENERATOR / "drift" / "live" / "rules.yaml"
        ).items()
    }
