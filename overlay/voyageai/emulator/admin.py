"""Routes beside the API: the fault plan and the recorded requests.

They answer only to who sends the emulator's token in the header ``x-emulator-token``, an API key
does not open them. They are not recorded, and no fault happens to them.

- ``GET /_emulator/faults``: the faults there are, and the plan.
  ``POST`` an entry to add to the plan, ``PUT`` a list of entries to replace it, ``DELETE`` to
  empty it. An entry is ``{"fault": "status; status=503", "times": 2}``, or with ``"rate": 0.1``.
- ``GET /_emulator/requests``: the requests as lines of JSON, with ``?operation=ID`` or
  ``?after=NUMBER`` only some; ``DELETE`` drops them.
"""

from __future__ import annotations

import json
from secrets import compare_digest
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from .faults import FAULTS
from .refusal import Refused
from .replies import reply

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

    from .world import World

__all__ = ["ADMIN", "create_admin"]

ADMIN = "/_emulator/"
"""How the paths of these routes begin."""
TOKEN = b"x-emulator-token"


def create_admin(world: World) -> ASGIApp:
    """Make the application that answers an emulator's admin routes."""
    plan, requests = world.faults, world.requests

    async def faults(request: Request) -> Response:
        if request.method == "DELETE":
            plan.clear()
        elif request.method == "POST":
            plan.add([json.loads(await request.body())])
        elif request.method == "PUT":
            plan.add(json.loads(await request.body()), anew=True)
        return reply({"faults": _catalogue(), "plan": plan.as_json()})

    async def recorded(request: Request) -> Response:
        if request.method == "DELETE":
            requests.clear()
        operation = request.query_params.get("operation")
        after = int(request.query_params.get("after", 0))
        found = requests[:] if operation is None else requests.of(operation)
        lines = [json.dumps(each.as_json()) + "\n" for each in found if each.number > after]
        return Response("".join(lines), media_type="application/x-ndjson")

    routes = [
        Route(ADMIN + "faults", faults, methods=["GET", "PUT", "POST", "DELETE"]),
        Route(ADMIN + "requests", recorded, methods=["GET", "DELETE"]),
    ]
    # Bodies that are not JSON, faults that there are not, values of other types.
    handlers: dict[Any, Any] = dict.fromkeys((ValueError, TypeError), _refuse)
    return _Locked(Starlette(routes=routes, exception_handlers=handlers), world.admin_token)


class _Locked:
    """An application that a token opens."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        given = dict(scope["headers"]).get(TOKEN, b"")
        app = self._app if compare_digest(given, self._token) else _locked
        await app(scope, receive, send)


async def _locked(scope: Scope, receive: Receive, send: Send) -> None:
    refused = Refused("This takes the emulator's token, in the header x-emulator-token.", 401)
    await refused.as_response()(scope, receive, send)


def _catalogue() -> list[dict[str, Any]]:
    return [
        {
            "name": kind.name,
            "description": kind.description,
            "parameters": dict(kind.parameters),
        }
        for kind in FAULTS.values()
    ]


async def _refuse(_: Request, error: Exception) -> Response:
    return Refused(str(error)).as_response()
