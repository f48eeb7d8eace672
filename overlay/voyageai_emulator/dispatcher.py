"""Read a request, check it, and pass it to the handler of its operation."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from voyageai_rest.errors import ShapeError

from .batches import BatchEndpoints
from .bodies import Form, is_small, read_body, read_form
from .concurrency import wait_unless_disconnected
from .engine import LexicalEngine
from .error_messages import invalid_argument
from .files import FileEndpoints
from .handlers import MODEL_HANDLERS, QUICK_HANDLERS, Answer, CheckedRequest
from .recording import RECORD
from .responses import ApiError, json_response

if TYPE_CHECKING:
    from starlette.requests import Request

    from .authentication import Caller
    from .batches import Batches
    from .contract import Operation
    from .recording import RecordedRequest
    from .state import EmulatorState

__all__ = ["EXAMPLE", "Dispatcher"]

LARGE = 16_384
"""Bytes of a body from which on a request is answered in a worker thread."""
EXAMPLE = "x-emulator-example"
"""Header of a response that is the contract's example; its value is the operation's id."""

Handler: TypeAlias = Callable[[CheckedRequest], Answer | Response]


class Dispatcher:
    """Answers requests to the contract's operations."""

    def __init__(self, state: EmulatorState, batches: Batches) -> None:
        self._state = state
        files, jobs = FileEndpoints(state), BatchEndpoints(state, batches.wake)
        self._handlers: Mapping[str, Handler] = {
            "uploadFile": files.upload,
            "listFiles": files.list,
            "deleteFiles": files.delete_several,
            "retrieveFile": files.retrieve,
            "deleteFile": files.delete,
            "retrieveFileContent": files.content,
            "createBatch": jobs.create,
            "listBatches": jobs.list,
            "retrieveBatch": jobs.retrieve,
            "cancelBatch": jobs.cancel,
        }

    async def dispatch(self, operation: Operation, request: Request) -> Response:
        """Answer a request to an operation."""
        state = self._state
        try:
            state.authenticator.check_operation(operation, request.headers.get("host", ""))
            if not is_small(request.headers):
                self._authenticate(request)
            if operation.form is not None:
                async with read_form(request, state.batch_limits.max_file_bytes) as form:
                    return await self._answer_in_turn(operation, request, form)
            body = await read_body(request, state.max_body(operation))
            return await self._answer_in_turn(operation, request, body)
        except ApiError as error:
            return error.as_response()

    async def _answer_in_turn(
        self, operation: Operation, request: Request, body: bytes | Form
    ) -> Response:
        """Answer a request once it has a slot, and not before its latency has passed."""
        latency, slots = self._state.latency, self._state.slots
        loop = asyncio.get_running_loop()
        async with slots.acquire(request.receive):
            begun = loop.time()
            if self._is_quick(operation, body):
                response = self._respond(operation, request, body)
            else:
                response = await run_in_threadpool(self._respond, operation, request, body)
            record: RecordedRequest = request.scope[RECORD]
            seconds = latency.seconds(record.tokens or 0, slots.in_flight)
            left = begun + seconds - loop.time()
            if left > 0:
                await wait_unless_disconnected(request.receive, asyncio.sleep(left))
        return response

    def _is_quick(self, operation: Operation, body: bytes | Form) -> bool:
        """Return whether the answer takes less time than handing it to a thread."""
        return (
            isinstance(body, bytes)
            and len(body) < LARGE
            and operation.id in QUICK_HANDLERS
            and isinstance(self._state.engine, LexicalEngine)
        )

    def _respond(self, operation: Operation, request: Request, body: bytes | Form) -> Response:
        try:
            return self._answer(operation, request, body)
        except ApiError as error:
            return error.as_response()
        except ShapeError as error:
            # JSON Schema accepts 512.0 as an integer, which the models may not.
            return invalid_argument(error.path, error.reason).as_response()

    def _answer(self, operation: Operation, request: Request, body: bytes | Form) -> Response:
        # The API checks the body before the key; the emulator does so only for small bodies.
        checked = self._check(operation, body, request.headers.get("host", ""))
        query = self._state.contract.read_query(operation, request.query_params)
        caller = self._authenticate(request)
        if operation.id in MODEL_HANDLERS:
            return self._answer_by_model(operation, request, checked, caller)
        handler = self._handlers.get(operation.id)
        if handler is None:
            return self._example(operation)
        answer = handler(
            CheckedRequest(
                checked,
                request.path_params,
                query,
                caller.owner,
                caller.platform,
                request.method,
                request.headers,
            )
        )
        return answer if isinstance(answer, Response) else json_response(answer.to_dict())

    def _check(self, operation: Operation, body: bytes | Form, host: str) -> Any:
        """Check a body against its schema, and return it with its defaults."""
        contract = self._state.contract
        if isinstance(body, bytes):
            server = self._state.authenticator.server_name(host)
            return contract.read(operation.schema, body, server) if operation.schema else None
        texts = {name: v if isinstance(v, str) else v.filename for name, v in body.items()}
        contract.check(operation.form or "", texts)
        return body

    def _authenticate(self, request: Request) -> Caller:
        headers = request.headers
        return self._state.authenticator.authenticate(
            headers.get("host", ""), headers.get("authorization")
        )

    def _answer_by_model(
        self, operation: Operation, request: Request, body: dict[str, Any], caller: Caller
    ) -> Response:
        context = self._state.model_context(operation, caller)
        answer = MODEL_HANDLERS[operation.id](body, context).to_dict()
        tokens: int = answer["usage"]["total_tokens"]
        quota = self._state.accounts.quota(caller.owner, body["model"])
        self._state.limits.take(caller.owner, body["model"], tokens, quota)
        record: RecordedRequest = request.scope[RECORD]
        record.tokens = tokens
        return json_response(answer)

    def _example(self, operation: Operation) -> Response:
        """Answer an operation that has no handler with the contract's example."""
        status, example = self._state.contract.example(operation)
        headers = {EXAMPLE: operation.id}
        if example is None:
            return Response(status_code=status, headers=headers)
        return json_response(example, status, headers)
