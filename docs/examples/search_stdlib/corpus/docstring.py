"""One documented thing of the standard library."""

import inspect
import re
from dataclasses import dataclass
from itertools import dropwhile, takewhile

SHORTEST = 20
"""Docstrings of fewer characters ("Return self.") say too little to be found by."""

CALL_FORM = re.compile(r"[\w.]+\(.*\) --?> [\w ]{1,20}")
"""As in `S.find(sub[, start[, end]]) -> int`."""


@dataclass(frozen=True, slots=True)
class Docstring:
    """A module, class or function with what is written about it."""

    name: str
    """As one writes it after an import: `gzip.open`, `str.split`."""
    signature: str
    """`(filename, mode='rb')`; empty for a module, or where there is none to know."""
    doc: str
    """The docstring, its indentation taken off."""

    @property
    def text(self) -> str:
        """What is embedded: name, signature, docstring."""
        return f"{self.name}{self.signature}\n\n{self.doc}"

    @property
    def summary(self) -> str:
        """The first paragraph in one line, without the call forms that C docstrings begin with."""
        lines = [line.strip() for line in self.doc.splitlines()]
        told = list(dropwhile(lambda line: not line or CALL_FORM.fullmatch(line), lines)) or lines
        return " ".join(takewhile(bool, told))


def clean(doc: object) -> str:
    """Return a `__doc__` without its indentation, or nothing where it is too short to search."""
    text = inspect.cleandoc(doc).strip() if isinstance(doc, str) else ""
    return text if len(text) >= SHORTEST else ""


def is_public(name: str) -> bool:
    """Whether no part of a dotted name is private. `genericpath` counts as that of `os.path`."""
    return not any(part.startswith("_") or part == "genericpath" for part in name.split("."))
