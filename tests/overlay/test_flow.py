"""Both drivers run the same flows, so each flow is written once."""

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
    """Return a function that runs a flow with blocking callbacks, by one of the drivers."""

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
    """Steps run in the order in which the flow yields them."""
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
    """The flow decides whether to go on after an error."""

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
    """Locks and files are released, and a StopIteration is never taken for a result."""
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


def test_a_notification_without_a_callback_is_dropped(carry: Carry) -> None:
    """Users need not pass a callback."""

    def flow() -> Flow[str, int]:
        yield Notify("x")
        return 1

    assert 1 == carry(flow())


def test_an_asynchronous_callback_is_awaited() -> None:
    """Users of an event loop can pass an async callback."""
    messages: list[str] = []

    async def notify(message: str) -> None:
        await asyncio.sleep(0)
        messages.append(message)

    def flow() -> Flow[str, None]:
        yield Notify("x")

    async def never(_: object) -> None:
        raise AssertionError

    asyncio.run(run_async(flow(), never, never, notify))
    assert ["x"] == messages


def test_a_flow_that_works_on_files_does_so_in_threads() -> None:
    """File work runs in a thread to keep the event loop free, while requests stay on the loop."""
    where: list[str] = []

    def flow() -> Flow[str, None]:
        where.append(threading.current_thread().name)
        yield Request("a")

    async def send(_: object) -> None:
        where.append(threading.current_thread().name)

    asyncio.run(run_async(flow(), send, asyncio.sleep, in_threads=True))
    assert "MainThread" == where[1] != where[0]


def test_a_cancelled_task_leaves_a_thread_only_when_it_is_done() -> None:
    """Returning earlier would close a file or release a lock that the thread still uses."""
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
    """Responses can be large, and a job has many of them."""
    answers: list[object] = []

    class Answer:
        """An object whose deletion is recorded."""

        def __del__(self) -> None:
            answers.append("gone")

    def flow() -> Iterator[Any]:
        yield Request("a")
        yield Sleep(1.0)

    def sleep(_: float) -> None:
        answers.append("asleep")

    carry(flow(), lambda _: Answer(), sleep)
    assert ["gone", "asleep"] == answers
