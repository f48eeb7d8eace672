"""The emulator as an ASGI application.

Routes come from the contract. Each request is recorded. If a fault is planned for it, or the
request names one, the fault answers it; otherwise the dispatcher does. Every response has a request
id, and a header which says that it is from the emulator.
"""

from __future__ import annotations

import os
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Route

from .admin import ADMIN, create_admin
from .atlas import AtlasEndpoints
from .batches import Batches
from .connections import Connections
from .deployments import DeploymentMiddleware
from .dispatcher import Dispatcher
from .faults.middleware import FaultMiddleware, strip_fault
from .hub import PREFIXES, create_hub
from .recording import RECORD, RecordingMiddleware
from .responses import NOTICE, ApiError
from .state import EmulatorState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from .contract import Operation
    from .recording import RecordedRequest
    from .settings import Settings

__all__ = ["Application"]


class Application:
    """An emulator: its state, its batch jobs, and all its routes.

    Args:
        settings: Settings of the emulator.

    Attributes:
        state: State that its parts share.
        batches: Its batch jobs.
        connections: Counts of the server's connections.
    """

    def __init__(self, settings: Settings) -> None:
        self.state = EmulatorState(settings)
        self.connections = Connections()
        try:
            self.batches = Batches(self.state)
        except BaseException:
            self.state.close()
            raise
        api = FaultMiddleware(self._create_api(), self.state.faults)
        contracts = (self.state.contract, self.state.admin_contract)
        recorded = RecordingMiddleware(
            ResponseHeadersMiddleware(api), self.state.requests, contracts
        )
        self._api = self._as_deployment(recorded, settings)
        self._admin = ResponseHeadersMiddleware(
            create_admin(self.state, self.batches, self.connections)
        )
        self._hub = ResponseHeadersMiddleware(create_hub(settings.models))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request to the API, to the admin routes or to the tokenizers' hub."""
        if scope["path"] == "/" or scope["path"].startswith(ADMIN):
            await self._admin(scope, receive, send)
        elif scope["path"].startswith(PREFIXES):
            await self._hub(scope, receive, send)
        else:
            await self._api(strip_fault(scope), receive, send)

    def close(self) -> None:
        """Stop the batch jobs, and close all files."""
        self.batches.stop()
        self.state.close()

    def _as_deployment(self, api: ASGIApp, settings: Settings) -> ASGIApp:
        """Return the API, wrapped as the deployment of the settings if there is one."""
        state = self.state
        if state.deployment is None:
            return api
        return DeploymentMiddleware(
            api,
            state.deployment,
            state.deployed_model,
            base=state.contract.base,
            models=settings.models,
            clock=state.clock,
            old_images=settings.old_images,
            credentials=settings.aws_credentials,
        )

    def _create_api(self) -> ASGIApp:
        """Create the application with the routes of both contracts."""
        dispatcher, contract = Dispatcher(self.state, self.batches), self.state.contract
        by_path: dict[str, dict[str, Operation]] = {}
        for operation in contract.operations:
            by_path.setdefault(operation.path, {})[operation.method] = operation

        def route(path: str, operations: Mapping[str, Operation]) -> Route:
            async def endpoint(request: Request) -> Response:
                # Starlette answers HEAD where there is a GET.
                operation = operations.get(request.method) or operations["GET"]
                return await dispatcher.dispatch(operation, request)

            return Route(contract.base + path, endpoint, methods=list(operations))

        handlers: dict[Any, Any] = {
            HTTPException: _refuse,
            ClientDisconnect: _ignore_disconnect,
            Exception: _fail,
        }
        state = self.state
        atlas = AtlasEndpoints(state.admin_contract, state.accounts, state.credentials)
        routes = [route(path, operations) for path, operations in by_path.items()]
        routes += atlas.routes()
        return Starlette(routes=routes, exception_handlers=handlers)


class ResponseHeadersMiddleware:
    """ASGI middleware that adds the headers ``x-request-id`` and ``x-emulator`` to responses."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and add the headers to its response."""
        record: RecordedRequest | None = scope.get(RECORD)
        added = {
            b"x-request-id": (os.urandom(16).hex() if record is None else record.id).encode(),
            b"x-emulator": NOTICE.encode(),
        }

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                others = [pair for pair in message["headers"] if pair[0] not in added]
                message["headers"] = [*others, *added.items()]
            await send(message)

        await self._app(scope, receive, send_with_headers)


async def _refuse(_: Request, error: HTTPException) -> Response:
    return ApiError(error.detail, error.status_code, headers=error.headers).as_response()


async def _ignore_disconnect(_: Request, __: Exception) -> Response:
    # No client reads this response; without it the server would log a failure.
    return ApiError("The client went away.", HTTPStatus.BAD_REQUEST).as_response()


async def _fail(_: Request, __: Exception) -> Response:
    return ApiError("Internal Server Error", 500).as_response()
