"""One request, as the emulator saw and answered it."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import voyageai_rest.models
from voyageai_rest.errors import ShapeError
from voyageai_rest.operations import OPERATIONS

from ..connections import connection_of
from ..contract import is_crowded, no_constant

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Scope
    from voyageai_rest.types import Model

    from ..faults.fault import Fault

__all__ = ["RECORD", "RecordedRequest", "fingerprint"]

RECORD = "voyageai_emulator.record"
"""Where in the scope the record of a request stands."""
HIDDEN = frozenset(
    [b"authorization", b"proxy-authorization", b"cookie", b"x-api-key", b"x-emulator-token"]
)
"""Headers that hold credentials, whose values are not kept."""
MAX_KEPT = 8_388_608
"""Bytes that are kept of one body."""
REQUESTS = {operation.id: operation.request for operation in OPERATIONS}


def fingerprint(key: str) -> str:
    """What a record holds of an API key: enough to tell two apart, not to find one out."""
    return hashlib.blake2s(key.encode("utf-8", "replace"), digest_size=6).hexdigest()


class RecordedRequest:
    """A request. It is recorded when it arrives and completed before its answer is.

    Attributes:
        number: 1 for the first.
        time: When it arrived, in seconds of the emulator's clock.
        id: The ``x-request-id`` of its answer.
        operation: Id of its operation; None if it is to none.
        method: HTTP method.
        path: Path, without what names a fault.
        query: Query string.
        key: `fingerprint` of its API key; None if it has none.
        size: Bytes of its body.
        cut: Whether the body was too large to be kept whole.
        status: The status answered; None if there was no answer, or not yet.
        tokens: What the answer counts it at; None if that was not worked out.
        fault: The fault that happened to it.
        duration: Seconds until its answer was ready to send whole; None before.
        went_away: Whether the client ended the connection before that.
        done: Whether the emulator is done with it.
    """

    def __init__(
        self,
        number: int,
        time: float,
        id: str,
        operation: str | None,
        scope: Scope,
        timer: Callable[[], float],
        on_done: Callable[[RecordedRequest], None],
    ) -> None:
        self.number = number
        self.time = time
        self.id = id
        self.operation = operation
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.query: str = scope["query_string"].decode("latin-1")
        self.key: str | None = None
        self.size = 0
        self.cut = False
        self.status: int | None = None
        self.tokens: int | None = None
        self.fault: Fault | None = None
        self.duration: float | None = None
        self.went_away = False
        self.done = False
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        self._headers = [pair for pair in headers if pair[0] not in HIDDEN]
        for name, value in headers:
            if name in HIDDEN:
                self._headers.append((name, b"hidden"))
                if name == b"authorization":
                    self.key = fingerprint(value.decode("latin-1").partition(" ")[2].strip())
        self._parts: list[bytes] = []
        self._connection = connection_of(scope)
        self._timer = timer
        self._begun = timer()
        self._on_done = on_done

    @property
    def headers(self) -> dict[str, str]:
        """Headers by name in lower case, those that repeat joined; credentials are hidden."""
        headers: dict[str, str] = {}
        for raw_name, raw_value in self._headers:
            name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        return headers

    @property
    def raw(self) -> bytes:
        """The body as it came, as much of it as was read and kept; empty once it is forgotten."""
        return b"".join(self._parts)

    @property
    def body(self) -> Any:
        """The body as decoded JSON; None if it is not JSON, not kept whole, or refused unread."""
        raw = self.raw
        if self.cut or is_crowded(raw):
            return None
        try:
            return json.loads(raw, parse_constant=no_constant)
        except (ValueError, RecursionError):
            return None

    @property
    def model(self) -> Model | None:
        """The body as the contract's model; None if the operation has none or it does not fit."""
        name = REQUESTS.get(self.operation or "")
        if name is None:
            return None
        try:
            model: Model = getattr(voyageai_rest.models, name).from_dict(self.body)
        except ShapeError:
            return None
        return model

    def as_json(self) -> dict[str, Any]:
        """The record as JSON has it."""
        return {
            "number": self.number,
            "time": self.time,
            "id": self.id,
            "operation": self.operation,
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "headers": self.headers,
            "key": self.key,
            "size": self.size,
            "cut": self.cut,
            "body": self.body,
            "status": self.status,
            "tokens": self.tokens,
            "duration": self.duration,
            "fault": None if self.fault is None else str(self.fault),
            "went_away": self.went_away,
            "done": self.done,
        }

    def __repr__(self) -> str:
        if "fault" not in vars(self):
            return "<request, half built>"
        fault = "" if self.fault is None else f", {self.fault}"
        return f"<request {self.number}: {self.method} {self.path}, status {self.status}{fault}>"

    def add(self, part: bytes) -> None:
        """Take in a part of the body."""
        kept = part[: max(MAX_KEPT - self.size, 0)]
        if kept:
            self._parts.append(kept)
        self.cut |= len(kept) < len(part)
        self.size += len(part)

    @property
    def kept(self) -> int:
        """Bytes of the body that are kept."""
        return sum(map(len, self._parts))

    def forget(self) -> int:
        """Drop the body, and tell how many bytes that were."""
        dropped = self.kept
        self._parts = []
        return dropped

    def answer(self, status: int) -> None:
        """Note what is answered, if anybody is there to read it."""
        if not self._left():
            self.status = status

    def finish(self) -> None:
        """Complete the record, once."""
        if self.done:
            return
        self.duration = self._timer() - self._begun
        self.went_away = self._left()
        self.done = True
        self._on_done(self)

    def _left(self) -> bool:
        connection = self._connection
        return connection is not None and connection.lost and not connection.hung_up
