"""The page at ``/``, which shows in a browser what the emulator receives and does.

The files in this folder are served unchanged. They contain no data: the page gets it from the admin
routes, with the token in the URL's fragment, ``/#token=...``, which browsers do not send to
servers.
"""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request

__all__ = ["page_routes"]

PAGE = "index.html"
MEDIA_TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript"}


def page_routes(at: str, parts_at: str) -> list[Route]:
    """Return the routes of the page, and of the files that it loads.

    Args:
        at: Path of the page.
        parts_at: Prefix of the files' paths.
    """
    names = (file.name for file in files(__name__).iterdir())
    return [
        _route(at if name == PAGE else parts_at + name, name)
        for name in names
        if name.rpartition(".")[2] in MEDIA_TYPES
    ]


def _route(path: str, name: str) -> Route:
    content = files(__name__).joinpath(name).read_bytes()
    media_type = MEDIA_TYPES[name.rpartition(".")[2]]

    async def endpoint(_: Request) -> Response:
        return Response(content, media_type=media_type)

    return Route(path, endpoint)
