"""`voyageai-emulator`, or `python -m voyageai_emulator`: run the emulator until interrupted."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from voyageai_rest.catalogue import Tiers
from voyageai_rest.deployments import DEPLOYMENTS
from voyageai_rest.operations import SERVERS

from . import missing_extra
from .settings import MAX_CONNECTIONS, check_bind_address

if TYPE_CHECKING:
    from collections.abc import Callable

    from .emulator import Emulator

__all__ = ["main"]

PLATFORMS = [server.name for server in SERVERS]
DESCRIPTION = """\
A local emulator of the Voyage AI Embedding and Reranking API. IT IS NOT THE MODELS:
vectors and scores depend on shared words only, unless another engine is chosen.
Prints its base URL as the last word of the first line, once it accepts
connections, and the address of its page in the second. Serves until interrupted.
"""
EXAMPLES = """\
examples:
  %(prog)s --port 8000
      an API at http://127.0.0.1:8000/v1, for programs in any language
  %(prog)s --tier free --retry-after
      refuses requests beyond the limits of an account without a payment method
  %(prog)s --fault 'status:0.1; status=503' --latency model
      fails a tenth of the requests, with a latency like the API's
  %(prog)s --state batches.db --record requests.jsonl
      stores files, batches, keys and limits, and writes every request to a file
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
    add = parser.add_argument_group("address").add_argument
    add("--host", default="127.0.0.1", help=f"address to listen at {DEFAULT}")
    add("--port", type=int, default=0, help=f"port; 0 for a free one {DEFAULT}")
    add(
        "--expose",
        action="store_true",
        help="allow a host that other machines can reach; everyone who can reach it can use it",
    )

    group = parser.add_argument_group("behaviour")
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
        help="host to behave as, with its models, operations and keys: "
        f"{', '.join(PLATFORMS)} (default: all of them)",
    )
    add(
        "--deployment",
        metavar="NAME[:MODEL]",
        help="deployment or gateway to emulate: "
        f"{', '.join(DEPLOYMENTS)}, with the model if it serves a single one (default: none, the "
        "API)",
    )
    add(
        "--old-images",
        action="store_true",
        help="answer as older images of the deployment do, with numbers as strings",
    )
    add(
        "--aws-credentials-file",
        metavar="FILE",
        dest="aws_credentials",
        type=_credentials,
        default={},
        help="credentials that may call SageMaker: a JSON object of secret keys by access key id "
        "(default: any signature)",
    )
    add(
        "--engine",
        default="lexical",
        metavar="ENGINE",
        help=f"engine of the vectors: lexical, or sentence-transformers:NAME {DEFAULT}",
    )
    add(
        "--allow-host",
        action="append",
        default=[],
        dest="allow_hosts",
        metavar="HOST",
        help="host, or host:port, to download pictures and videos from (default: none); repeatable",
    )

    add = parser.add_argument_group("limits and latency").add_argument
    add(
        "--tier",
        metavar="TIER",
        help=f"usage tier whose rate limits apply: {', '.join(Tiers.__annotations__)} "
        "(default: no limits)",
    )
    add(
        "--retry-after",
        action="store_true",
        help="add the header retry-after to 429 responses, which the API does not",
    )
    add(
        "--latency",
        default="none",
        metavar="TIME",
        help=f"latency of responses: none, seconds, or model {DEFAULT}",
    )
    add(
        "--concurrency",
        type=int,
        metavar="COUNT",
        help="maximum of concurrent requests, while others wait (default: no limit)",
    )
    add(
        "--max-connections",
        type=int,
        default=MAX_CONNECTIONS,
        metavar="COUNT",
        help=f"maximum of open connections; beyond it, idle ones are closed {DEFAULT}",
    )

    add = parser.add_argument_group("faults").add_argument
    add(
        "--fault",
        action="append",
        default=[],
        dest="faults",
        metavar="FAULT",
        help="a fault: NAME for every request, NAME:RATE for a share of them, "
        "parameters after it as in 'status:0.1; status=503'; repeatable",
    )
    add("--faults", action="store_true", dest="list_faults", help="list the faults and exit")

    group = parser.add_argument_group("storage and administration")
    add = group.add_argument
    add(
        "--state",
        metavar="FILE",
        help="store files, batches, and keys and limits in it (default: lost at the end)",
    )
    add("--record", metavar="FILE", help="append every request to it as a line of JSON")
    _add_secret(
        group.add_mutually_exclusive_group().add_argument,
        "admin-token",
        "TOKEN",
        "the token of the page and of the routes below /_emulator/ (default: a random one)",
    )
    group.add_argument(
        "--admin-credentials-file",
        metavar="FILE",
        dest="admin_credentials",
        type=_credentials,
        default={},
        help="credentials that may administer keys and limits: a JSON object of secrets by client "
        "id, or of private keys by public key (default: any)",
    )
    return parser


def _add_secret(add: Callable[..., object], name: str, metavar: str, help: str) -> None:
    """Add a flag, and two ways to set it that do not show in the list of processes."""
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
    return _text(file).partition("\n")[0].strip("\r")


def _credentials(file: str) -> dict[str, str]:
    try:
        found: Any = json.loads(_text(file))
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(secret, str) for secret in found.values()):  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]  # of a user
        raise argparse.ArgumentTypeError(f"{file} does not hold a JSON object of strings")
    return found  # pyright: ignore[reportUnknownVariableType]  # names are strings in JSON


def _text(file: str) -> str:
    try:
        return Path(file).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise argparse.ArgumentTypeError(f"cannot read {file}: {reason}") from None


def main(
    arguments: list[str] | None = None, *, server_class: Callable[..., Any] | None = None
) -> None:
    """Run the command line.

    Args:
        arguments: Arguments of the command; by default those of the process.
        server_class: Class of the server; by default `Server`.
    """
    parser = _parser()
    options = vars(parser.parse_args(arguments))
    host, port, expose = options.pop("host"), options.pop("port"), options.pop("expose")
    try:
        from .server import Server
        from .settings import Settings
    except ImportError as error:
        parser.exit(1, f"{missing_extra(error)}\n")
    if options.pop("list_faults"):
        _list_faults()
        return
    try:
        check_bind_address(host, "--expose", allowed=expose)
        server = (server_class or Server)(host, port, Settings(**options), on_ready=_announce)
    except (ValueError, ImportError) as error:
        parser.error(str(error))
    except OSError as error:
        what = f"use {error.filename}" if error.filename else f"listen at {host} port {port}"
        parser.exit(1, f"cannot {what}: {error.strerror or error}\n")
    server.run()


def _announce(emulator: Emulator) -> None:
    if sys.stdout is None:  # closed by the program that started it
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
        defaults = "".join(f"; {key}={value}" for key, value in kind.parameters.items())
        sys.stdout.write(f"{kind.name}{defaults}\n    {kind.description}\n")


if __name__ == "__main__":
    main()
