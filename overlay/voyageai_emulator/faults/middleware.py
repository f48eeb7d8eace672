"""The part of the application in which faults happen."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

from ..recording.record import RECORD
from ..responses import ApiError
from .call import Answer, Call

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from ..recording.record import RecordedRequest
    from .plan import FaultPlan

__all__ = ["PREFIX", "FaultMiddleware", "unprefixed"]

HEADER = b"x-emulator-fault"
PREFIX = "/faults/"
NAMED = "voyageai_emulator.fault"
"""Where in the scope the fault stands that the URL has named."""


def unprefixed(scope: Scope) -> Scope:
    """The scope of ``/faults/NAME/v1/...`` as that of ``/v1/...`` with a fault."""
    # The path is decoded: only in the raw one do a fault's values hold no slash.
    if not scope["raw_path"].startswith(PREFIX.encode()):
        return scope
    named, _, rest = scope["raw_path"].removeprefix(PREFIX.encode()).partition(b"/")
    raw = b"/" + rest
    path = unquote(raw.decode("ascii"))
    return {**scope, "path": path, "raw_path": raw, NAMED: named.decode("ascii")}


class FaultMiddleware:
    """An application to whose requests faults happen."""

    def __init__(self, app: ASGIApp, plan: FaultPlan) -> None:
        self._app = app
        self._plan = plan

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the fault happen that the request names or the plan holds."""
        record: RecordedRequest = scope[RECORD]
        named = scope.get(NAMED) or _in_header(scope)
        fault, reason = None, ""
        if named is None:
            fault = self._plan.draw(record.operation)
        else:
            try:
                fault = self._plan.named(named)
            except ValueError as error:
                reason = f"The emulator cannot do that: {error}"
        if fault is None and not reason:
            await self._app(scope, receive, send)
            return
        call = Call(self._app, scope, receive, send, record)
        await call.drain()
        if fault is None:
            await call.reply(Answer.of_json(400, ApiError(reason).body()))
            return
        record.fault = fault
        await fault.run(call)


def _in_header(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == HEADER:
            return str(value, "latin-1")
    return None
