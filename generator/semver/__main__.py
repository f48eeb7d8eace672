"""`python -m generator.semver [BASE]`: check the version and the changelog."""

import argparse
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from .. import paths
from ..commands import ReleaseError
from ..drift.reports import FAILED
from ..spec import GenerationError
from .last_release import last_release
from .project import CHECKERS
from .reports import FORMATS
from .verdict import verdict


def main(
    arguments: Sequence[str] | None = None,
    root: Path = paths.ROOT,
    checkers: Sequence[tuple[str, ...]] = CHECKERS,
) -> int:
    """Compare the tree with its last release, and print the verdict.

    Returns:
        The exit status: 0 if version and changelog cover all changes, 1 if not, 3 if the comparison
        failed.
    """
    parser = argparse.ArgumentParser(
        prog="python -m generator.semver",
        description="Check that version and changelog cover the changes since the last release.",
    )
    parser.add_argument("base", nargs="?", help="a git revision; the last release's tag by default")
    parser.add_argument("--format", choices=FORMATS, default="text", help="format of the report")
    chosen = parser.parse_args(arguments)
    try:
        revision = chosen.base or last_release(root)
        if revision is None:
            print("There is no earlier release to compare with, so there is nothing to check.")
            return 0
        found = verdict(root, revision, checkers)
    except (GenerationError, ReleaseError) as error:
        print(error, file=sys.stderr)
        return FAILED
    except Exception:  # noqa: BLE001  # Python's exit status 1 means a problem
        traceback.print_exc()
        return FAILED
    print(FORMATS[chosen.format](found))
    return 1 if found.problems else 0


if __name__ == "__main__":
    sys.exit(main())
