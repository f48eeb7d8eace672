"""`python -m generator.drift OLD [NEW]`, and its commands `upstream` and `live`."""

import argparse
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import NoReturn

from .. import paths
from ..live import command as live
from ..spec import GenerationError
from . import upstream
from .contracts import compare
from .form import well_formed
from .loading import load
from .reports import FAILED, FORMATS, status


class Parser(argparse.ArgumentParser):
    """A parser whose status for wrong arguments is not that of a breaking difference."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and leave."""
        self.print_usage(sys.stderr)
        self.exit(FAILED, f"{self.prog}: {message}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare, print, and return the exit status: 0 the same, 1 harmless, 2 breaking, 3 failed."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    command = COMMANDS.get(given[0], _two) if given else _two
    parser = Parser(prog="python -m generator.drift")
    parser.add_argument("--format", choices=FORMATS, default="text", help="how to show it")
    try:
        return command(parser, given[1:] if command is not _two else given)
    except GenerationError as error:
        print(error, file=sys.stderr)
        return FAILED
    except Exception:  # noqa: BLE001  # Python's own status is that of a harmless difference
        traceback.print_exc()
        return FAILED


def _two(parser: argparse.ArgumentParser, given: Sequence[str]) -> int:
    """Compare two contracts."""
    place = "a file, a folder, an address, a git revision, or REV:path"
    parser.description = "Compare two contracts by meaning."
    parser.epilog = (
        f"Other comparisons, each with --help: {', '.join(COMMANDS)}. Status: 0 no difference, "
        "1 additive or documentation only, 2 breaking, 3 it could not compare."
    )
    parser.add_argument("old", help=place)
    parser.add_argument(
        "new", nargs="?", default=str(paths.SPEC), help=f"{place}; spec/ by default"
    )
    chosen = parser.parse_args(given)
    old, new = load(chosen.old), load(chosen.new)
    with well_formed(old, new):
        differences = compare(old, new)
    print(FORMATS[chosen.format](old.name, new.name, differences))
    return status(differences)


COMMANDS: dict[str, Callable[[argparse.ArgumentParser, Sequence[str]], int]] = {
    "live": live.run,
    "upstream": upstream.run,
}


if __name__ == "__main__":
    sys.exit(main())
