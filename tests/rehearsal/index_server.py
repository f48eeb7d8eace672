"""The process of the index; its arguments are the folder and the token."""

import socketserver
import sys
import wsgiref.simple_server
from pathlib import Path

import pypiserver


class Server(socketserver.ThreadingMixIn, wsgiref.simple_server.WSGIServer):
    """A server that handles requests concurrently."""

    daemon_threads = True


def main(folder: str, token: str) -> None:
    """Print the server's address, then serve."""
    application = pypiserver.app(
        roots=[Path(folder)],
        auther=lambda user, password: (user, password) == ("__token__", token),
        authenticate=["update"],
        disable_fallback=True,
    )
    server = wsgiref.simple_server.make_server("127.0.0.1", 0, application, Server)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
