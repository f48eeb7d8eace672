"""Something that a live host does otherwise than the contract says."""

from functools import cache
from typing import Any

from .. import paths, spec
from ..drift.catalogues import CATALOGUE
from ..drift.differences import Change, Difference, Place, difference, spelled

MOST_CHARACTERS = 300


def found(
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
    """A difference of a kind, classified.

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
    change, sentence = rules()[kind]
    named = name or place.name
    said = sentence.format(
        name=named,
        before=spelled(before),
        after=spelled(after),
        words=bounded(" ".join(words.split())),
    )
    return Difference(str(place), kind, change, said, subject or named, before, after)


def of_catalogue(
    kind: str, model: str, fact: str, before: Any, after: Any, *, name: str = ""
) -> Difference:
    """A difference from what the catalogue has about a model."""
    place = Place(CATALOGUE, "", f"models.{model}.{fact}")
    named = name or f"`{fact}` of {model}"
    return found(kind, place, before, after, name=named, subject=model)


def bounded(text: str) -> str:
    """A text as reports quote it."""
    return text if len(text) <= MOST_CHARACTERS else f"{text[: MOST_CHARACTERS - 1]}…"


@cache
def rules() -> dict[str, tuple[Change, str]]:
    """The table: kind to class and sentence."""
    return {
        kind: (Change[change.upper()], sentence)
        for kind, (change, sentence) in spec.load(paths.GENERATOR / "live" / "rules.yaml").items()
    }
