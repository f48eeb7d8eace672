"""The two drivers carry out the same flows, so that what is a flow is written once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from voyageai.error import VoyageError
from voyageai.flow import Flow, Notify, Request, Sleep, in_thread, run, run_async

Carry = Callable[..., Any]


@pytest.fixture(params=["blocking", "async", "in threads"])
def carry(request: pytest.FixtureRequest) -> Carry:
    """Carries a flow out with functions that are blocking, in one way or another."""

    def call(flow: Any, send: Any = None, sleep: Any = None, notify: Any = None) -> Any:
        if request.param == "blocking":
            return run(flow, send, sleep, notify)

        async def asend(step: Request[Any]) -> Any:
            return send(step)

        async def asleep(seconds: float) -> None:
            sleep(seconds)

        threads = request.param == "in threads"
        return asyncio.run(run_async(flow, asend, asleep, notify, in_threads=threads))

    return call


def test_a_flow_gets_the_answers_to_its_requests_and_returns_a_result(carry: Carry) -> None:
    """In their order, with sleeps and notifications between them."""
    done: list[object] = []

    def flow() -> Flow[str, str]:
        first = yield Request("a", {"timeout": 3})
        yield Sleep(1.5)
        yield Notify("half")
        return first + (yield Request("b"))

    def send(step: Request[str]) -> str:
        done.append((step.message, dict(step.options)))
        return step.message.upper()

    assert "AB" == carry(flow(), send, done.append, done.append)
    assert [("a", {"timeout": 3}), 1.5, "half", ("b", {})] == done


def test_an_error_of_a_request_is_raised_in_the_flow(carry: Carry) -> None:
    """There it is decided whether to go on."""

    def flow() -> Flow[str, str]:
        try:
            yield Request("a")
        except VoyageError as failure:
            yield Sleep(2.0)
            return f"after {failure}"
        return "never"

    def send(_: object) -> None:
        raise VoyageError("no")

    assert "after no" == carry(flow(), send, lambda _: None)


@pytest.mark.parametrize("kind", [KeyboardInterrupt, StopIteration, ZeroDivisionError])
def test_any_other_exception_ends_the_flow_and_closes_it(
    carry: Carry, kind: type[BaseException]
) -> None:
    """Locks and files are released; not even what ends an iteration is taken for a result."""
    closed: list[bool] = []

    def flow() -> Flow[str, None]:
        try:
            yield Sleep(1.0)
        except Exception:  # noqa: BLE001  # would hide what the driver was interrupted by
            closed.append(False)
        finally:
            closed.append(True)

    def sleep(_: float) -> None:
        raise kind

    with pytest.raises((kind, RuntimeError)):  # a coroutine can't raise StopIteration
        carry(flow(), None, sleep)
    assert [True] == closed


def test_nobody_needs_to_be_notified(carry: Carry) -> None:
    """The callback is an option of the user's."""

    def flow() -> Flow[str, int]:
        yield Notify("x")
        return 1

    assert 1 == carry(flow())


def test_what_a_callback_returns_is_awaited() -> None:
    """Users of an event loop write their callbacks for it."""
    told: list[str] = []

    async def notify(message: str) -> None:
        await asyncio.sleep(0)
        told.append(message)

    def flow() -> Flow[str, None]:
        yield Notify("x")

    async def never(_: object) -> None:
        raise AssertionError

    asyncio.run(run_async(flow(), never, never, notify))
    assert ["x"] == told


def test_a_flow_that_works_on_files_does_so_in_threads() -> None:
    """The event loop goes on meanwhile; sending and sleeping stay on it."""
    where: list[str] = []

    def flow() -> Flow[str, None]:
        where.append(threading.current_thread().name)
        yield Request("a")

    async def send(_: object) -> None:
        where.append(threading.current_thread().name)

    asyncio.run(run_async(flow(), send, asyncio.sleep, in_threads=True))
    assert "MainThread" == where[1] != where[0]


def test_a_cancelled_task_leaves_a_thread_only_when_it_is_done() -> None:
    """It would close a file, or release a lock, that the thread still uses."""
    begun, may_end = threading.Event(), threading.Event()
    ended: list[bool] = []

    def work() -> None:
        begun.set()
        assert may_end.wait(30)
        ended.append(True)

    async def main() -> None:
        task = asyncio.create_task(in_thread(work))
        await asyncio.to_thread(begun.wait)
        task.cancel()
        await asyncio.sleep(0)
        assert not task.done()
        may_end.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert [True] == ended

    asyncio.run(main())


def test_a_driver_keeps_no_answer_longer_than_the_flow(carry: Carry) -> None:
    """Answers may be large, and a job has many."""
    answers: list[object] = []

    class Answer:
        """Something whose end is seen."""

        def __del__(self) -> None:
            answers.append("gone")

    def flow() -> Iterator[Any]:
        yield Request("a")
        yield Sleep(1.0)

    def sleep(_: float) -> None:
        answers.append("asleep")

    carry(flow(), lambda _: Answer(), sleep)
    assert ["gone", "asleep"] == answers
