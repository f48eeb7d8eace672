"""The application that answers the admin routes, and the page."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Mount, Route

from ..files.objects import as_file_object
from ..latency import Latency
from ..page import page_routes
from ..rate_limits import TIER_NAMES
from ..responses import ApiError, json_response
from .guard import LocalOnlyMiddleware, TokenMiddleware
from .reading import read, read_field, read_flag, read_whole
from .seen import brief, one, some
from .state import State, faults_there_are

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.types import ASGIApp

    from ..connections import Connections
    from ..state import EmulatorState

__all__ = ["ADMIN", "create_admin"]

ADMIN = "/_emulator/"
"""How the paths of these routes begin."""


def create_admin(world: EmulatorState, connections: Connections | None = None) -> ASGIApp:
    """Make the application that answers an emulator's admin routes, and its page."""
    admin = _Admin(world, connections)
    locked = Starlette(
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
            Route("/batches/{order}", admin.steer, methods=["POST"]),
            Route("/files", admin.files),
            Route("/key", admin.key),
        ],
        exception_handlers=HANDLERS,
    )
    routes = [
        *page_routes("/", ADMIN + "page/"),
        Mount(ADMIN.rstrip("/"), TokenMiddleware(locked, world.admin_token)),
    ]
    return LocalOnlyMiddleware(Starlette(routes=routes, exception_handlers=HANDLERS))


class _Admin:
    """Answers the admin routes. Those that may take long are answered in threads."""

    def __init__(self, world: EmulatorState, connections: Connections | None) -> None:
        self._world = world
        self._state = State(world, connections)

    async def state(self, _: Request) -> Response:
        return json_response(self._state.as_json())

    def requests(self, request: Request) -> Response:
        requests = self._world.requests
        if request.method == "DELETE":
            requests.clear()
        found = some(
            requests,
            request.query_params.get("operation"),
            read_whole(request, "after") or 0,
            read_whole(request, "limit"),
        )
        short = read_flag(request, "brief")
        lines = [json.dumps(brief(each) if short else each.as_json()) + "\n" for each in found]
        return Response("".join(lines), media_type="application/x-ndjson")

    def request(self, request: Request) -> Response:
        found = one(self._world.requests, request.path_params["number"])
        if found is None:
            raise ApiError("There is no such request, or no longer.", HTTPStatus.NOT_FOUND)
        return json_response(found.as_json())

    async def faults(self, request: Request) -> Response:
        plan = self._world.faults
        if request.method == "DELETE":
            plan.clear()
        elif request.method == "POST":
            plan.add([await read(request)])
        elif request.method == "PUT":
            plan.add(await read(request), anew=True)
        return json_response({"faults": faults_there_are(), "plan": plan.as_json()})

    async def usage(self, _: Request) -> Response:
        limits = self._world.limits
        return json_response(
            {"tier": limits.tier, "usage": [used._asdict() for used in limits.usage()]}
        )

    async def limits(self, request: Request) -> Response:
        limits = self._world.limits
        if request.method == "PUT":
            limits.tier = await read_field(request, "tier")
        elif request.method == "POST":
            limits.set(**await read(request))
        elif request.method == "DELETE":
            limits.clear()
        return json_response({"tier": limits.tier, "tiers": TIER_NAMES})

    async def latency(self, request: Request) -> Response:
        world = self._world
        if request.method == "PUT":
            world.latency = Latency(await read_field(request, "latency"))
        return json_response({"latency": str(world.latency)})

    async def clock(self, request: Request) -> Response:
        if request.method == "POST":
            self._world.clock.advance(_seconds(await read_field(request, "advance")))
        return json_response(self._state.clock())

    def batches(self, _: Request) -> Response:
        return json_response(self._world.batches.as_json())

    async def steer(self, request: Request) -> Response:
        """Steer the batch jobs: one order by its name, with its arguments."""
        batches = self._world.batches
        orders: dict[str, Callable[..., None]] = {
            "hold": batches.hold,
            "release": batches.release,
            "fail": batches.fail,
            "stop_failing": batches.stop_failing,
            "pace": batches.pace,
        }
        order = orders.get(request.path_params["order"])
        if order is None:
            raise ApiError(f"Batch jobs take the orders {', '.join(orders)}.", HTTPStatus.NOT_FOUND)
        order(**await read(request))
        return await run_in_threadpool(self.batches, request)

    def files(self, _: Request) -> Response:
        world = self._world
        found = world.store.files.all(world.now())
        files = [{"owner": file.owner, **as_file_object(file).to_dict()} for file in found]
        return json_response({"files": files})

    async def key(self, request: Request) -> Response:
        headers = request.headers
        admitted = self._world.gate.admit(headers.get("host", ""), headers.get("authorization"))
        return json_response({"owner": admitted.owner})


def _seconds(value: object) -> float:
    # A bool is an int to Python, but no number to JSON.
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    raise ApiError(f"advance must be a number of seconds, not {value!r}.")


async def _refused(_: Request, error: Exception) -> Response:
    if isinstance(error, ApiError):
        return error.as_response()
    if isinstance(error, HTTPException):
        return ApiError(error.detail, error.status_code, headers=error.headers).as_response()
    return ApiError(str(error)).as_response()


# Beside what is refused in so many words: faults that there are not, values of other types.
HANDLERS: dict[Any, Any] = dict.fromkeys((ApiError, HTTPException, ValueError, TypeError), _refused)
