"""The requests that an emulator has seen, the latest of them kept."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TYPE_CHECKING, overload

from .record import RecordedRequest

if TYPE_CHECKING:
    from starlette.types import Scope

__all__ = ["Requests"]


class Requests(Sequence[RecordedRequest]):
    """A sequence of requests, in order of arrival. Safe to read while the emulator serves.

    A request is there as soon as it arrives, and complete when its answer is. Of too many the
    oldest are dropped; of bodies that together are too large the oldest are forgotten.

    Args:
        operations: Ids of the operations there are.
        limit: Requests to keep.
        max_bytes: Bytes of bodies to keep.
        clock: Tells the time, in seconds.
        timer: Tells seconds that pass, for durations.
        on_done: Is given each request when it is complete, in the emulator's thread.

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
        self._under_way = 0

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
        # As there are now, in one copy: that of `Sequence` would make one for each.
        return iter(self[:])

    def __repr__(self) -> str:
        return f"<{len(vars(self).get('_kept', ()))} requests>"

    @property
    def last(self) -> RecordedRequest:
        """The latest.

        Raises:
            LookupError: There is none.
        """
        try:
            return self._kept[-1]
        except IndexError:
            raise LookupError("no request has been recorded") from None

    def of(self, operation: str) -> list[RecordedRequest]:
        """Those to an operation, by its id.

        Raises:
            ValueError: There is no such operation.
        """
        if operation not in self._operations:
            raise ValueError(f"there is no operation {operation!r}")
        return [request for request in self[:] if request.operation == operation]

    def clear(self) -> None:
        """Drop all. Numbers go on."""
        with self._changed:
            self._kept.clear()
            self._with_body.clear()
            self._bytes = 0

    def settle(self, *, timeout: float = 5.0) -> int:
        """Wait until none is under way, as the server hears late of a client that goes away.

        Args:
            timeout: Seconds to wait at most.

        Returns:
            How many are under way then.
        """
        with self._changed:
            self._changed.wait_for(lambda: not self._under_way, timeout)
            return self._under_way

    def begin(self, scope: Scope, operation: str | None) -> RecordedRequest:
        """Record a request that arrives."""
        with self._changed:
            self._count += 1
            self._under_way += 1
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
                self._bytes -= self._with_body.popleft().forget()
            self._under_way -= 1
            self._changed.notify_all()
