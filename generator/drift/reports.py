"""Showing differences: as text, as Markdown for a pull request, as JSON."""

import json
from collections.abc import Callable, Iterable
from itertools import groupby

from .differences import Change, Difference

VERSION = 1
FAILED = 3
SAME = "No difference in meaning."
FEW = 3
ANY = "any"
FAIL_ON: dict[str, set[Change]] = {
    "breaking": {Change.SENDERS, Change.READERS},
    "additive": {Change.SENDERS, Change.READERS, Change.ADDITIVE},
    ANY: {*Change},
}
"""Values of `--fail-on`, and the classes of differences that fail the command."""


def status(differences: Iterable[Difference], fail_on: str | None) -> int:
    """The exit status for these differences.

    Args:
        differences: What was found.
        fail_on: A key of `FAIL_ON`; None if no difference fails the command.

    Returns:
        2 if a difference that breaks programs fails the command, 1 if only others do, else 0.
    """
    failing = FAIL_ON[fail_on] if fail_on else set()
    changes = (item.change for item in differences if item.change in failing)
    return max((2 if change.is_breaking else 1 for change in changes), default=0)


def as_json(old: str, new: str, differences: list[Difference]) -> str:
    """The stable form: keys are never renamed without a new `version`."""
    report = {
        "version": VERSION,
        "old": old,
        "new": new,
        "summary": {change.value: _count(differences, change) for change in Change},
        "differences": [item.as_json() for item in differences],
    }
    return json.dumps(report, indent=2, ensure_ascii=False)


def as_text(old: str, new: str, differences: list[Difference], same: str = SAME) -> str:
    """For a terminal: a line per difference, those that many operations share in one."""
    lines = [f"{old} -> {new}"]
    if not differences:
        return "\n".join([*lines, same])
    for change, items in _by_change(differences):
        lines += ["", f"{change.value} ({len(items)})"]
        lines += [f"  {few(paths)}: {sentence}" for sentence, paths in _grouped(items)]
    return "\n".join(lines)


def as_markdown(old: str, new: str, differences: list[Difference], same: str = SAME) -> str:
    """For a pull request: what breaks in full, words folded away."""
    lines = [f"## Drift from `{old}` to `{new}`", ""]
    if not differences:
        return "\n".join([*lines, same])
    counts = ((_count(differences, change), change) for change in Change)
    lines.append(", ".join(f"{count} {change.value}" for count, change in counts if count) + ".")
    for change, items in _by_change(differences):
        table = ["| where | what |", "|---|---|"]
        table += [
            f"| {escaped(few(paths))} | {escaped(_sentence(sentence))} |"
            for sentence, paths in _grouped(items)
        ]
        title = f"{_sentence(change.value)[:-1]} ({len(items)})"
        if change is Change.DOCUMENTATION:
            lines += ["", f"<details><summary>{title}</summary>", "", *table, "", "</details>"]
        else:
            lines += ["", f"### {title}", "", *table]
    return "\n".join(lines)


FORMATS: dict[str, Callable[[str, str, list[Difference]], str]] = {
    "text": as_text,
    "markdown": as_markdown,
    "json": as_json,
}


def _count(differences: list[Difference], change: Change) -> int:
    return sum(item.change is change for item in differences)


def _by_change(differences: list[Difference]) -> list[tuple[Change, list[Difference]]]:
    grouped = groupby(differences, key=lambda item: item.change)
    return [(change, list(items)) for change, items in grouped]


def _grouped(items: list[Difference]) -> list[tuple[str, list[str]]]:
    """Sentences with all the places where they hold."""
    found: dict[tuple[str, str], list[str]] = {}
    for item in items:
        found.setdefault((item.kind, item.sentence), []).append(item.path)
    return [(sentence, paths) for (_, sentence), paths in found.items()]


def few(places: list[str]) -> str:
    """The first of them, and how many more there are."""
    if len(places) <= FEW:
        return "; ".join(places)
    return f"{'; '.join(places[:FEW])} and {len(places) - FEW} more"


def escaped(text: str) -> str:
    """A text as a cell of a table holds it."""
    return text.replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
