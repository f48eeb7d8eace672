"""The application that answers the admin routes, and the page."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Mount, Route

from ..bodies import refuse_constant
from ..files import as_file_object
from ..page import page_routes
from ..rate_limits import TIER_NAMES
from ..responses import ApiError, json_response
from ..timing import Latency
from .middleware import LocalOnlyMiddleware, TokenMiddleware
from .views import StateView, fault_kinds, find_request, find_requests, summary

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.types import ASGIApp

    from ..batches import Batches
    from ..connections import Connections
    from ..state import EmulatorState

__all__ = ["ADMIN", "create_admin"]

ADMIN = "/_emulator/"
"""Prefix of the paths of these routes."""
MAX_BODY = 65_536
"""Maximum of bytes of a body."""


def create_admin(state: EmulatorState, batches: Batches, connections: Connections) -> ASGIApp:
    """Create the application of an emulator's admin routes and its page."""
    admin = _Admin(state, batches, connections)
    with_token = Starlette(
        routes=[
            Route("/state", admin.state),
            Route("/requests", admin.requests, methods=["GET", "DELETE"]),
            Route("/requests/{number:int}", admin.request),
            Route("/faults", admin.faults, methods=["GET", "PUT", "POST", "DELETE"]),
            Route("/usage", admin.usage),
            Route("/limits", admin.limits, methods=["GET", "PUT", "POST", "DELETE"]),
            Route("/latency", admin.latency, methods=["GET", "PUT"]),
            Route("/clock", admin.clock, methods=["GET", "POST"]),
            Route("/batches", admin.batches),
            Route("/batches/{method}", admin.call_batches, methods=["POST"]),
            Route("/files", admin.files),
            Route("/key", admin.key),
        ],
        exception_handlers=HANDLERS,
    )
    routes = [
        *page_routes("/", ADMIN + "page/"),
        Mount(ADMIN.rstrip("/"), TokenMiddleware(with_token, state.admin_token)),
    ]
    return LocalOnlyMiddleware(Starlette(routes=routes, exception_handlers=HANDLERS))


class _Admin:
    """The endpoints of the admin routes. Slow ones are not `async`, so they run in threads."""

    def __init__(self, state: EmulatorState, batches: Batches, connections: Connections) -> None:
        self._state = state
        self._batches = batches
        self._view = StateView(state, connections)

    async def state(self, _: Request) -> Response:
        return json_response(self._view.as_json())

    def requests(self, request: Request) -> Response:
        requests = self._state.requests
        if request.method == "DELETE":
            requests.clear()
        found = find_requests(
            requests,
            request.query_params.get("operation"),
            _query_number(request, "after") or 0,
            _query_number(request, "limit"),
        )
        brief = _query_flag(request, "brief")
        lines = [json.dumps(summary(each) if brief else each.as_json()) + "\n" for each in found]
        return Response("".join(lines), media_type="application/x-ndjson")

    def request(self, request: Request) -> Response:
        found = find_request(self._state.requests, request.path_params["number"])
        if found is None:
            raise ApiError("There is no recorded request with this number.", HTTPStatus.NOT_FOUND)
        return json_response(found.as_json())

    async def faults(self, request: Request) -> Response:
        plan = self._state.faults
        if request.method == "DELETE":
            plan.clear()
        elif request.method == "POST":
            plan.add([await _read(request)])
        elif request.method == "PUT":
            plan.add(await _read(request), replace=True)
        return json_response({"faults": fault_kinds(), "plan": plan.as_json()})

    async def usage(self, _: Request) -> Response:
        limits = self._state.limits
        return json_response(
            {"tier": limits.tier, "usage": [used._asdict() for used in limits.usage()]}
        )

    async def limits(self, request: Request) -> Response:
        limits = self._state.limits
        if request.method == "PUT":
            limits.tier = await _read_field(request, "tier")
        elif request.method == "POST":
            limits.set(**await _read(request))
        elif request.method == "DELETE":
            limits.clear()
        return json_response({"tier": limits.tier, "tiers": TIER_NAMES})

    async def latency(self, request: Request) -> Response:
        state = self._state
        if request.method == "PUT":
            state.latency = Latency(await _read_field(request, "latency"))
        return json_response({"latency": str(state.latency)})

    async def clock(self, request: Request) -> Response:
        if request.method == "POST":
            self._state.clock.advance(_seconds(await _read_field(request, "advance")))
        return json_response(self._view.clock())

    def batches(self, _: Request) -> Response:
        return json_response(self._batches.as_json())

    async def call_batches(self, request: Request) -> Response:
        """Call a method of `Batches`."""
        batches = self._batches
        methods: dict[str, Callable[..., None]] = {
            "hold": batches.hold,
            "release": batches.release,
            "fail": batches.fail,
            "stop_failing": batches.stop_failing,
            "pace": batches.pace,
            "limit": batches.limit,
        }
        method = methods.get(request.path_params["method"])
        if method is None:
            raise ApiError(
                f"Unknown method; the methods are {', '.join(methods)}.", HTTPStatus.NOT_FOUND
            )
        method(**await _read(request))
        return await run_in_threadpool(self.batches, request)

    def files(self, _: Request) -> Response:
        found = self._state.store.files.all(self._state.now())
        files = [{"owner": file.owner, **as_file_object(file).to_dict()} for file in found]
        return json_response({"files": files})

    async def key(self, request: Request) -> Response:
        headers = request.headers
        caller = self._state.authenticator.authenticate(
            headers.get("host", ""), headers.get("authorization")
        )
        return json_response({"owner": caller.owner})


