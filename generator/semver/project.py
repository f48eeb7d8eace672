"""Compare pyproject.toml, and type-check the code that the last release accepted."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from .changes import Change, Level

OFFERED = {"optional-dependencies": "the extra", "scripts": "the command"}
FILE = "pyproject.toml"
TYPED = Path("tests", "typing")  # typical code of users
# A later version may accept what an `ignore` in that code covers, so an unused one is fine.
CHECKERS: tuple[tuple[str, ...], ...] = (
    ("mypy", "--no-warn-unused-ignores", "--no-error-summary", "--hide-error-context"),
    ("pyright",),
)


def project(root: Path) -> dict[str, Any]:
    """Return the table `project` of a tree's pyproject.toml: dependencies, extras, interpreters."""
    text = root.joinpath(FILE).read_text(encoding="utf-8")
    table: dict[str, Any] = tomllib.loads(text)["project"]
    return table


def compare_projects(old: Path, new: Path) -> Iterator[Change]:
    """Yield extras, commands and interpreters that are gone or new.

    Args:
        old: The tree as it was.
        new: The tree as it is.
    """
    before, after = project(old), project(new)
    for table, word in OFFERED.items():
        was, now = before.get(table, {}).keys(), after.get(table, {}).keys()
        for name in sorted(was - now):
            yield Change(FILE, Level.MAJOR, "Removed", f"{word} `{name}` is gone", name)
        for name in sorted(now - was):
            yield Change(FILE, Level.MINOR, "Added", f"{word} `{name}` is new", name)
    stood, stands = (str(side.get("requires-python", "any")) for side in (before, after))
    if stood != stands:
        # Users of another interpreter go on getting the last version for it.
        number = re.search(r"\d+(?:\.\d+)*", stands)
        sentence = f"the supported Python versions changed from {stood} to {stands}"
        yield Change(FILE, Level.MINOR, "Changed", sentence, number[0] if number else None)


def check_usage(
    root: Path, old: Path, checkers: Sequence[tuple[str, ...]] = CHECKERS
) -> Iterator[Change]:
    """Yield a change for each type checker that reports errors in the last release's typical code.

    Args:
        root: The tree as it is, with the checkers' settings.
        old: The tree of the last release.
        checkers: Modules to run, with their options.
    """
    files = sorted(old.joinpath(TYPED).glob("*.py"))
    for name, *options in checkers if files else ():
        done = subprocess.run(
            [sys.executable, "-m", name, *options, *map(str, files)],
            cwd=root,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            said = (done.stdout + done.stderr).replace(f"{old}/", "").strip()
            yield Change(
                TYPED.as_posix(),
                Level.MAJOR,
                None,
                f"{name} reports errors in code that the last release accepted:\n{said}",
            )
