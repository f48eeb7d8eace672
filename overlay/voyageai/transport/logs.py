"""One log line per attempt, to the logger `voyageai`; formatted only if a handler takes it.

A success is logged at DEBUG, a failure at INFO, even the last one: Python prints warnings where
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

Answer = httpx2.Response | httpx2.RequestError
"""The outcome of an attempt: transports return errors of HTTP, and raise all others."""
LOGGER = logging.getLogger("voyageai")
# The official client's logger: programs that configure it still get the lines.
LOGGER.parent = logging.getLogger("voyage")
BODIES = logging.getLogger("voyageai.bodies")
BODIES.setLevel(logging.WARNING)
LEVELS = {"info": logging.INFO, "debug": logging.DEBUG}
DATA_URL = re.compile(r"(data:[\w/+.-]*;base64,)[A-Za-z0-9+/=]{20,}")


def configure(setting: str | None, environment: Mapping[str, str] = os.environ) -> None:
    """Print log lines to stderr if a setting asks for it; once, however many clients there are.

    Args:
        setting: `voyageai.log`: info or debug.
        environment: Environment variables; VOYAGE_LOG is read if `setting` is None or empty.
    """
    level = LEVELS.get(setting or environment.get("VOYAGE_LOG", ""))
    if level is None:
        return
    LOGGER.setLevel(level)
    if not any(isinstance(handler, _Console) for handler in LOGGER.handlers):
        handler = _Console(sys.stderr)
        handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
        LOGGER.addHandler(handler)


class _Console(logging.StreamHandler):  # type: ignore[type-arg]  # generic in the stubs only
    """The handler of `configure`, a class of its own so that it is recognized."""


class Log:
    """Logs the attempts of one call, and records them in its span.

    Args:
        request: The request.
        clock: A monotonic clock, in seconds.
        span: The record of the call; it is started here. None without telemetry.
        confidential: True if responses hold a secret: their bodies are not logged.
    """

    def __init__(
        self,
        request: httpx2.Request,
        clock: Callable[[], float],
        span: CallSpan | None,
        confidential: bool,
    ) -> None:
        self.request = request
        self.clock = clock
        self.span = span
        self.confidential = confidential
        self.attempt = 0
        self.start = 0.0
        if span is not None:
            span.begin(request.url, request.headers)

    def started(self, attempt: int, now: float) -> None:
        """Record that an attempt begins."""
        self.attempt, self.start = attempt, now
        if self.span is not None:
            self.span.sent(attempt)
        if BODIES.isEnabledFor(logging.DEBUG):
            BODIES.debug("> %s", _redacted(self.request))

    def ended(self, level: int, answer: Answer, outcome: str, *values: object) -> None:
        """Log how an attempt ended: its answer, and what follows, as a format and its values."""
        if LOGGER.isEnabledFor(level):
            self._line(level, answer, outcome % values)
        if isinstance(answer, httpx2.Response):
            if self.span is not None:
                self.span.answered(answer.status_code, answer.headers.get(REQUEST_ID))
            if not self.confidential and BODIES.isEnabledFor(logging.DEBUG):
                BODIES.debug("< %s", _redacted(answer))

    def _line(self, level: int, answer: Answer, rest: str) -> None:
        status, name = type(answer).__name__, "-"
        if isinstance(answer, httpx2.Response):
            status = str(answer.status_code)
            name = printable(answer.headers.get(REQUEST_ID, "-"), ID_LIMIT)
        LOGGER.log(
            level,
            "%s %s %s request %s, attempt %d, %.3f s, %s",
            *(self.request.method, self.request.url.path, status, name),
            *(self.attempt, self.clock() - self.start, rest),
        )


def _redacted(message: httpx2.Request | httpx2.Response) -> str:
    try:
        body = message.content
    except httpx2.StreamError:  # the body was not read
        return "<a stream>"
    return printable(DATA_URL.sub(r"\1...", body.decode("utf-8", "replace")), limit=None)