async def _read(request: Request) -> Any:
    """Decode the body of a request.

    Raises:
        ApiError: The body is too large, or not JSON.
    """
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY:
            raise ApiError(
                f"The body has more than {MAX_BODY} bytes.", HTTPStatus.REQUEST_ENTITY_TOO_LARGE
            )
    try:
        return json.loads(body, parse_constant=refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ApiError(f"The body is not JSON: {error}") from None


async def _read_field(request: Request, name: str) -> Any:
    """Decode a body that is an object with one field, and return its value.

    Raises:
        ApiError: The body is not such an object.
    """
    body = await _read(request)
    fields = cast("dict[str, Any]", body) if isinstance(body, dict) else {}
    if list(fields) != [name]:
        raise ApiError(f'The body must be an object with one field: {{"{name}": ...}}.')
    return fields[name]


def _query_number(request: Request, name: str) -> int | None:
    """Return a query parameter that is a whole number; None if it is missing.

    Raises:
        ApiError: The parameter is not a whole number.
    """
    text = request.query_params.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()):
        raise ApiError(f"{name} must be a whole number, not {text!r}.")
    return int(text)


def _query_flag(request: Request, name: str) -> bool:
    """Return a query parameter that is ``true`` or ``false``; false if it is missing.

    Raises:
        ApiError: The parameter is neither ``true`` nor ``false``.
    """
    text = request.query_params.get(name, "false")
    if text not in ("true", "false"):
        raise ApiError(f"{name} must be true or false, not {text!r}.")
    return text == "true"


def _seconds(value: object) -> float:
    # A bool is an int in Python, but not a number in JSON.
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    raise ApiError(f"advance must be a number of seconds, not {value!r}.")


async def _refused(_: Request, error: Exception) -> Response:
    if isinstance(error, ApiError):
        return error.as_response()
    if isinstance(error, HTTPException):
        return ApiError(error.detail, error.status_code, headers=error.headers).as_response()
    return ApiError(str(error)).as_response()


# The methods called here raise ValueError and TypeError for invalid arguments.
HANDLERS: dict[Any, Any] = dict.fromkeys((ApiError, HTTPException, ValueError, TypeError), _refused)
