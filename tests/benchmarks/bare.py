"""A minimal Starlette server for comparison: parse the JSON body, send a prepared response.

    python -I bare.py FOLDER

Each file in the folder is the response of the route with the file's name. Prints the port, then
serves until it is terminated. Runs on the same HTTP server as the emulator.
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
    """Return a route that always sends one response."""

    async def answer(request: Request) -> Response:
        await request.json()
        return Response(content, media_type="application/json")

    return Route(f"/{name}", answer, methods=["POST"])


if __name__ == "__main__":
    app = Starlette(
        routes=[route(file.name, file.read_bytes()) for file in Path(sys.argv[1]).iterdir()]
    )
    # asyncio sets TCP_NODELAY only if the protocol is given explicitly.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    config = uvicorn.Config(
        app, loop="asyncio", http="h11", ws="none", lifespan="off", log_level="warning"
    )
    print(listener.getsockname()[1], flush=True)
    uvicorn.Server(config).run([listener])
