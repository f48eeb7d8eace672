"""The texts to search: every public docstring of the running Python's standard library."""

import sysconfig
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

from corpus import inspected, parsed
from corpus.docstring import Docstring

LIBRARY = Path(sysconfig.get_path("stdlib"))


def files() -> list[Path]:
    """Return the files that are parsed."""
    return list(parsed.modules(LIBRARY).values())


def harvest(track: Callable[[Sequence[Any]], Iterable[Any]] = iter) -> list[Docstring]:
    """Return every public docstring once, sorted by name.

    If two objects have the same name, the one with source code is kept, as its text is more
    complete. If two have the same docstring, the one with the shorter name is kept:
    `random.randint`, a bound method of a hidden instance, rather than `random.Random.randint`.

    Args:
        track: Function that iterates over the files, and may show progress.
    """
    by_name: dict[str, Docstring] = {}
    for found in chain(parsed.docstrings(LIBRARY, track), inspected.docstrings()):
        by_name.setdefault(found.name, found)
    by_doc: dict[str, Docstring] = {}
    for found in sorted(by_name.values(), key=_prominence):
        kept = by_doc.setdefault(found.doc, found)
        if not kept.file:
            by_doc[found.doc] = replace(kept, file=found.file, line=found.line)
    return sorted(by_doc.values(), key=lambda found: found.name)


def place(found: Docstring, line: str) -> str:
    """Return the file and line number of a docstring; none if it is in C."""
    if not found.file:
        return "not in a Python source file"
    source = (LIBRARY / found.file).read_text(encoding="utf-8", errors="replace").splitlines()
    numbers = range(found.line, len(source) + 1)
    number = next((each for each in numbers if line in source[each - 1]), found.line)
    return f"{found.file}:{number}"


def _prominence(found: Docstring) -> tuple[int, int, str]:
    return found.name.count("."), len(found.name), found.name
