"""`python -m generator.impact [BASE]`."""

import argparse
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from .. import paths
from ..drift.reports import FAILED
from ..release.tools import ReleaseError
from ..spec import GenerationError
from .base import last_release
from .judging import judge
from .reports import FORMATS
from .usage import CHECKERS


def main(
    arguments: Sequence[str] | None = None,
    root: Path = paths.ROOT,
    checkers: Sequence[tuple[str, ...]] = CHECKERS,
) -> int:
    """Compare, print, and return the exit status: 0 all is told, 1 something is not, 3 failed."""
    parser = argparse.ArgumentParser(
        prog="python -m generator.impact",
        description="Check that version and changelog cover what changed since the last release.",
    )
    parser.add_argument("base", nargs="?", help="a git revision; the last release's tag by default")
    parser.add_argument("--format", choices=FORMATS, default="text", help="how to show it")
    chosen = parser.parse_args(arguments)
    try:
        revision = chosen.base or last_release(root)
        if revision is None:
            print("There is no earlier release to compare with, so there is nothing to check.")
            return 0
        verdict = judge(root, revision, checkers)
    except (GenerationError, ReleaseError) as error:
        print(error, file=sys.stderr)
        return FAILED
    except Exception:  # noqa: BLE001  # Python's own status is that of something not told
        traceback.print_exc()
        return FAILED
    print(FORMATS[chosen.format](verdict))
    return 1 if verdict.problems else 0


if __name__ == "__main__":
    sys.exit(main())
