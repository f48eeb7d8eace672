"""Format differences as text, as Markdown for a pull request, or as JSON."""

import json
from collections.abc import Callable, Iterable
from itertools import groupby

from .differences import Difference, Severity

VERSION = 1
FAILED = 3
NO_DIFFERENCE = "No difference in meaning."
MAX_PATHS = 3
ANY = "any"
FAIL_ON: dict[str, set[Severity]] = {
    "breaking": {Severity.SENDERS, Severity.READERS},
    "additive": {Severity.SENDERS, Severity.READERS, Severity.ADDITIVE},
    ANY: {*Severity},
}
"""Values of `--fail-on`, and the classes of differences that fail the command."""


def status(differences: Iterable[Difference], fail_on: str | None) -> int:
    """Return the exit status for these differences.

    Args:
        differences: The differences.
        fail_on: Key of `FAIL_ON`; None if no difference fails the command.

    Returns:
        2 if a difference that breaks programs fails the command, 1 if only others do, else 0.
    """
    failing = FAIL_ON[fail_on] if fail_on else set()
    changes = (item.severity for item in differences if item.severity in failing)
    return max((2 if severity.is_breaking else 1 for severity in changes), default=0)


def as_json(old: str, new: str, differences: list[Difference]) -> str:
    """Return JSON; a renamed key means a new `version`."""
    report = {
        "version": VERSION,
        "old": old,
        "new": new,
        "summary": {severity.value: _count(differences, severity) for severity in Severity},
        "differences": [item.as_json() for item in differences],
    }
    return json.dumps(report, indent=2, ensure_ascii=False)


def as_text(old: str, new: str, differences: list[Difference], same: str = NO_DIFFERENCE) -> str:
    """Return text for a terminal, with one line for differences that several places share."""
    lines = [f"{old} -> {new}"]
    if not differences:
        return "\n".join([*lines, same])
    for severity, items in _by_severity(differences):
        lines += ["", f"{severity.value} ({len(items)})"]
        lines += [f"  {shortened(paths)}: {sentence}" for sentence, paths in _grouped(items)]
    return "\n".join(lines)


def as_markdown(
    old: str, new: str, differences: list[Difference], same: str = NO_DIFFERENCE
) -> str:
    """Return Markdown for a pull request, with differences in documentation collapsed."""
    lines = [f"## Drift from `{old}` to `{new}`", ""]
    if not differences:
        return "\n".join([*lines, same])
    counts = ((_count(differences, severity), severity) for severity in Severity)
    lines.append(
        ", ".join(f"{count} {severity.value}" for count, severity in counts if count) + "."
    )
    for severity, items in _by_severity(differences):
        table = ["| where | what |", "|---|---|"]
        table += [
            f"| {escaped(shortened(paths))} | {escaped(_sentence(sentence))} |"
            for sentence, paths in _grouped(items)
        ]
        title = f"{_sentence(severity.value)[:-1]} ({len(items)})"
        if severity is Severity.DOCUMENTATION:
            lines += ["", f"<details><summary>{title}</summary>", "", *table, "", "</details>"]
        else:
            lines += ["", f"### {title}", "", *table]
    return "\n".join(lines)


FORMATS: dict[str, Callable[[str, str, list[Difference]], str]] = {
    "text": as_text,
    "markdown": as_markdown,
    "json": as_json,
}


def _count(differences: list[Difference], severity: Severity) -> int:
    return sum(item.severity is severity for item in differences)


def _by_severity(differences: list[Difference]) -> list[tuple[Severity, list[Difference]]]:
    grouped = groupby(differences, key=lambda item: item.severity)
    return [(severity, list(items)) for severity, items in grouped]


def _grouped(items: list[Difference]) -> list[tuple[str, list[str]]]:
    """Return each sentence with all its places."""
    found: dict[tuple[str, str], list[str]] = {}
    for item in items:
        found.setdefault((item.kind, item.sentence), []).append(item.path)
    return [(sentence, paths) for (_, sentence), paths in found.items()]


def shortened(places: list[str]) -> str:
    """Return the first places, and the number of the others."""
    if len(places) <= MAX_PATHS:
        return "; ".join(places)
    return f"{'; '.join(places[:MAX_PATHS])} and {len(places) - MAX_PATHS} more"


def escaped(text: str) -> str:
    """Escape a text for a cell of a Markdown table."""
    return text.replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
