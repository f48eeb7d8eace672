"""The emulator as an ASGI application.

Routes come from the contract. A request is recorded, and meets the fault that is planned for it
or that it names. Without one it is read and checked, then the key, then the handler answers; a body
that is not small is read only where the key is right. Whatever the answer, it carries an id and
says that it is not the models'.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Route

from .admin import ADMIN, create_admin
from .dispatcher import Dispatcher
from .faults.middleware import FaultMiddleware, unprefixed
from .hub import PREFIXES, create_hub
from .labels import AnswerHeadersMiddleware
from .recording.middleware import RecordingMiddleware
from .responses import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

    from .connections import Connections
    from .contract import Operation
    from .state import EmulatorState

__all__ = ["create_app"]


def create_app(world: EmulatorState, connections: Connections | None = None) -> ASGIApp:
    """Make the application of an emulator.

    Args:
        world: The emulator.
        connections: Those of its server, if it has one.
    """
    desk = Dispatcher(world)
    by_path: dict[str, dict[str, Operation]] = {}
    for operation in world.contract.operations:
        by_path.setdefault(operation.path, {})[operation.method] = operation

    def route(path: str, operations: Mapping[str, Operation]) -> Route:
        async def endpoint(request: Request) -> Response:
            # Starlette answers HEAD where there is a GET.
            return await desk.answer(operations.get(request.method) or operations["GET"], request)

        return Route(world.contract.base + path, endpoint, methods=list(operations))

    routes = [route(path, operations) for path, operations in by_path.items()]
    handlers: dict[Any, Any] = {
        HTTPException: _refuse,
        ClientDisconnect: _leave,
        Exception: _fail,
    }
    api = FaultMiddleware(Starlette(routes=routes, exception_handlers=handlers), world.faults)
    return _Front(
        RecordingMiddleware(AnswerHeadersMiddleware(api), world.requests, world.contract),
        AnswerHeadersMiddleware(create_admin(world, connections)),
        AnswerHeadersMiddleware(create_hub(world.settings.models)),
    )


class _Front:
    """Tells the emulator's own requests from those to the API."""

    def __init__(self, api: ASGIApp, admin: ASGIApp, hub: ASGIApp) -> None:
        self._api = api
        self._admin = admin
        self._hub = hub

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/" or scope["path"].startswith(ADMIN):
            await self._admin(scope, receive, send)
        elif scope["path"].startswith(PREFIXES):
            await self._hub(scope, receive, send)
        else:
            await self._api(unprefixed(scope), receive, send)


async def _refuse(_: Request, error: HTTPException) -> Response:
    return ApiError(error.detail, error.status_code, headers=error.headers).as_response()


async def _leave(_: Request, __: Exception) -> Response:
    # Nobody is there to read it; without it the server would log a failure.
    return ApiError("The client went away.", HTTPStatus.BAD_REQUEST).as_response()


async def _fail(_: Request, __: Exception) -> Response:
    return ApiError("Internal Server Error", 500).as_response()
