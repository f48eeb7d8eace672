"""What a job does outside its directory, as steps that either client carries out."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import frozen

from ...error import VoyageError
from ...files import plans
from ...files.threads import in_thread
from .progress import Progress, ProgressCallback

if TYPE_CHECKING:
    from ...client import Client
    from ...client_async import AsyncClient

__all__ = ["Action", "Ask", "Pause", "Plan", "Step", "Tell", "carry_out", "carry_out_async"]

T = TypeVar("T")
Action = Callable[[Any, ProgressCallback], Any]
"""Is given the client, and whom to tell."""


@frozen
class Ask:
    """A step: ask the server; the result, or its `VoyageError`, comes back.

    Attributes:
        action: Uses a method of the client; its result is awaited where the client needs that.
    """

    action: Action


@frozen
class Pause:
    """A step: wait."""

    seconds: float


@frozen
class Tell:
    """A step: tell those who watch."""

    progress: Progress


Step = Ask | Pause | Tell
Plan = Generator[Step, Any, T]


class _Done:
    def __init__(self, result: Any) -> None:
        self._result = result

    def take(self) -> Any:
        """The result, once: threads hold on to what they gave last."""
        result, self._result = self._result, None
        return result


def _next(plan: Plan[Any], answer: Any, failure: VoyageError | None) -> Step | _Done:
    """The next step. What a plan does between two steps may take long: it works on files."""
    try:
        return plan.send(answer) if failure is None else plan.throw(failure)
    except StopIteration as done:  # which no thread can hand on
        return _Done(done.value)


def carry_out(client: Client, plan: Plan[T], tell: ProgressCallback) -> T:
    """Do what a plan says, and give its result.

    Args:
        client: Asks and waits.
        plan: Says what to do.
        tell: Is told what is done.
    """
    answer: Any = None
    failure: VoyageError | None = None
    try:
        while True:
            step = _next(plan, answer, failure)
            answer = failure = None
            if isinstance(step, _Done):
                result: T = step.take()
                return result
            if isinstance(step, Pause):
                plans.pause(client, step.seconds)
            elif isinstance(step, Tell):
                tell(step.progress)
            else:
                try:
                    answer = step.action(client, tell)
                except VoyageError as raised:
                    failure = raised
    finally:
        plan.close()


async def carry_out_async(client: AsyncClient, plan: Plan[T], tell: ProgressCallback) -> T:
    """The same, without blocking: what is done between two steps is done in a thread."""
    answer: Any = None
    failure: VoyageError | None = None
    try:
        while True:
            step = await in_thread(_next, plan, answer, failure)
            answer = failure = None
            if isinstance(step, _Done):
                result: T = step.take()
                return result
            if isinstance(step, Pause):
                await plans.pause_async(client, step.seconds)
            elif isinstance(step, Tell):
                tell(step.progress)
            else:
                try:
                    answer = await step.action(client, tell)
                except VoyageError as raised:
                    failure = raised
    finally:
        plan.close()
