"""A docstring of the standard library."""

import inspect
import re
from dataclasses import dataclass
from itertools import dropwhile, takewhile

SHORTEST = 20
"""Docstrings of fewer characters ("Return self.") say too little to be found by."""

COMMON = {"all", "and", "are", "can", "for", "from", "how", "its", "that", "the", "this", "with"}
"""Words that say nothing about what a line is about."""

CALL_FORM = re.compile(r"[\w.]+\(.*\) --?> [\w ]{1,20}")
"""As in `S.find(sub[, start[, end]]) -> int`."""


@dataclass(frozen=True, slots=True)
class Docstring:
    """A module, class or function, with its docstring."""

    name: str
    """As one writes it after an import: `gzip.open`, `str.split`."""
    signature: str
    """`(filename, mode='rb')`; empty for a module, or where there is none to know."""
    doc: str
    """The docstring, its indentation taken off."""
    file: str = ""
    """The source file, from the library's folder; empty where there is none, as for C."""
    line: int = 0
    """The line of that file at which the docstring begins."""

    @property
    def text(self) -> str:
        """The text that is embedded: name, signature, docstring."""
        return f"{self.name}{self.signature}\n\n{self.doc}"

    @property
    def summary(self) -> str:
        """The first paragraph as one line, without the signatures that C docstrings start with."""
        return " ".join(takewhile(bool, self._told()))

    def matching(self, question: str) -> str:
        """Return the first of the lines that share most words with a question."""
        asked = _stems(question)
        return max(self._told(), key=lambda line: len(asked & _stems(line)))

    def _told(self) -> list[str]:
        lines = [line.strip() for line in self.doc.splitlines()]
        return list(dropwhile(lambda line: not line or CALL_FORM.fullmatch(line), lines)) or lines


def _stems(text: str) -> set[str]:
    """Return words cut to five letters, so that `compress` matches `compressed`; no short ones."""
    return {word[:5] for word in re.findall(r"[a-z0-9]{3,}", text.lower())} - COMMON


def clean(doc: object) -> str:
    """Return a `__doc__` without indentation; empty if it is too short to be searched."""
    text = inspect.cleandoc(doc).strip() if isinstance(doc, str) else ""
    return text if len(text) >= SHORTEST else ""


def is_public(name: str) -> bool:
    """Return whether no part of a dotted name is private; `genericpath` counts as `os.path`."""
    return not any(part.startswith("_") or part == "genericpath" for part in name.split("."))
