"""One line per attempt, to the logger `voyageai`; nothing is formatted that no handler takes.

A success is a line at DEBUG, a failure one at INFO, even the last: Python prints warnings where
logging is not set up, and the exception says the same.

Lines never hold the key, a query string or a body, and are always printable. Bodies go to the
logger `voyageai.bodies` at DEBUG, which is off until its level is set.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import httpx2
from voyageai_rest.errors import REQUEST_ID, printable

from ..error import ID_LIMIT

if TYPE_CHECKING:
    from ..telemetry.recorder import CallSpan

LOGGER = logging.getLogger("voyageai")
# The official client's logger: programs that configure it still get the lines.
LOGGER.parent = logging.getLogger("voyage")
BODIES = logging.getLogger("voyageai.bodies")
BODIES.setLevel(logging.WARNING)
LEVELS = {"info": logging.INFO, "debug": logging.DEBUG}
DATA_URL = re.compile(r"(data:[\w/+.-]*;base64,)[A-Za-z0-9+/=]{20,}")


def configure(setting: str | None, environment: Mapping[str, str] = os.environ) -> None:
    """Print lines to stderr if a setting asks for it; each once, however many clients there are.

    Args:
        setting: `voyageai.log`: info or debug.
        environment: Environment variables; VOYAGE_LOG is read without a setting.
    """
    level = LEVELS.get(setting or environment.get("VOYAGE_LOG", ""))
    if level is None:
        return
    LOGGER.setLevel(level)
    if not any(isinstance(handler, _Console) for handler in LOGGER.handlers):
        handler = _Console(sys.stderr)
        handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
        LOGGER.addHandler(handler)


class _Console(logging.StreamHandler):  # type: ignore[type-arg]  # of any stream
    """The handler that `configure` adds, so that it finds it again."""


class Log:
    """The lines of one call, and what its span notes of each attempt.

    Args:
        request: What is sent.
        clock: Seconds that only go forwards.
        span: Records the call, and begins here.
        confidential: Whether the bodies of its answers hold a secret.
    """

    def __init__(
        self,
        request: httpx2.Request,
        clock: Callable[[], float],
        span: CallSpan | None = None,
        *,
        confidential: bool = False,
    ) -> None:
        self._confidential = confidential
        self._request = request
        self._clock = clock
        self._attempt = 0
        self._start = 0.0
        self._span = span
        if span is not None:
            span.begin(request.url, request.headers)

    def start(self, attempt: int) -> None:
        """Note that an attempt begins."""
        self._attempt, self._start = attempt, self._clock()
        if self._span is not None:
            self._span.sent(attempt)
        if BODIES.isEnabledFor(logging.DEBUG):
            BODIES.debug("> %s", _redacted(_content(self._request)))

    def done(self, answer: httpx2.Response, tokens: int | None) -> None:
        """Log that the call has a result."""
        if LOGGER.isEnabledFor(logging.DEBUG):
            self._line(logging.DEBUG, answer, f"{'-' if tokens is None else tokens} tokens")
        self._end(answer)

    def retrying(
        self, answer: httpx2.Response | httpx2.RequestError | None, seconds: float
    ) -> None:
        """Log that the attempt failed, and there will be another."""
        if LOGGER.isEnabledFor(logging.INFO):
            self._line(logging.INFO, answer, f"trying again in {seconds:.3g} s")
        self._end(answer)

    def failed(self, answer: httpx2.Response | httpx2.RequestError | None) -> None:
        """Log that the attempt failed, and was the last."""
        if LOGGER.isEnabledFor(logging.INFO):
            self._line(logging.INFO, answer, "giving up")
        self._end(answer)

    def _line(
        self, level: int, answer: httpx2.Response | httpx2.RequestError | None, rest: str
    ) -> None:
        status, name = type(answer).__name__, "-"
        if isinstance(answer, httpx2.Response):
            status = str(answer.status_code)
            name = printable(answer.headers.get(REQUEST_ID, "-"), ID_LIMIT)
        LOGGER.log(
            level,
            "%s %s %s request %s, attempt %d, %.3f s, %s",
            self._request.method,
            self._request.url.path,
            status,
            name,
            self._attempt,
            self._clock() - self._start,
            rest,
        )

    def _end(self, answer: httpx2.Response | httpx2.RequestError | None) -> None:
        if self._span is not None and isinstance(answer, httpx2.Response):
            self._span.answered(answer.status_code, answer.headers.get(REQUEST_ID))
        if self._confidential:
            return
        if BODIES.isEnabledFor(logging.DEBUG) and isinstance(answer, httpx2.Response):
            BODIES.debug("< %s", _redacted(_answered(answer)))


def _content(request: httpx2.Request) -> bytes:
    try:
        return request.content
    except httpx2.RequestNotRead:
        return b"<a stream>"


def _answered(answer: httpx2.Response) -> bytes:
    try:
        return answer.content
    except httpx2.ResponseNotRead:
        return b"<a stream>"


def _redacted(body: bytes) -> str:
    return printable(DATA_URL.sub(r"\1...", body.decode("utf-8", "replace")), limit=None)
