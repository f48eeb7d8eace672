"""`python -m generator.drift OLD [NEW]`, and its commands `upstream` and `live`."""

import argparse
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import NoReturn

from .. import paths
from ..spec import GenerationError
from . import upstream
from .contracts import compare
from .live import command as live
from .loading import explain_malformed, load
from .reports import FAIL_ON, FAILED, FORMATS, status


class Parser(argparse.ArgumentParser):
    """A parser that exits with `FAILED` for wrong arguments, as 2 means a breaking difference."""

    def error(self, message: str) -> NoReturn:
        """Print the error, and exit."""
        self.print_usage(sys.stderr)
        self.exit(FAILED, f"{self.prog}: {message}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare, and print the report.

    Returns:
        The exit status: 0 if no difference fails the command by `--fail-on`, 2 if a breaking one
        does, 1 if only others do, 3 if the comparison failed.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    command = COMMANDS.get(given[0], _two) if given else _two
    parser = Parser(prog="python -m generator.drift")
    parser.add_argument("--format", choices=FORMATS, default="text", help="format of the report")
    parser.add_argument(
        "--fail-on",
        choices=FAIL_ON,
        help="exit with 1 or 2 for differences of this class or a more severe one; by default a "
        "successful comparison exits with 0",
    )
    try:
        return command(parser, given[1:] if command is not _two else given)
    except GenerationError as error:
        print(error, file=sys.stderr)
        return FAILED
    except Exception:  # noqa: BLE001  # Python's exit status 1 means an additive difference
        traceback.print_exc()
        return FAILED


def _two(parser: argparse.ArgumentParser, given: Sequence[str]) -> int:
    """Compare two contracts."""
    place = "a file, a folder, a URL, a git revision, or REV:path"
    parser.description = "Compare two contracts by meaning."
    parser.epilog = (
        f"Other comparisons, each with --help: {', '.join(COMMANDS)}. Status: 0 by default; "
        "with --fail-on, 2 if a breaking difference fails it and 1 if only others do; 3 if the "
        "comparison failed."
    )
    parser.add_argument("old", help=place)
    parser.add_argument(
        "new", nargs="?", default=str(paths.SPEC), help=f"{place}; spec/ by default"
    )
    chosen = parser.parse_args(given)
    old, new = load(chosen.old), load(chosen.new)
    with explain_malformed(old, new):
        differences = compare(old, new)
    print(FORMATS[chosen.format](old.name, new.name, differences))
    return status(differences, chosen.fail_on)


COMMANDS: dict[str, Callable[[argparse.ArgumentParser, Sequence[str]], int]] = {
    "live": live.run,
    "upstream": upstream.run,
}


if __name__ == "__main__":
    sys.exit(main())
