"""The state of a download, which continues when its connection breaks. No I/O."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import attrs

from ..error import APIError, DeadlineError, MalformedResponseError, VoyageError
from ..retry import GiveUp, ServerHint, is_transient
from . import calls

if TYPE_CHECKING:
    from ..calls import Call
    from ..flow import Environment
    from ..options import CallOptions, Options
    from ..transport.streams import Stream

MAX_BREAKS = 3
"""Breaks in a row without another byte that a download survives; `max_retries` if that is more."""
IDENTITY = {"Accept": "*/*", "Accept-Encoding": "identity"}
RANGE = re.compile(r"bytes ([0-9]{1,18})-[0-9]{1,18}/(?:([0-9]{1,18})|\*)", re.IGNORECASE)


class Download:
    """The state of the download of a file.

    If the connection breaks, the rest is requested. If the server sends the whole content again,
    the part that has arrived before is skipped.

    Args:
        file_id: Id of the file.
        given: The user's options of the call.
        options: The complete options, with the client's.
        environment: Clocks and randomness.
        whole: True if the deadline of the call is for the whole content; otherwise it is for its
            first byte, as the reader may take any time.

    Attributes:
        received: Bytes of the content that have arrived, those of earlier downloads included.
        total: Bytes of the whole content; None until known.
    """

    def __init__(
        self,
        file_id: str,
        given: CallOptions,
        options: Options,
        environment: Environment,
        *,
        whole: bool,
    ) -> None:
        self.received = 0
        self.total: int | None = None
        self._file_id = file_id
        self._whole = whole
        self._given = given
        self._policy = attrs.evolve(
            options.max_retries, max_retries=max(options.max_retries.max_retries, MAX_BREAKS)
        )
        self._environment = environment
        seconds = options.whole if whole else None
        self._deadline = None if seconds is None else environment.clock() + seconds
        self._seconds = seconds
        self._opened = False
        self._ranges = True
        self._etag: str | None = None
        self._to_skip = 0
        self._breaks = 0
        self._broke_at = 0

    def next(self) -> tuple[Call[Stream], CallOptions]:
        """Return the call for the missing part, and its options.

        Raises:
            DeadlineError: The deadline for the whole content has passed.
        """
        headers = {**IDENTITY, **(self._given.get("extra_headers") or {})}
        if self.received and self._ranges:
            headers["Range"] = f"bytes={self.received}-"
            if self._etag is not None:
                headers["If-Range"] = self._etag
        options: CallOptions = {**self._given, "extra_headers": headers}
        if self._deadline is not None:
            self._check_time()
            options["deadline"] = self._left()
        return calls.content(self._file_id, whole=self._whole), options

    def opened(self, stream: Stream) -> None:
        """Record the headers of a response.

        Raises:
            VoyageError: The response does not continue the part that has arrived.
        """
        headers = stream.headers
        etag = headers.get("etag")
        if etag is not None and not etag.startswith("W/"):
            if self._etag not in (None, etag):
                raise self._error(APIError, "its content changed while it was read", stream)
            self._etag = etag
        self._to_skip, total = self.received, None
        if headers.get("content-encoding", "identity").lower() != "identity":
            self._ranges = False  # offsets would be those of the compressed bytes
        elif stream.status_code == 206:
            match = RANGE.fullmatch(headers.get("content-range", ""))
            if match is None or int(match[1]) > self.received:
                raise self._error(MalformedResponseError, "the server sent another part", stream)
            self._to_skip = self.received - int(match[1])
            total = int(match[2]) if match[2] else None
        elif headers.get("content-length", "").isdigit():
            total = int(headers["content-length"])
        if total is not None and self.total not in (None, total):
            raise self._error(APIError, "its length changed while it was read", stream)
        self.total = total if self.total is None else self.total
        self._opened = True

    def take(self, piece: bytes) -> bytes:
        """Count a piece, and return its new bytes.

        Raises:
            DeadlineError: The deadline for the whole content has passed.
        """
        self._check_time()
        skipped = min(len(piece), self._to_skip)
        self._to_skip -= skipped
        self.received += len(piece) - skipped
        return piece[skipped:] if skipped else piece

    def end(self, expected: int | None = None) -> None:
        """Check the number of bytes at the end of the download.

        Args:
            expected: Size of the file in bytes, if known.

        Raises:
            MalformedResponseError: More or fewer bytes have arrived.
        """
        for size in (self.total, expected):
            if size is not None and self.received != size:
                raise MalformedResponseError(
                    f"{self._file_id} has {size} bytes, but {self.received} arrived"
                )

    def retry_delay(self, failure: VoyageError) -> float:
        """Return the seconds to wait after a failure before the rest is requested.

        Raises:
            VoyageError: `failure`, if the download can't continue.
        """
        if self._ranges and failure.http_status == 416 and self.received:
            self._ranges = False
            return 0.0
        if not self._opened or not is_transient(failure):
            raise failure
        self._breaks = 1 if self.received > self._broke_at else self._breaks + 1
        self._broke_at = self.received
        hint = ServerHint(seconds=failure.retry_after)
        decision = self._policy.decide(
            self._breaks - 1, None, hint, random=self._environment.random(), left=self._left()
        )
        if isinstance(decision, GiveUp):
            raise failure
        return decision.seconds

    def _left(self) -> float | None:
        return None if self._deadline is None else self._deadline - self._environment.clock()

    def _check_time(self) -> None:
        if self._deadline is not None and self._environment.clock() >= self._deadline:
            raise DeadlineError(
                f"{self._file_id} took longer than its deadline of {self._seconds:g} s; "
                f"{self.received} bytes had arrived"
            )

    def _error(self, kind: type[APIError], reason: str, stream: Stream) -> APIError:
        return kind(
            f"the download of {self._file_id} can't continue: {reason}",
            http_status=stream.status_code,
            headers=stream.headers,
        )
