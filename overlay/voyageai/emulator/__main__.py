"""`python -m voyageai.emulator`: run the emulator until it is interrupted."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from . import INSTALL

if TYPE_CHECKING:
    from .handle import Emulator

DESCRIPTION = (
    "A local emulator of the Voyage AI Embedding and Reranking API. IT IS NOT THE MODELS: vectors "
    "and scores come from shared words alone. Prints its base URL as the last word of its first "
    "line, as soon as it accepts connections, and serves until interrupted."
)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m voyageai.emulator", description=DESCRIPTION)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at (%(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port; 0 for a free one (%(default)s)")
    parser.add_argument("--api-key", help="the only API key to accept (any, unless given)")
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        help="what goes wrong: NAME for every request, NAME:RATE for a share of them, "
        "parameters after it as in 'status:0.1; status=503'; may be given several times",
    )
    parser.add_argument("--faults", action="store_true", help="list the faults and exit")
    parser.add_argument("--record", metavar="FILE", help="add every request as a line of JSON")
    parser.add_argument(
        "--admin-token", help="what opens the routes below /_emulator/ (random, unless given)"
    )
    options = parser.parse_args(arguments)
    try:
        from .server import Server
        from .settings import Settings
    except ImportError as error:
        parser.exit(1, f"{INSTALL} ({error})\n")
    if options.faults:
        _list_faults()
        return
    try:
        server = Server(
            options.host,
            options.port,
            Settings(
                api_key=options.api_key,
                faults=options.fault,
                record=options.record,
                admin_token=options.admin_token,
            ),
            on_ready=_announce,
        )
    except ValueError as error:
        parser.error(str(error))
    except OSError as error:
        parser.exit(1, f"cannot listen at {options.host} port {options.port}: {error}\n")
    server.run()


def _announce(emulator: Emulator) -> None:
    sys.stdout.write(
        "EMULATOR, not the Voyage AI models (lexical vectors), "
        f"admin token {emulator.admin_token} at {emulator}\n"
    )
    sys.stdout.flush()


def _list_faults() -> None:
    from .faults import FAULTS

    for kind in FAULTS.values():
        given = "".join(f"; {key}={value}" for key, value in kind.parameters.items())
        sys.stdout.write(f"{kind.name}{given}\n    {kind.description}\n")


if __name__ == "__main__":
    main()
