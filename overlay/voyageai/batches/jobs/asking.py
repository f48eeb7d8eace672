"""Requests of a job that may be sent again, sent until there is an answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from ...calls import Call
from ...error import MalformedResponseError, VoyageError
from ...flow import Flow, Notify, Request, Sleep
from ...retry import GiveUp, ServerHint, is_transient
from .progress import Progress, Told

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from ...files.paging import Page
    from .pace import Pace

__all__ = ["LARGE", "Action", "Asking", "Message", "Steps"]

T = TypeVar("T")
Action = Callable[[Any, Told], Any]
"""Uploads or downloads: takes the client's `files`, and whom to tell how far it is."""
Message = Call[Any] | Action
"""What a job sends."""
Steps = Flow[Message, T]

LARGE: Any = {"timeout": None, "deadline": None}
"""Options for what takes as long as it is large, whatever time the client gives other calls."""


class Asking:
    """Sends requests, and sends them again while they fail for a reason that may pass.

    Args:
        pace: How long to wait for what.
        random: Returns random numbers from 0 up to 1.
    """

    def __init__(self, pace: Pace, random: Callable[[], float]) -> None:
        self._pace, self._random = pace, random

    def ask(self, message: Message) -> Steps[Any]:
        """Send a message until there is an answer.

        Raises:
            VoyageError: The failure is not transient, or has lasted too long.
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
        is_it: Callable[[T], bool],
        since: datetime | None = None,
    ) -> Steps[T | None]:
        """Find something in a list at the server; None if it is not there.

        Args:
            page: Makes the call for the page after an id.
            is_it: Recognizes it.
            since: When it was created at the earliest, by the server's clock, if that is known: a
                list that is seen to go back in time is left off there.
        """
        after: str | None = None
        while True:
            found: Page[T] = yield from self.ask(page(after))
            for one in found.data:
                if is_it(one):
                    return one
            if not found.has_more or _is_past(found.data, since):
                return None
            after = found.last_id

    def wait(self, failure: VoyageError, tries: int) -> Steps[None]:
        """Wait before the next try, or raise the failure.

        Args:
            failure: It.
            tries: How many there were before.
        """
        if not (is_transient(failure) or isinstance(failure, MalformedResponseError)):
            raise failure
        decision = self._pace.retries.decide(
            tries, None, ServerHint(seconds=failure.retry_after), random=self._random(), left=None
        )
        if isinstance(decision, GiveUp):
            raise failure
        message = f"trying again in {decision.seconds:,.1f} s: {failure}"
        yield Notify(Progress(stage="retrying", message=message))
        yield Sleep(decision.seconds)


def _is_past(data: Sequence[Any], since: datetime | None) -> bool:
    """Whether all that follows a page is older. The API does not say in which order lists come."""
    if since is None or not data:
        return False
    first, last = data[0].created_at, data[-1].created_at
    return bool(last < first and last < since)
