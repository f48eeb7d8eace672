"""The two loops that carry out a schedule: threads for one client, tasks for the other."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import partial
from typing import TYPE_CHECKING, Any

from ..error import VoyageError
from ..flow import in_thread

if TYPE_CHECKING:
    from ..flow import AsyncSender, Sender
    from ..options import CallOptions
    from .kinds import Kind
    from .schedule import Request, Schedule

__all__ = ["run", "run_async"]

OPTIONS: CallOptions = {"max_retries": 0}
"""The schedule itself tries again, so that it knows of every refusal."""


def run(
    schedule: Schedule, kind: Kind, sender: Sender, tell: Callable[[], object], most: int
) -> None:
    """Carry out a schedule with threads.

    If it is interrupted, what is on its way is waited for and kept, and nothing more is sent.

    Args:
        schedule: What to send.
        kind: Builds the calls.
        sender: Sends them.
        tell: Called after each answer.
        most: Requests in flight, at most.
    """
    stopped = False

    def send(request: Request) -> Any:
        left = request.delay
        while left > 0 and not stopped:
            sender.sleep(min(left, 1.0))
            left -= 1.0
        if stopped:
            return None
        try:
            with schedule.span.within(request.slice.number):
                return sender.send(kind.call(request.units), OPTIONS)
        except VoyageError as failure:
            return failure

    running: dict[Future[Any], Request] = {}

    def take(done: set[Future[Any]]) -> None:
        for future in done:
            request, answer = running.pop(future), future.result()
            if answer is None:
                schedule.drop(request)
            else:
                schedule.take(request, answer, is_behind=len(done) > 1)

    with ThreadPoolExecutor(most, thread_name_prefix="voyageai-table") as pool:
        try:
            while True:
                while (request := schedule.next()) is not None:
                    running[pool.submit(send, request)] = request
                if not running:
                    return
                take(wait(running, return_when=FIRST_COMPLETED).done)
                tell()
        except BaseException:
            stopped = True
            for future in [*running]:
                if future.cancel():
                    schedule.drop(running.pop(future))
            while running:  # they have been sent, and are paid for
                try:
                    take(wait(running, return_when=FIRST_COMPLETED).done)
                except VoyageError:  # the first failure is the one that is told
                    continue
            raise
        finally:
            schedule.close()


async def run_async(
    schedule: Schedule, kind: Kind, sender: AsyncSender, tell: Callable[[], object]
) -> None:
    """Carry out a schedule with tasks; files are read and written in threads.

    Args:
        schedule, kind, sender, tell: As in `run`.
    """
    from anyio import create_memory_object_stream, create_task_group

    in_flight = 0
    failed: Exception | None = None
    answers, results = create_memory_object_stream[tuple["Request", Any]](float("inf"))

    async def send(request: Request) -> None:
        answer: Any = None
        left = request.delay
        try:
            while left > 0 and failed is None:
                await sender.sleep(min(left, 1.0))
                left -= 1.0
            if failed is None:
                answer = await _answer(schedule, kind, sender, request)
        except VoyageError as failure:
            answer = failure
        answers.send_nowait((request, answer))

    async def take() -> None:
        nonlocal in_flight
        request, answer = await results.receive()
        in_flight -= 1
        if answer is None:
            await in_thread(schedule.drop, request)
        else:
            is_behind = results.statistics().current_buffer_used > 0
            await in_thread(partial(schedule.take, request, answer, is_behind=is_behind))

    try:
        async with answers, results, create_task_group() as group:
            try:
                while True:
                    while (request := await in_thread(schedule.next)) is not None:
                        in_flight += 1
                        group.start_soon(send, request)
                    if not in_flight:
                        break
                    await take()
                    tell()
            except Exception as failure:  # noqa: BLE001  # it is raised below
                # What is on its way has been paid for. A group would wrap what leaves it.
                failed = failure
                while in_flight:
                    try:
                        await take()
                    except VoyageError:  # the first failure is the one that is told
                        continue
        if failed is not None:
            raise failed
    finally:
        schedule.close()


async def _answer(schedule: Schedule, kind: Kind, sender: AsyncSender, request: Request) -> Any:
    """Send a request as a part of its slice, and return its result."""
    call = await in_thread(kind.call, request.units)
    with schedule.span.within(request.slice.number):
        return await sender.send(call, OPTIONS)
