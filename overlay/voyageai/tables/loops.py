"""The two loops that carry out a schedule: with threads, and with tasks of an event loop."""

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
"""The schedule retries itself, so that it sees every refusal."""


def run(
    schedule: Schedule, kind: Kind, sender: Sender, notify: Callable[[], object], max_workers: int
) -> None:
    """Carry out a schedule with threads.

    If the loop is interrupted, requests in flight are awaited and their results kept; no more are
    sent.

    Args:
        schedule: The schedule of requests.
        kind: The kind of table, which builds the calls.
        sender: The sender of the calls.
        notify: Called after each response.
        max_workers: Most requests in flight.
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

    with ThreadPoolExecutor(max_workers, thread_name_prefix="voyageai-table") as pool:
        try:
            while True:
                while (request := schedule.next()) is not None:
                    running[pool.submit(send, request)] = request
                if not running:
                    return
                take(wait(running, return_when=FIRST_COMPLETED).done)
                notify()
        except BaseException:
            stopped = True
            for future in [*running]:
                if future.cancel():
                    schedule.drop(running.pop(future))
            while running:  # already sent and paid for
                try:
                    take(wait(running, return_when=FIRST_COMPLETED).done)
                except VoyageError:  # the first failure is the one that is raised
                    continue
            raise
        finally:
            schedule.close()


async def run_async(
    schedule: Schedule, kind: Kind, sender: AsyncSender, notify: Callable[[], object]
) -> None:
    """Carry out a schedule with tasks; files are read and written in threads.

    Args:
        schedule, kind, sender, notify: As in `run`.
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
                    notify()
            except Exception as failure:  # noqa: BLE001  # raised below
                # Requests in flight are paid for. The failure must not leave the group, which would
                # wrap it.
                failed = failure
                while in_flight:
                    try:
                        await take()
                    except VoyageError:  # the first failure is the one that is raised
                        continue
        if failed is not None:
            raise failed
    finally:
        schedule.close()


async def _answer(schedule: Schedule, kind: Kind, sender: AsyncSender, request: Request) -> Any:
    """Send a request within the span of its slice, and return its result."""
    call = await in_thread(kind.call, request.units)
    with schedule.span.within(request.slice.number):
        return await sender.send(call, OPTIONS)
