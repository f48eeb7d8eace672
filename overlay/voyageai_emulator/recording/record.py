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
"""Key of the request's record in an ASGI scope."""
HIDDEN = re.compile(rb"auth|cookie|api-?key|token|secret|password|credential|signature")
"""Headers with credentials, also those of gateways and clouds, whose values are not recorded."""
MAX_KEPT = 8_388_608
"""Maximum of bytes kept of a body."""
REQUESTS = {operation.id: operation.request for operation in OPERATIONS}


def fingerprint(key: str) -> str:
    """Return a hash of an API key, which distinguishes keys without revealing them."""
    return hashlib.blake2s(key.encode("utf-8", "replace"), digest_size=6).hexdigest()


class RecordedRequest:
    """A request and its response, recorded on arrival and complete before the response is sent.

    Attributes:
        number: 1 for the first.
        time: Time of arrival, in seconds of the emulator's clock.
        id: The ``x-request-id`` of its response.
        operation: Id of its operation; None if the contract has no such operation.
        method: HTTP method.
        path: Path, without a fault in the URL.
        query: Query string.
        key: `fingerprint` of its API key; None if it has none.
        size: Bytes of its body.
        cut: True if the body was too large to be kept completely.
        status: Status of its response; None if there was none, or not yet.
        tokens: Tokens in its response; None if none were counted.
        fault: The fault that happened to it; None if there was none.
        duration: Seconds until its response was ready to send; None until then.
        disconnected: True if the client closed the connection before its response was ready.
        done: True once the emulator has finished with the request.
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
        self.disconnected = False
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
        """Headers by lower-case name, with repeated ones joined and credentials hidden."""
        headers: dict[str, str] = {}
        for raw_name, raw_value in self._headers:
            name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        return headers

    @property
    def raw(self) -> bytes:
        """The body as received, as far as it was read and kept; empty once it is dropped."""
        return b"".join(self._parts)

    @property
    def body(self) -> Any:
        """The body as decoded JSON; None if it is not JSON, or was not read or kept completely."""
        raw = self.raw
        if self.cut or has_too_many_values(raw):
            return None
        try:
            return json.loads(raw, parse_constant=refuse_constant)
        except (ValueError, RecursionError):
            return None

    @property
    def model(self) -> Model | None:
        """The body as a model of the contract; None if there is no model, or it does not match."""
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
            "disconnected": self.disconnected,
            "done": self.done,
        }

    def __repr__(self) -> str:
        if "fault" not in vars(self):
            return "<request, not initialized>"
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
        """Record the status of the response, unless the client has disconnected."""
        if not self._has_client_left():
            self.status = int(status)  # an `HTTPStatus` would have another repr

    def finish(self) -> None:
        """Complete the record; further calls have no effect."""
        if self.done:
            return
        self.duration = self._timer() - self._begun
        self.disconnected = self._has_client_left()
        self.done = True
        self._on_done(self)

    def _has_client_left(self) -> bool:
        connection = self._connection
        return connection is not None and connection.lost and not connection.hung_up
