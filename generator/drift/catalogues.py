"""Compare two catalogues of models, by the table in catalogue.yaml."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from .. import paths, spec
from .differences import Difference, Place, difference

CATALOGUE = "catalogue"
UNKNOWN = "unknown"


def compare_catalogues(old: spec.Document, new: spec.Document) -> Iterator[Difference]:
    """Yield removed and new models, and changed facts."""
    models = old.get("models", {}), new.get("models", {})
    for name in sorted(models[0].keys() ^ models[1].keys()):
        kind = "model-added" if name in models[1] else "model-removed"
        yield difference(kind, Place(CATALOGUE, "", f"models.{name}"), name=name, subject=name)
    shared = models[0].keys() & models[1].keys()
    before, after = _flatten(old, shared), _flatten(new, shared)
    for keys in sorted(before.keys() | after.keys()):
        was, now = before.get(keys), after.get(keys)
        if was != now:
            yield from _fact(keys, was, now)


def _flatten(node: Any, models: set[str], keys: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    """Return every value by its path of keys, for these models only."""
    if not isinstance(node, dict):
        return {keys: node}
    found: dict[tuple[str, ...], Any] = {}
    for key, value in node.items():
        if keys != ("models",) or key in models:
            found |= _flatten(value, models, (*keys, key))
    return found


def _fact(keys: tuple[str, ...], was: Any, now: Any) -> Iterator[Difference]:
    path = ".".join(keys)
    treatment = next(value for pattern, value in treatments() if pattern.fullmatch(path))
    if treatment == "ignored":
        return
    is_of_a_model = keys[0] == "models"
    name = f"`{'.'.join(keys[2:])}` of {keys[1]}" if is_of_a_model else f"`{path}`"
    subject = keys[1] if is_of_a_model else keys[-1]
    place = Place(CATALOGUE, "", path)
    if treatment == "options" and isinstance(was, list) and isinstance(now, list):
        for option in was:
            if option not in now:
                yield difference("option-removed", place, option, None, name=name, subject=subject)
        for option in now:
            if option not in was:
                yield difference("option-added", place, None, option, name=name, subject=subject)
    else:
        yield difference(_kind(treatment, was, now), place, was, now, name=name, subject=subject)


def _kind(treatment: str, was: Any, now: Any) -> str:
    if treatment == "lifecycle" and now in ("retired", "deprecated"):
        return f"model-{now}"
    if UNKNOWN in (was, now) or treatment in ("fact", "lifecycle"):
        return "fact-changed"  # not the API has changed, only what is known of it
    if was is None or now is None:
        return _stated(treatment, now)
    if treatment in ("limit", "floor"):
        return "limit-raised" if (now > was) == (treatment == "limit") else "limit-lowered"
    return f"{treatment}-changed"


def _stated(treatment: str, now: Any) -> str:
    if treatment in ("limit", "floor"):
        return "limit-raised" if now is None else "limit-lowered"
    return "entry-removed" if now is None else "entry-added"


@cache
def treatments() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Read catalogue.yaml: pairs of a pattern of field names, and their treatment."""
    table = spec.load(paths.GENERATOR / "drift" / "catalogue.yaml")
    return tuple(
        (re.compile(re.escape(pattern).replace(r"\*", ".*")), treatment)
        for pattern, treatment in table.items()
    )
