"""The baseline of the emulator: Starlette reads JSON and sends prepared bytes.

    python -I bare.py FOLDER

Every file of the folder is the response of the route with its name. Prints its port, and serves
until it is terminated, with the server that the emulator uses.
"""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


def route(name: str, content: bytes) -> Route:
    """Return a route with a fixed answer."""

    async def answer(request: Request) -> Response:
        await request.json()
        return Response(content, media_type="application/json")

    return Route(f"/{name}", answer, methods=["POST"])


if __name__ == "__main__":
    app = Starlette(
        routes=[route(file.name, file.read_bytes()) for file in Path(sys.argv[1]).iterdir()]
    )
    # asyncio sets TCP_NODELAY only if the socket's protocol is given.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    config = uvicorn.Config(
        app, loop="asyncio", http="h11", ws="none", lifespan="off", log_level="warning"
    )
    print(listener.getsockname()[1], flush=True)
    uvicorn.Server(config).run([listener])
