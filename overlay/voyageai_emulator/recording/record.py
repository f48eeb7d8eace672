"""The record of one request and its response."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

import voyageai_rest.models
from voyageai_rest.errors import ShapeError
from voyageai_rest.operations import OPERATIONS

from ..bodies import has_too_many_values, refuse_constant
from ..connections import connection_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Scope
    from voyageai_rest.types import Model

    from ..faults.fault import Fault

__all__ = ["RECORD", "RecordedRequest", "fingerprint"]

RECORD = "voyageai_emulator.record"
"""Key of an ASGI scope under which the request's record is."""
HIDDEN = re.compile(rb"auth|cookie|api-?key|token|secret|password|credential|signature")
"""Names of headers with credentials, of gateways and clouds too, whose values are not kept."""
MAX_KEPT = 8_388_608
"""Bytes of one body that are kept."""
REQUESTS = {operation.id: operation.request for operation in OPERATIONS}


def fingerprint(key: str) -> str:
    """Return a hash of an API key, which tells two keys apart and reveals neither."""
    return hashlib.blake2s(key.encode("utf-8", "replace"), digest_size=6).hexdigest()


class RecordedRequest:
    """A request and its response. It is recorded on arrival and complete before its response is.

    Attributes:
        number: 1 for the first.
        time: Time of arrival, in seconds of the emulator's clock.
        id: The ``x-request-id`` of its response.
        operation: Id of its operation; None if the contract has none for it.
        method: HTTP method.
        path: Path, without a fault that it names.
        query: Query string.
        key: `fingerprint` of its API key; None if it has none.
        size: Bytes of its body.
        cut: Whether the body was too large to be kept whole.
        status: Status of its response; None if there was none, or not yet.
        tokens: Tokens by its response; None if they were not counted.
        fault: The fault that happened to it.
        duration: Seconds until its response was ready to send; None before.
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
        self._headers = [
            (name, b"hidden" if HIDDEN.search(name) else value) for name, value in headers
        ]
        for name, value in headers:
            if name == b"authorization":
                self.key = fingerprint(value.decode("latin-1").partition(" ")[2].strip())
        self._parts: list[bytes] = []
        self._connection = connection_of(scope)
        self._timer = timer
        self._begun = timer()
        self._on_done = on_done

    @property
    def headers(self) -> dict[str, str]:
        """Headers by name in lower case, repeated ones joined, credentials hidden."""
        headers: dict[str, str] = {}
        for raw_name, raw_value in self._headers:
            name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        return headers

    @property
    def raw(self) -> bytes:
        """The body as received, as much as was read and kept; empty once it is dropped."""
        return b"".join(self._parts)

    @property
    def body(self) -> Any:
        """The body as decoded JSON; None if it is not JSON, not kept whole, or refused unread."""
        raw = self.raw
        if self.cut or has_too_many_values(raw):
            return None
        try:
            return json.loads(raw, parse_constant=refuse_constant)
        except (ValueError, RecursionError):
            return None

    @property
    def model(self) -> Model | None:
        """The body as a model of the contract; None if there is no model or it does not fit."""
        name = REQUESTS.get(self.operation or "")
        if name is None:
            return None
        try:
            model: Model = getattr(voyageai_rest.models, name).from_dict(self.body)
        except ShapeError:
            return None
        return model

    def as_json(self) -> dict[str, Any]:
        """Return the record as a JSON object."""
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
        """Add a part of the body."""
        kept = part[: max(MAX_KEPT - self.size, 0)]
        if kept:
            self._parts.append(kept)
        self.cut |= len(kept) < len(part)
        self.size += len(part)

    @property
    def kept(self) -> int:
        """Bytes of the body that are kept."""
        return sum(map(len, self._parts))

    def drop_body(self) -> int:
        """Drop the body and return its bytes."""
        dropped = self.kept
        self._parts = []
        return dropped

    def set_status(self, status: int) -> None:
        """Record the status of the response, unless the client has left."""
        if not self._has_client_left():
            self.status = int(status)  # a member of `HTTPStatus` would be shown as such

    def finish(self) -> None:
        """Complete the record, once."""
        if self.done:
            return
        self.duration = self._timer() - self._begun
        self.went_away = self._has_client_left()
        self.done = True
        self._on_done(self)

    def _has_client_left(self) -> bool:
        connection = self._connection
        return connection is not None and connection.lost and not connection.hung_up
