"""Code that type-checked with the last release, checked with this one."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from .news import Level, News

FOLDER = Path("tests", "typing")
# What is to be refused may be accepted in a later version, so an ignore without need is fine.
CHECKERS: tuple[tuple[str, ...], ...] = (
    ("mypy", "--no-warn-unused-ignores", "--no-error-summary", "--hide-error-context"),
    ("pyright",),
)


def check_usage(
    root: Path, old: Path, checkers: Sequence[tuple[str, ...]] = CHECKERS
) -> Iterator[News]:
    """What type checkers refuse of the code that they accepted.

    Args:
        root: The tree with the code of today, and the checkers' settings.
        old: The tree of the last release, with typical code of users.
        checkers: Modules with their options.
    """
    files = sorted(old.joinpath(FOLDER).glob("*.py"))
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
            yield News(
                FOLDER.as_posix(),
                Level.MAJOR,
                None,
                f"{name} reports errors in code that the last release accepted:\n{said}",
            )
