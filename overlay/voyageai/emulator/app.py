"""The emulator as an ASGI application.

Routes come from the contract. A request is recorded, and meets the fault that is planned for it
or that it names. Without one it is read and checked, then the key, then the handler answers.
Whatever the answer, it carries an id and says that it is not the models'.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Route
from voyageai_rest.catalogue import MODELS
from voyageai_rest.errors import ShapeError
from voyageai_rest.spec import load

from .admin import ADMIN, create_admin
from .contract import Contract
from .faults import FaultPlan
from .faults.faulty import Faulty, unprefixed
from .handlers import HANDLERS
from .labels import Labelled
from .recorded import RECORD
from .recorder import Recorder
from .refusal import Refused
from .replies import reply
from .requests import Requests
from .wording import misspecified

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send
    from voyageai_rest.catalogue import Model

    from .contract import Operation
    from .recorded import RecordedRequest

__all__ = ["create_app"]

LARGE = 16_384
"""Bytes of a body from which a request is answered in a thread of its own."""


def create_app(
    document: Mapping[str, Any] | None = None,
    models: Mapping[str, Model] = MODELS,
    api_key: str | None = None,
    *,
    requests: Requests | None = None,
    faults: FaultPlan | None = None,
    admin_token: str | None = None,
) -> ASGIApp:
    """Make the application.

    Args:
        document: OpenAPI document to follow; the installed contract by default.
        models: Models to serve, by name.
        api_key: The only key to accept. Any key is accepted by default.
        requests: Where requests are recorded.
        faults: The faults that happen to them.
        admin_token: What opens the admin routes; without it there are none.
    """
    contract = Contract(load() if document is None else document)
    operations = [operation.id for operation in contract.operations]
    requests = Requests(operations) if requests is None else requests
    faults = FaultPlan(operations) if faults is None else faults
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
            record: RecordedRequest = request.scope[RECORD]
            if len(body) < LARGE:
                return desk.answer(operation, body, key, record)
            return await run_in_threadpool(desk.answer, operation, body, key, record)

        return Route(contract.base + path, endpoint, methods=list(operations))

    routes = [route(path, operations) for path, operations in by_path.items()]
    handlers: dict[Any, Any] = {
        HTTPException: _refuse,
        ClientDisconnect: _leave,
        Exception: _fail,
    }
    api = Faulty(Starlette(routes=routes, exception_handlers=handlers), faults)
    recorder = Recorder(Labelled(api), requests, contract)
    return _Front(recorder, create_admin(faults, requests, admin_token) if admin_token else None)


class _Front:
    """Tells the emulator's own requests from those to the API."""

    def __init__(self, api: ASGIApp, admin: ASGIApp | None) -> None:
        self._api = api
        self._admin = admin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._admin is not None and scope["path"].startswith(ADMIN):
            await self._admin(scope, receive, send)
        else:
            await self._api(unprefixed(scope), receive, send)


class _Desk:
    """Answers requests, one at a time or several at once."""

    def __init__(
        self, contract: Contract, models: Mapping[str, Model], api_key: str | None
    ) -> None:
        self._contract = contract
        self._models = models
        self._api_key = api_key

    def answer(
        self, operation: Operation, raw: bytes, authorization: str | None, record: RecordedRequest
    ) -> Response:
        try:
            body = self._answer(operation, raw, authorization)
        except Refused as refused:
            return reply(refused.body(), refused.status)
        record.tokens = body.get("usage", {}).get("total_tokens")
        return reply(body)

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


async def _refuse(_: Request, error: HTTPException) -> Response:
    response = reply(Refused(error.detail).body(), error.status_code)
    response.headers.update(error.headers or {})
    return response


async def _leave(_: Request, __: Exception) -> Response:
    # Nobody is there to read it; without it the server would log a failure.
    return reply(Refused("The client went away.").body(), HTTPStatus.BAD_REQUEST)


async def _fail(_: Request, __: Exception) -> Response:
    return reply(Refused("Internal Server Error").body(), 500)
