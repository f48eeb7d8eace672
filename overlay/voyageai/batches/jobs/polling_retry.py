"""Requests of a job that are sent until they succeed, and flows that consist of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from ...calls import Call
from ...error import MalformedResponseError, VoyageError
from ...flow import Flow, Notify, Request, Sleep
from ...retry import GiveUp, ServerHint, is_transient
from .progress import Progress, ProgressCallback

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from ...files import Page
    from .options import JobTimings

__all__ = ["NO_TIME_LIMIT", "JobFlow", "Message", "PollingRetry", "Transfer"]

T = TypeVar("T")
Transfer = Callable[[Any, ProgressCallback], Any]
"""An upload or a download: takes `client.files`, and a function to report its progress to."""
Message = Call[Any] | Transfer
"""A call or a transfer that a job sends."""
JobFlow = Flow[Message, T]

NO_TIME_LIMIT: Any = {"timeout": None, "deadline": None}
"""Options for transfers of large files, whatever time the client allows for other calls."""


class PollingRetry:
    """Sends requests that may be repeated, again and again while they fail with transient errors.

    Args:
        timings: Waiting times.
        random: Returns random numbers from 0 up to 1.
    """

    def __init__(self, timings: JobTimings, random: Callable[[], float]) -> None:
        self._timings, self._random = timings, random

    def send(self, message: Message) -> JobFlow[Any]:
        """Send a message until there is an answer, and return that.

        Raises:
            VoyageError: The failure is not transient, or there were too many.
        """
        tries = 0
        while True:
            try:
                return (yield Request(message))
            except VoyageError as failure:
                yield from self.wait(failure, tries)
                tries += 1

    def find(
        self,
        page: Callable[[str | None], Call[Page[T]]],
        matches: Callable[[T], bool],
        since: datetime | None = None,
    ) -> JobFlow[T | None]:
        """Search a list at the server; return None if nothing in it matches.

        Args:
            page: Returns the call for the page after an id.
            matches: Returns whether an element is the one.
            since: The earliest time at which it can have been created, by the server's clock. The
                search ends where a list that goes back in time has come to that.
        """
        after: str | None = None
        while True:
            found: Page[T] = yield from self.send(page(after))
            for one in found.data:
                if matches(one):
                    return one
            if not found.has_more or _is_past(found.data, since):
                return None
            after = found.last_id

    def wait(self, failure: VoyageError, tries: int) -> JobFlow[None]:
        """Wait before the next try, or raise the failure if there is none.

        Args:
            failure: The failure of the last try.
            tries: How many failures there were before it.
        """
        if not (is_transient(failure) or isinstance(failure, MalformedResponseError)):
            raise failure
        decision = self._timings.retries.decide(
            tries, None, ServerHint(seconds=failure.retry_after), random=self._random(), left=None
        )
        if isinstance(decision, GiveUp):
            raise failure
        message = f"trying again in {decision.seconds:,.1f} s: {failure}"
        yield Notify(Progress(stage="retrying", message=message))
        yield Sleep(decision.seconds)


def _is_past(data: Sequence[Any], since: datetime | None) -> bool:
    """Return whether all further pages are older. The API does not say how lists are ordered."""
    if since is None or not data:
        return False
    first, last = data[0].created_at, data[-1].created_at
    return bool(last < first and last < since)
