"""Format a verdict as text, as Markdown for a pull request, or as JSON."""

import json
from collections.abc import Callable

from .changes import Change, Level
from .verdict import Verdict

VERSION = 2
COVERED = "The version and the changelog cover all changes."
NAMES = {
    Level.MAJOR: "programs have to change",
    Level.MINOR: "something is new",
    Level.PATCH: "users need not do anything",
    Level.NONE: "nothing has changed",
}


def as_text(verdict: Verdict) -> str:
    """Return text for a terminal."""
    lines = [_summary(verdict)]
    for level, sentences in _by_level(verdict):
        lines += ["", f"{NAMES[level]} ({len(sentences)})"]
        lines += [f"  {sentence}" for sentence in sentences]
    lines += ["", *(verdict.problems or [COVERED])]
    if verdict.problems:
        lines += ["", "A draft of the changelog's section:", "", verdict.draft]
    return "\n".join(lines)


def as_markdown(verdict: Verdict) -> str:
    """Return Markdown for a pull request."""
    lines = [f"## Changes since `{verdict.base}`", "", f"{_summary(verdict)}."]
    lines += ["", *([f"- {problem}" for problem in verdict.problems] or [COVERED])]
    for level, sentences in _by_level(verdict):
        title = f"{NAMES[level][:1].upper()}{NAMES[level][1:]} ({len(sentences)})"
        lines += ["", f"<details><summary>{title}</summary>", ""]
        lines += [f"- {sentence}" for sentence in sentences]
        lines += ["", "</details>"]
    lines += ["", "A draft of the changelog's section:", "", "```markdown", verdict.draft, "```"]
    return "\n".join(lines)


def as_json(verdict: Verdict) -> str:
    """Return JSON; a renamed key means a new `version`."""
    report = {
        "version": VERSION,
        "base": verdict.base,
        "released": str(verdict.released),
        "now": str(verdict.now),
        "level": verdict.level.name.lower(),
        "minimum": str(verdict.minimum),
        "problems": verdict.problems,
        "changes": [
            {
                "path": item.path,
                "level": item.level.name.lower(),
                "heading": item.heading,
                "sentence": item.sentence,
                "subject": item.subject,
            }
            for item in verdict.changes
        ],
        "draft": verdict.draft,
    }
    return json.dumps(report, indent=2, ensure_ascii=False)


def as_draft(verdict: Verdict) -> str:
    """Return only the draft of the changelog's section."""
    return verdict.draft


FORMATS: dict[str, Callable[[Verdict], str]] = {
    "text": as_text,
    "markdown": as_markdown,
    "json": as_json,
    "draft": as_draft,
}


def _summary(verdict: Verdict) -> str:
    return (
        f"{verdict.released} -> {verdict.now}: {NAMES[verdict.level]}, "
        f"the version must be at least {verdict.minimum}"
    )


def _by_level(verdict: Verdict) -> list[tuple[Level, list[str]]]:
    grouped: dict[Level, dict[str, None]] = {}
    for item in verdict.changes:
        grouped.setdefault(item.level, {})[_line(item)] = None
    return [(level, list(lines)) for level, lines in grouped.items()]


def _line(item: Change) -> str:
    sentence = item.sentence.replace("\n", "\n    ")
    return sentence if item.path in sentence else f"{item.path}: {sentence}"
