"""Record every request to the API in memory, and optionally in a file."""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TYPE_CHECKING, overload

from voyageai.disk import private_opener

from .record import RECORD, RecordedRequest, fingerprint

if TYPE_CHECKING:
    from os import PathLike

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from ..contract import Contract

__all__ = [
    "RECORD",
    "RecordFile",
    "RecordedRequest",
    "RecordedRequests",
    "RecordingMiddleware",
    "fingerprint",
]

LOGGER = logging.getLogger(__name__)


class RecordedRequests(Sequence[RecordedRequest]):
    """The requests that an emulator received, in order of arrival. Safe to read while it serves.

    A request is added when it arrives, and complete when its response is. Beyond `limit` the oldest
    requests are dropped, beyond `max_bytes` the oldest bodies.

    Args:
        operations: Ids of the contract's operations.
        limit: Maximum of requests to keep.
        max_bytes: Maximum of bytes of bodies to keep.
        clock: Clock for `RecordedRequest.time`, in seconds since 1970.
        timer: Monotonic clock for durations, in seconds.
        on_done: Called with each complete request, in the emulator's thread.

    Example:
        >>> from voyageai_emulator import running
        >>> with running() as emulator:
        ...     len(emulator.requests)
        0
    """

    def __init__(
        self,
        operations: Collection[str] = (),
        *,
        limit: int = 10_000,
        max_bytes: int = 67_108_864,
        clock: Callable[[], float] = time.time,
        timer: Callable[[], float] = time.perf_counter,
        on_done: Callable[[RecordedRequest], None] | None = None,
    ) -> None:
        self._operations = frozenset(operations)
        self._limit = limit
        self._max_bytes = max_bytes
        self._clock = clock
        self._timer = timer
        self._on_done = on_done
        self._changed = threading.Condition()
        self._kept: deque[RecordedRequest] = deque(maxlen=limit)
        self._with_body: deque[RecordedRequest] = deque()
        self._bytes = 0
        self._count = 0
        self._in_progress = 0

    def __len__(self) -> int:
        return len(self._kept)

    @overload
    def __getitem__(self, index: int) -> RecordedRequest: ...
    @overload
    def __getitem__(self, index: slice) -> list[RecordedRequest]: ...
    def __getitem__(self, index: int | slice) -> RecordedRequest | list[RecordedRequest]:
        with self._changed:
            return list(self._kept)[index]

    def __iter__(self) -> Iterator[RecordedRequest]:
        # Over one copy: the iterator of `Sequence` would make one for each request.
        return iter(self[:])

    def __repr__(self) -> str:
        return f"<{len(vars(self).get('_kept', ()))} requests>"

    @property
    def last(self) -> RecordedRequest:
        """The latest request.

        Raises:
            LookupError: No request has been recorded.
        """
        try:
            return self._kept[-1]
        except IndexError:
            raise LookupError("no request has been recorded") from None

    def of(self, operation: str) -> list[RecordedRequest]:
        """Return the requests to an operation, by its id.

        Raises:
            ValueError: The operation is unknown.
        """
        if operation not in self._operations:
            raise ValueError(f"there is no operation {operation!r}")
        return [request for request in self[:] if request.operation == operation]

    def clear(self) -> None:
        """Remove all requests. The numbers of later requests continue."""
        with self._changed:
            self._kept.clear()
            self._with_body.clear()
            self._bytes = 0

    def settle(self, *, timeout: float = 5.0) -> int:
        """Wait until no request is in progress.

        The server notices only later that a client has disconnected.

        Args:
            timeout: Maximum of seconds to wait.

        Returns:
            The number of requests in progress.
        """
        with self._changed:
            self._changed.wait_for(lambda: not self._in_progress, timeout)
            return self._in_progress

    def begin(self, scope: Scope, operation: str | None) -> RecordedRequest:
        """Add a request on its arrival."""
        with self._changed:
            self._count += 1
            self._in_progress += 1
            record = RecordedRequest(
                self._count,
                self._clock(),
                os.urandom(16).hex(),
                operation,
                scope,
                self._timer,
                self._done,
            )
            self._kept.append(record)
        return record

    def _done(self, record: RecordedRequest) -> None:
        if self._on_done is not None:
            self._on_done(record)
        with self._changed:
            self._bytes += record.kept
            self._with_body.append(record)
            while self._bytes > self._max_bytes or len(self._with_body) > self._limit:
                self._bytes -= self._with_body.popleft().drop_body()
            self._in_progress -= 1
            self._changed.notify_all()


class RecordingMiddleware:
    """ASGI middleware that records requests and their responses."""

    def __init__(
        self, app: ASGIApp, requests: RecordedRequests, contracts: Sequence[Contract]
    ) -> None:
        self._app = app
        self._requests = requests
        self._contracts = contracts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, with its record in the scope."""
        found = (each.find(scope["method"], scope["path"]) for each in self._contracts)
        operation = next((one for one in found if one is not None), None)
        record = self._requests.begin(scope, operation and operation.id)

        async def recording_receive() -> Message:
            message = await receive()
            body = message.get("body")
            if body:
                record.add(body)
            return message

        async def recording_send(message: Message) -> None:
            # Complete the record before the last bytes are sent, so that the client sees it
            # complete.
            if message["type"] == "http.response.start":
                record.set_status(message["status"])
            elif not message.get("more_body", False):
                record.finish()
            await send(message)

        try:
            await self._app({**scope, RECORD: record}, recording_receive, recording_send)
        finally:
            record.finish()


class RecordFile:
    """A file with a line of JSON for each request; after a write error no more are added.

    The file contains texts, so only its owner can read it.
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        # Unbuffered, so that closing does not have to write.
        self._file = open(path, "ab", buffering=0, opener=private_opener)  # noqa: SIM115  # `Path.open` takes no opener; closed by `close`
        self._lock = threading.Lock()
        self._broken = False

    def write(self, record: RecordedRequest) -> None:
        """Append a request. An error is logged once, as the response must still be sent."""
        if self._broken:
            return
        line = json.dumps(record.as_json()).encode() + b"\n"
        with self._lock:
            try:
                while line:
                    line = line[self._file.write(line) :]
            except OSError as error:
                self._broken = True
                LOGGER.error(  # noqa: TRY400  # the reason is enough
                    "requests are no longer recorded in %s: %s", self._file.name, error.strerror
                )

    def close(self) -> None:
        """Close the file."""
        self._file.close()
