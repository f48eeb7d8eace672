"""The texts to search: every public docstring of the running Python's standard library."""

import sysconfig
from itertools import chain
from pathlib import Path

from corpus import inspected, parsed
from corpus.docstring import Docstring


def harvest() -> list[Docstring]:
    """Return every public docstring once, sorted by name.

    Of two things of one name, the one with source is kept (its text is the fuller). Of two with
    one docstring, the one with the shorter name is kept: `random.randint`, a bound method of a
    hidden instance, rather than `random.Random.randint`.
    """
    library = Path(sysconfig.get_path("stdlib"))
    by_name: dict[str, Docstring] = {}
    for found in chain(parsed.docstrings(library), inspected.docstrings()):
        by_name.setdefault(found.name, found)
    by_doc: dict[str, Docstring] = {}
    for found in sorted(by_name.values(), key=_prominence):
        by_doc.setdefault(found.doc, found)
    return sorted(by_doc.values(), key=lambda found: found.name)


def _prominence(found: Docstring) -> tuple[int, int, str]:
    return found.name.count("."), len(found.name), found.name
