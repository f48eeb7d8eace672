"""`voyageai-emulator`, or `python -m voyageai_emulator`: run the emulator until interrupted."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from voyageai_rest.catalogue import Tiers
from voyageai_rest.operations import SERVERS

from . import missing
from .exposure import check_host
from .settings import MAX_CONNECTIONS

if TYPE_CHECKING:
    from collections.abc import Callable

    from .emulator import Emulator

__all__ = ["main"]

PLATFORMS = [server.name for server in SERVERS]
DESCRIPTION = """\
A local emulator of the Voyage AI Embedding and Reranking API. IT IS NOT THE MODELS:
vectors and scores come from shared words alone, unless another engine is chosen.
Prints its base URL as the last word of its first line, as soon as it accepts
connections, and the address of its page in the second. Serves until interrupted.
"""
EXAMPLES = """\
examples:
  %(prog)s --port 8000
      an API at http://127.0.0.1:8000/v1, for programs in any language
  %(prog)s --tier free --retry-after
      refuses what is beyond the limits of an account without a payment method
  %(prog)s --fault 'status:0.1; status=503' --latency model
      fails a tenth of the requests, and takes as long as the API may take
  %(prog)s --state batches.db --record requests.jsonl
      keeps files and batches, and writes down what it is asked
"""
DEFAULT = "(default: %(default)s)"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="voyageai-emulator",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument_group("where it listens").add_argument
    add("--host", default="127.0.0.1", help=f"address to listen at {DEFAULT}")
    add("--port", type=int, default=0, help=f"port; 0 for a free one {DEFAULT}")
    add(
        "--expose",
        action="store_true",
        help="allow a host that other machines can reach, and with it whoever can reach it",
    )

    group = parser.add_argument_group("what it stands for")
    _add_secret(
        group.add_mutually_exclusive_group().add_argument,
        "api-key",
        "KEY",
        "the only API key to accept (default: any)",
    )
    add = group.add_argument
    add(
        "--platform",
        metavar="NAME",
        help=f"host whose models, operations and keys there are: {', '.join(PLATFORMS)} "
        "(default: those of all)",
    )
    add(
        "--engine",
        default="lexical",
        metavar="ENGINE",
        help=f"what makes vectors: lexical, or sentence-transformers:NAME {DEFAULT}",
    )
    add(
        "--allow-host",
        action="append",
        default=[],
        dest="allow_hosts",
        metavar="HOST",
        help="host, or host:port, from which pictures and videos may be fetched (default: none); "
        "repeatable",
    )

    add = parser.add_argument_group("limits and time").add_argument
    add(
        "--tier",
        metavar="TIER",
        help=f"usage tier whose rate limits hold: {', '.join(Tiers.__annotations__)} "
        "(default: no limits)",
    )
    add(
        "--retry-after",
        action="store_true",
        help="say after a rate limit when to come again, which the API does not",
    )
    add(
        "--latency",
        default="none",
        metavar="TIME",
        help=f"how long answers take: none, seconds, or model {DEFAULT}",
    )
    add(
        "--concurrency",
        type=int,
        metavar="COUNT",
        help="requests worked on at once, while others wait (default: all)",
    )
    add(
        "--max-connections",
        type=int,
        default=MAX_CONNECTIONS,
        metavar="COUNT",
        help=f"connections open at once; beyond, those that ask nothing are ended {DEFAULT}",
    )

    add = parser.add_argument_group("trouble").add_argument
    add(
        "--fault",
        action="append",
        default=[],
        dest="faults",
        metavar="FAULT",
        help="what goes wrong: NAME for every request, NAME:RATE for a share of them, "
        "parameters after it as in 'status:0.1; status=503'; repeatable",
    )
    add("--faults", action="store_true", dest="list_faults", help="list the faults and exit")

    group = parser.add_argument_group("what it keeps")
    add = group.add_argument
    add(
        "--state",
        metavar="FILE",
        help="keep files and batches in it (default: they end with the emulator)",
    )
    add("--record", metavar="FILE", help="add every request to it as a line of JSON")
    _add_secret(
        group.add_mutually_exclusive_group().add_argument,
        "admin-token",
        "TOKEN",
        "what opens the page and the routes below /_emulator/ (default: a random one)",
    )
    return parser


def _add_secret(add: Callable[..., object], name: str, metavar: str, help: str) -> None:
    """Add a flag, and two ways to set it that no list of processes shows."""
    add(
        f"--{name}",
        metavar=metavar,
        default=os.environ.get(_variable(name)),
        help=f"{help}; or set {_variable(name)}, which other users cannot see",
    )
    add(
        f"--{name}-file",
        metavar="FILE",
        dest=name.replace("-", "_"),
        type=_first_line,
        help="the same, from the first line of a file",
    )


def _variable(flag: str) -> str:
    return f"VOYAGEAI_EMULATOR_{flag.upper().replace('-', '_')}"


def _first_line(file: str) -> str:
    try:
        return Path(file).read_text("utf-8").partition("\n")[0].strip("\r")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise argparse.ArgumentTypeError(f"cannot read {file}: {reason}") from None


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    parser = _parser()
    options = vars(parser.parse_args(arguments))
    host, port, expose = options.pop("host"), options.pop("port"), options.pop("expose")
    try:
        from .server import Server
        from .settings import Settings
    except ImportError as error:
        parser.exit(1, f"{missing(error)}\n")
    if options.pop("list_faults"):
        _list_faults()
        return
    try:
        check_host(host, "--expose", allowed=expose)
        server = Server(host, port, Settings(**options), on_ready=_announce)
    except (ValueError, ImportError) as error:
        parser.error(str(error))
    except OSError as error:
        what = f"use {error.filename}" if error.filename else f"listen at {host} port {port}"
        parser.exit(1, f"cannot {what}: {error.strerror or error}\n")
    server.run()


def _announce(emulator: Emulator) -> None:
    if sys.stdout is None:  # closed by who started it
        return
    sys.stdout.write(
        f"EMULATOR, not the Voyage AI models, at {emulator}\n"
        f"page: {emulator.origin}/#token={quote(emulator.admin_token)}\n"
        f"export VOYAGE_BASE_URL={emulator}\n"
        f"export HF_ENDPOINT={emulator.origin}\n"
    )
    sys.stdout.flush()


def _list_faults() -> None:
    from .faults import FAULTS

    for kind in FAULTS.values():
        given = "".join(f"; {key}={value}" for key, value in kind.parameters.items())
        sys.stdout.write(f"{kind.name}{given}\n    {kind.description}\n")


if __name__ == "__main__":
    main()
