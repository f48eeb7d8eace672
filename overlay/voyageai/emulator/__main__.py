"""`python -m voyageai.emulator`: run the emulator until it is interrupted."""

from __future__ import annotations

import argparse
import sys

from . import INSTALL

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
    options = parser.parse_args(arguments)
    try:
        from .server import Server
    except ImportError as error:
        parser.exit(1, f"{INSTALL} ({error})\n")
    try:
        server = Server(options.host, options.port, options.api_key, on_ready=_announce)
    except OSError as error:
        parser.exit(1, f"cannot listen at {options.host} port {options.port}: {error}\n")
    server.run()


def _announce(url: str) -> None:
    sys.stdout.write(f"EMULATOR, not the Voyage AI models (lexical vectors), at {url}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
