"""What the package offers beside its code: extras, commands, interpreters."""

import re
from collections.abc import Iterator
from pathlib import Path

from .base import project
from .news import Level, News

OFFERED = {"optional-dependencies": "the extra", "scripts": "the command"}
FILE = "pyproject.toml"


def compare_projects(old: Path, new: Path) -> Iterator[News]:
    """What is gone and what is new of it.

    Args:
        old: The tree as it was.
        new: The tree as it is.
    """
    before, after = project(old), project(new)
    for table, word in OFFERED.items():
        was, now = before.get(table, {}).keys(), after.get(table, {}).keys()
        for name in sorted(was - now):
            yield News(FILE, Level.MAJOR, "Removed", f"{word} `{name}` is gone", name)
        for name in sorted(now - was):
            yield News(FILE, Level.MINOR, "Added", f"{word} `{name}` is new", name)
    stood, stands = (str(side.get("requires-python", "any")) for side in (before, after))
    if stood != stands:
        # Whoever has another interpreter goes on to get the last version for it.
        number = re.search(r"\d+(?:\.\d+)*", stands)
        sentence = f"the supported Python versions changed from {stood} to {stands}"
        yield News(FILE, Level.MINOR, "Changed", sentence, number[0] if number else None)
