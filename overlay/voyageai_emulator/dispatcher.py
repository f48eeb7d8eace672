"""Where a request is read, checked and answered."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from voyageai_rest.errors import ShapeError

from .bodies import Form, is_small, read_form, read_whole
from .disconnect import wait_unless_disconnected
from .error_messages import invalid_argument
from .example import EXAMPLE
from .handlers import MODEL_HANDLERS, STORE_HANDLERS, CheckedRequest
from .recording.record import RECORD
from .responses import ApiError, json_response

if TYPE_CHECKING:
    from starlette.requests import Request

    from .authentication import Caller
    from .contract import Operation
    from .recording.record import RecordedRequest
    from .state import EmulatorState

__all__ = ["Dispatcher"]

LARGE = 16_384
"""Bytes of a body from which a request is answered in a thread of its own."""


class Dispatcher:
    """Answers requests, one at a time or several at once."""

    def __init__(self, world: EmulatorState) -> None:
        self._world = world

    async def answer(self, operation: Operation, request: Request) -> Response:
        """Answer a request to an operation."""
        try:
            self._world.gate.check(operation, request.headers.get("host", ""))
            if not is_small(request.headers):
                self._admit(request)
            if operation.form is not None:
                async with read_form(request) as form:
                    return await self._answer_in_turn(operation, request, form)
            body = await read_whole(request, self._world.max_body(operation))
            return await self._answer_in_turn(operation, request, body)
        except ApiError as refused:
            return refused.as_response()

    async def _answer_in_turn(
        self, operation: Operation, request: Request, given: bytes | Form
    ) -> Response:
        """Answer when there is a place for the request, and no sooner than the latency says."""
        latency, slots = self._world.latency, self._world.slots
        loop = asyncio.get_running_loop()
        async with slots.place(request.receive):
            begun = loop.time()
            if isinstance(given, bytes) and len(given) < LARGE and self._world.is_quick(operation):
                response = self._respond(operation, request, given)
            else:
                response = await run_in_threadpool(self._respond, operation, request, given)
            record: RecordedRequest = request.scope[RECORD]
            seconds = latency.seconds(record.tokens or 0, slots.in_flight)
            left = begun + seconds - loop.time()
            if left > 0:
                await wait_unless_disconnected(request.receive, asyncio.sleep(left))
        return response

    def _respond(self, operation: Operation, request: Request, given: bytes | Form) -> Response:
        try:
            answer = self._answer(operation, request, given)
        except ApiError as refused:
            return refused.as_response()
        except ShapeError as error:
            # What JSON Schema takes for an integer, such as 512.0, the models may not.
            return invalid_argument(error.path, error.reason).as_response()
        return answer if isinstance(answer, Response) else json_response(answer)

    def _answer(
        self, operation: Operation, request: Request, given: bytes | Form
    ) -> dict[str, Any] | Response:
        world = self._world
        # The API looks at the body before it looks at the key. We, only where it is small.
        body = self._checked(operation, given, request.headers.get("host", ""))
        query = world.contract.read_query(operation, request.query_params)
        caller = self._admit(request)
        if operation.id in MODEL_HANDLERS:
            answer = world.answer(operation, body, caller)
            tokens: int = answer["usage"]["total_tokens"]
            world.limits.take(caller.owner, body["model"], tokens)
            record: RecordedRequest = request.scope[RECORD]
            record.tokens = tokens
            return answer
        handler = STORE_HANDLERS.get(operation.id)
        if handler is None:
            status, example = world.contract.example(operation)
            headers = {EXAMPLE: operation.id}
            if example is None:
                return Response(status_code=status, headers=headers)
            return json_response(example, status, headers)
        asked = CheckedRequest(
            body,
            request.path_params,
            query,
            caller.owner,
            caller.platform,
            request.method,
            request.headers,
        )
        result = handler(asked, world)
        return result if isinstance(result, Response) else result.to_dict()

    def _admit(self, request: Request) -> Caller:
        headers = request.headers
        return self._world.gate.admit(headers.get("host", ""), headers.get("authorization"))

    def _checked(self, operation: Operation, given: bytes | Form, host: str) -> Any:
        contract = self._world.contract
        if isinstance(given, bytes):
            server = self._world.gate.name(host)
            return contract.read(operation.schema, given, server) if operation.schema else None
        texts = {name: v if isinstance(v, str) else v.filename for name, v in given.items()}
        contract.check(operation.form or "", texts)
        return given
