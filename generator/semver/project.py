"""Compare pyproject.toml, and type-check typical user code of the last release."""

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
# Unused `ignore` comments are fine, as a later version may have better types.
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
    """Yield removed and new extras, commands and interpreters.

    Args:
        old: Tree of the old version.
        new: Tree of the new version.
    """
    before, after = project(old), project(new)
    for table, word in OFFERED.items():
        old_names, new_names = before.get(table, {}).keys(), after.get(table, {}).keys()
        for name in sorted(old_names - new_names):
            yield Change(FILE, Level.MAJOR, "Removed", f"{word} `{name}` is gone", name)
        for name in sorted(new_names - old_names):
            yield Change(FILE, Level.MINOR, "Added", f"{word} `{name}` is new", name)
    was, now = (str(side.get("requires-python", "any")) for side in (before, after))
    if was != now:
        # Users of a dropped interpreter still get the last version for it.
        number = re.search(r"\d+(?:\.\d+)*", now)
        sentence = f"the supported Python versions changed from {was} to {now}"
        yield Change(FILE, Level.MINOR, "Changed", sentence, number[0] if number else None)


def check_usage(
    root: Path, old: Path, checkers: Sequence[tuple[str, ...]] = CHECKERS
) -> Iterator[Change]:
    """Yield a change for each type checker that reports errors in the last release's typical code.

    Args:
        root: Current tree, with the settings of the checkers.
        old: Tree of the last release.
        checkers: Names of modules to run, with their options.
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
            output = (done.stdout + done.stderr).replace(f"{old}/", "").strip()
            yield Change(
                TYPED.as_posix(),
                Level.MAJOR,
                None,
                f"{name} reports errors in code that the last release accepted:\n{output}",
            )
