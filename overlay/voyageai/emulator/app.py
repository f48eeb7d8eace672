"""The emulator as an ASGI application.

Routes come from the contract. A request is read and checked first, then the key, then the
handler answers; whatever the answer, it carries an id and says that it is not the models'.
"""

from __future__ import annotations

import json
import uuid
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route
from voyageai_rest.catalogue import MODELS
from voyageai_rest.errors import ShapeError
from voyageai_rest.spec import load

from .contract import Contract
from .handlers import HANDLERS
from .refusal import Refused
from .wording import misspecified

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send
    from voyageai_rest.catalogue import Model

    from .contract import Operation

__all__ = ["NOTICE", "create_app"]

NOTICE = "emulator, not the Voyage AI models"
"""What every answer says in its ``x-emulator`` header."""
LARGE = 16_384
"""Bytes of a body from which a request is answered in a thread of its own."""


def create_app(
    document: Mapping[str, Any] | None = None,
    models: Mapping[str, Model] = MODELS,
    api_key: str | None = None,
) -> ASGIApp:
    """Make the application.

    Args:
        document: OpenAPI document to follow; the installed contract by default.
        models: Models to serve, by name.
        api_key: The only key to accept. Any key is accepted by default.
    """
    contract = Contract(load() if document is None else document)
    desk = _Desk(contract, models, api_key)
    by_path: dict[str, dict[str, Operation]] = {}
    for operation in contract.operations:
        by_path.setdefault(operation.path, {})[operation.method] = operation

    def route(path: str, operations: Mapping[str, Operation]) -> Route:
        async def endpoint(request: Request) -> Response:
            body = await request.body()
            # Starlette answers HEAD where there is a GET.
            operation = operations.get(request.method) or operations["GET"]
            key = request.headers.get("authorization")
            if len(body) < LARGE:
                return desk.answer(operation, body, key)
            return await run_in_threadpool(desk.answer, operation, body, key)

        return Route(contract.base + path, endpoint, methods=list(operations))

    routes = [route(path, operations) for path, operations in by_path.items()]
    handlers: dict[Any, Any] = {HTTPException: _refuse, Exception: _fail}
    return _Labelled(Starlette(routes=routes, exception_handlers=handlers))


class _Desk:
    """Answers requests, one at a time or several at once."""

    def __init__(
        self, contract: Contract, models: Mapping[str, Model], api_key: str | None
    ) -> None:
        self._contract = contract
        self._models = models
        self._api_key = api_key

    def answer(self, operation: Operation, raw: bytes, authorization: str | None) -> Response:
        try:
            return _json(self._answer(operation, raw, authorization))
        except Refused as refused:
            return _json(refused.body(), refused.status)

    def _answer(
        self, operation: Operation, raw: bytes, authorization: str | None
    ) -> dict[str, Any]:
        body: Any = self._contract.read(operation.schema, raw) if operation.schema else None
        self._check_key(authorization)
        handler = HANDLERS.get(operation.id)
        if handler is None:
            raise Refused(
                f"The emulator does not answer {operation.method} {operation.path}",
                HTTPStatus.NOT_IMPLEMENTED,
            )
        endpoint = operation.path.strip("/")
        served = {n: model for n, model in self._models.items() if model.endpoint == endpoint}
        try:
            return handler(body, served).to_dict()
        except ShapeError as error:
            # What JSON Schema takes for an integer, such as 512.0, the models may not.
            raise misspecified(error.path, error.reason) from None

    def _check_key(self, authorization: str | None) -> None:
        scheme, _, key = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not key.strip():
            raise Refused("Unauthorized", HTTPStatus.UNAUTHORIZED)
        if self._api_key is not None and key.strip() != self._api_key:
            raise Refused("Provided API key is invalid.", HTTPStatus.UNAUTHORIZED)


class _Labelled:
    """Gives every answer an id and the notice."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def labelled(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message["headers"],
                    (b"x-request-id", uuid.uuid4().hex.encode()),
                    (b"x-emulator", NOTICE.encode()),
                ]
            await send(message)

        await self._app(scope, receive, labelled)


def _json(body: dict[str, Any], status: int = HTTPStatus.OK) -> Response:
    content = json.dumps(body, separators=(",", ":"))
    return Response(content, status, media_type="application/json")


async def _refuse(_: Request, error: HTTPException) -> Response:
    response = _json(Refused(error.detail).body(), error.status_code)
    response.headers.update(error.headers or {})
    return response


async def _fail(_: Request, __: Exception) -> Response:
    return _json(Refused("Internal Server Error").body(), 500)
