"""Work on files that an event loop leaves to threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, TypeVarTuple, Unpack

T = TypeVar("T")
Args = TypeVarTuple("Args")


async def in_thread(function: Callable[[Unpack[Args]], T], *args: *Args) -> T:
    """Call a function in a thread, and stay until it has returned, also if that is cancelled.

    asyncio cancels what waits for a thread, but not the thread: whoever is cancelled would close a
    file, or let go of a lock, that the thread still works with.
    """
    from anyio import create_task_group, to_thread

    results: list[T] = []
    failures: list[BaseException] = []

    def call() -> None:
        try:
            results.append(function(*args))
        except BaseException as failure:  # noqa: BLE001  # raised again, but not by the group
            failures.append(failure)

    try:
        async with create_task_group() as group:  # whose end waits for what it has begun
            group.start_soon(to_thread.run_sync, call)
        if failures:
            raise failures.pop()
        return results.pop()
    finally:  # threads hold on to what they did last
        results.clear()
        failures.clear()
