"""Where a request is read, checked and answered."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from voyageai_rest.errors import ShapeError

from .handlers import MODEL_HANDLERS, STORE_HANDLERS, Asked
from .recorded import RECORD
from .refusal import Refused
from .replies import reply
from .wording import misspecified

if TYPE_CHECKING:
    from starlette.requests import Request

    from .contract import Operation
    from .recorded import RecordedRequest
    from .world import World

__all__ = ["Desk"]

LARGE = 16_384
"""Bytes of a body from which a request is answered in a thread of its own."""


class Desk:
    """Answers requests, one at a time or several at once."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def answer(self, operation: Operation, request: Request) -> Response:
        """Answer a request to an operation."""
        body = await request.body()
        if len(body) < LARGE:
            return self._respond(operation, request, body)
        return await run_in_threadpool(self._respond, operation, request, body)

    def _respond(self, operation: Operation, request: Request, raw: bytes) -> Response:
        try:
            answer = self._answer(operation, request, raw)
        except Refused as refused:
            return refused.as_response()
        except ShapeError as error:
            # What JSON Schema takes for an integer, such as 512.0, the models may not.
            return misspecified(error.path, error.reason).as_response()
        return answer if isinstance(answer, Response) else reply(answer)

    def _answer(
        self, operation: Operation, request: Request, raw: bytes
    ) -> dict[str, Any] | Response:
        world = self._world
        # The API looks at the body before it looks at the key.
        body: Any = world.contract.read(operation.schema, raw) if operation.schema else None
        query = world.contract.read_query(operation, request.query_params)
        caller = world.gate.admit(
            request.headers.get("host", ""), request.headers.get("authorization")
        )
        world.gate.check(operation, caller)
        if operation.id in MODEL_HANDLERS:
            answer = world.answer(operation, body, caller)
            tokens: int = answer["usage"]["total_tokens"]
            world.limits.take(caller.owner, body["model"], tokens)
            record: RecordedRequest = request.scope[RECORD]
            record.tokens = tokens
            return answer
        handler = STORE_HANDLERS.get(operation.id)
        if handler is None:
            raise Refused(
                f"The emulator does not answer {operation.method} {operation.path}",
                HTTPStatus.NOT_IMPLEMENTED,
            )
        result = handler(Asked(body, request.path_params, query, caller.owner), world)
        return result if isinstance(result, Response) else result.to_dict()
