"""Asking the server what may be asked again, until there is an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...error import MalformedResponseError, VoyageError
from ...files.plans import passing
from ...retry import Advice, GiveUp
from .progress import Progress
from .steps import Action, Ask, Pause, Plan, Tell

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from .options import JobTimings

__all__ = ["LARGE", "Asking"]

LARGE: Any = {"timeout": None, "deadline": None}
"""Options for what takes as long as it is large, whatever time the client gives other calls."""


class Asking:
    """Asks the server.

    Args:
        timings: Waiting times.
        dice: Random numbers from 0 up to 1.
    """

    def __init__(self, timings: JobTimings, dice: Callable[[], float]) -> None:
        self._timings, self._dice = timings, dice

    def ask(self, action: Action) -> Plan[Any]:
        """Ask until there is an answer.

        Raises:
            VoyageError: The failure does not pass.
        """
        tries = 0
        while True:
            try:
                return (yield Ask(action))
            except VoyageError as failure:
                yield from self.wait(failure, tries)
                tries += 1

    def find(
        self,
        page: Callable[[Any, str | None], Any],
        is_it: Callable[[Any], bool],
        since: datetime | None = None,
    ) -> Plan[Any]:
        """Look for something in a list at the server; None if it is not there.

        Args:
            page: Asks a client for the page after an id.
            is_it: Tells what is looked for.
            since: When it was created at the earliest, by the server's clock, if that is known: a
                list that is seen to go back in time is left off there.
        """
        after: str | None = None
        while True:
            found = yield from self.ask(_reading(page, after))
            for one in found.data:
                if is_it(one):
                    return one
            if not found.has_more or _is_past(found.data, since):
                return None
            after = found.last_id

    def wait(self, failure: VoyageError, tries: int) -> Plan[None]:
        """Wait before the next try, or raise the failure.

        Args:
            failure: It.
            tries: How many there were before.
        """
        if not (passing(failure) or isinstance(failure, MalformedResponseError)):
            raise failure
        wait = self._timings.retries.decide(
            tries, None, Advice(seconds=failure.retry_after), random=self._dice(), left=None
        )
        if isinstance(wait, GiveUp):
            raise failure
        message = f"trying again in {wait:,.1f} s: {failure}"
        yield Tell(Progress(stage="retrying", message=message))
        yield Pause(wait)


def _is_past(data: Sequence[Any], since: datetime | None) -> bool:
    """Whether all that follows a page is older. The API does not say in which order lists come."""
    if since is None or not data:
        return False
    first, last = data[0].created_at, data[-1].created_at
    return bool(last < first and last < since)


def _reading(page: Callable[[Any, str | None], Any], after: str | None) -> Action:
    return lambda vo, _: page(vo, after)
