"""Work of several steps, written once for both kinds of clients.

A flow is a generator. It yields steps, sends and sleeps nothing itself, and returns a result; the
drivers `run` and `run_async` carry its steps out. What files and batches use of a client is a
`Sender`.
"""

from __future__ import annotations

import inspect
import random
import time
from collections.abc import Awaitable, Callable, Generator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Generic, Protocol, Self, TypeVar, TypeVarTuple, Unpack

from attrs import frozen
from voyageai_rest.catalogue import BATCH

from .error import VoyageError

if TYPE_CHECKING:
    from voyageai_rest.models import InputType

    from .calls import Call
    from .options import CallOptions, Options
    from .telemetry.recorder import Telemetry
    from .tokenization import Tokenizers

M = TypeVar("M")
T = TypeVar("T")
Args = TypeVarTuple("Args")

NO_OPTIONS: CallOptions = {}


@frozen
class Request(Generic[M]):
    """A step: send this. Its answer, or the `VoyageError` that sending it raises, comes back.

    Attributes:
        message: What is sent: a `Call` by a `Sender`, an HTTP request by a transport.
        options: The options of a call.
    """

    message: M
    options: CallOptions = NO_OPTIONS


@frozen
class Sleep:
    """A step: sleep.

    Attributes:
        seconds: How long.
    """

    seconds: float


@frozen
class Notify:
    """A step: call a callback of the user's; an asynchronous driver awaits what it returns.

    Attributes:
        message: The callback's argument.
    """

    message: Any


Flow = Generator[Request[M] | Sleep | Notify, Any, T]
"""A flow that sends messages of one kind and returns a result."""


def run(
    flow: Flow[M, T],
    send: Callable[[Request[M]], object],
    sleep: Callable[[float], object],
    notify: Callable[[Any], object] | None = None,
) -> T:
    """Carry out a flow.

    Args:
        flow: The flow, which is closed in the end.
        send: Returns the answer to a request.
        sleep: Sleeps for a number of seconds.
        notify: Takes the messages of `Notify` steps.

    Returns:
        What the flow returns.
    """
    answer: Any = None
    failure: VoyageError | None = None
    try:
        while True:
            try:
                step = flow.send(answer) if failure is None else flow.throw(failure)
            except StopIteration as end:
                result: T = end.value
                return result
            answer = failure = None
            if isinstance(step, Request):
                try:
                    answer = send(step)
                except VoyageError as raised:
                    failure = raised
            elif isinstance(step, Sleep):
                sleep(step.seconds)
            elif notify is not None:
                notify(step.message)
    finally:
        flow.close()


@frozen
class _Returned:
    result: Any


def _advance(
    flow: Flow[M, Any], answer: Any, failure: VoyageError | None
) -> Request[M] | Sleep | Notify | _Returned:
    """Run a flow up to its next step or its end, which can't be raised through a thread."""
    try:
        return flow.send(answer) if failure is None else flow.throw(failure)
    except StopIteration as end:
        return _Returned(end.value)


async def run_async(
    flow: Flow[M, T],
    send: Callable[[Request[M]], Awaitable[object]],
    sleep: Callable[[float], Awaitable[object]],
    notify: Callable[[Any], object] | None = None,
    *,
    in_threads: bool = False,
) -> T:
    """Carry out a flow without blocking.

    Args:
        flow: The flow, which is closed in the end.
        send: Returns the answer to a request, awaited.
        sleep: Sleeps for a number of seconds, awaited.
        notify: Takes the messages of `Notify` steps; what it returns is awaited if it can be.
        in_threads: Whether the flow itself runs in worker threads, as it reads and writes files
            between its steps.

    Returns:
        What the flow returns.
    """
    answer: Any = None
    failure: VoyageError | None = None
    try:
        while True:
            if in_threads:
                step = await in_thread(_advance, flow, answer, failure)
            else:
                step = _advance(flow, answer, failure)
            if isinstance(step, _Returned):
                result: T = step.result
                return result
            answer = failure = None
            if isinstance(step, Request):
                try:
                    answer = await send(step)
                except VoyageError as raised:
                    failure = raised
            elif isinstance(step, Sleep):
                await sleep(step.seconds)
            elif notify is not None:
                returned = notify(step.message)
                if inspect.isawaitable(returned):
                    await returned
    finally:
        flow.close()


def run_calls(
    sender: Sender, flow: Flow[Call[Any], T], notify: Callable[[Any], object] | None = None
) -> T:
    """Carry out a flow of calls, as `run` does."""
    return run(flow, lambda step: sender.send(step.message, step.options), sender.sleep, notify)


async def run_calls_async(
    sender: AsyncSender, flow: Flow[Call[Any], T], notify: Callable[[Any], object] | None = None
) -> T:
    """Carry out a flow of calls without blocking, as `run_async` does."""
    return await run_async(
        flow, lambda step: sender.send(step.message, step.options), sender.sleep, notify
    )


async def in_thread(function: Callable[[Unpack[Args]], T], *args: *Args) -> T:
    """Call a function in a worker thread, and return only after it has, even when cancelled.

    asyncio cancels the task that waits for a thread, but not the thread: the cancelled task would
    close a file, or release a lock, that the thread still uses.
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
    finally:  # worker threads keep a reference to what they called last
        results.clear()
        failures.clear()


def _monotonic() -> float:
    return time.monotonic()  # looked up when called: tests freeze and move time


def _utc_now() -> datetime:
    return datetime.now(UTC)


@frozen(kw_only=True)
class BatchLimits:
    """What batches hold, and an organization may have in flight, at most.

    Attributes:
        inputs: Inputs of a batch.
        jobs_in_flight: Batches in flight.
        tokens_in_flight: Tokens of all batches in flight.
        file_bytes: Bytes of a batch's file. Chosen: what is sent again if the connection breaks.
    """

    inputs: int = BATCH.max_inputs
    jobs_in_flight: int = BATCH.max_jobs_in_flight
    tokens_in_flight: int = BATCH.max_tokens_in_flight
    file_bytes: int = 268_435_456


@frozen(kw_only=True)
class Environment:
    """Clocks, randomness and the limits of batches, passed in so that tests can control them.

    Attributes:
        clock: Returns seconds that only go forwards.
        now: Returns the time with a zone, for dates in headers and in job directories.
        random: Returns random numbers from 0 up to 1.
        batch_limits: The limits that jobs are split by.
    """

    clock: Callable[[], float] = _monotonic
    now: Callable[[], datetime] = _utc_now
    random: Callable[[], float] = random.random
    batch_limits: BatchLimits = BatchLimits()


class _Settings(Protocol):
    """The part that both kinds of senders share: the client's current settings."""

    @property
    def base_url(self) -> str:
        """The URL of the API."""
        ...

    @property
    def environment(self) -> Environment:
        """Clocks and randomness."""
        ...

    @property
    def input_types(self) -> Mapping[str, InputType | str]:
        """Default input types, by method."""
        ...

    @property
    def tokenizers(self) -> Tokenizers | None:
        """The user's own tokenizers, by model."""
        ...

    @property
    def transport(self) -> object:
        """The transport, which copies of a client share."""
        ...

    @property
    def telemetry(self) -> Telemetry | None:
        """What records jobs; None where nothing does."""
        ...

    def options(self, given: CallOptions) -> Options:
        """Return the complete options of a call: the client's where none are given.

        Raises:
            VoyageError: There is no key, or an option is wrong.
        """
        ...

    def check(self, call: Call[Any], *endpoints: str) -> None:
        """Refuse what the deployment can't do, before anything is sent.

        Args:
            call: A call such as those that will be sent.
            endpoints: Further operations that are needed.

        Raises:
            ArgumentError: It can't, or serves another model.
        """
        ...

    def with_share(self, share: float) -> Self:
        """Return a sender that may use a part of the client's rate limit.

        Raises:
            ArgumentError: There is no rate limit, or the share is not above 0 and up to 1.
        """
        ...


class Sender(_Settings, Protocol):
    """The part of a client that work made of many calls depends on."""

    def send(self, call: Call[T], options: CallOptions) -> T:
        """Send a call and return its result.

        Raises:
            VoyageError: The call failed.
        """
        ...

    def sleep(self, seconds: float) -> None:
        """Block for a number of seconds."""


class AsyncSender(_Settings, Protocol):
    """The same part of an asynchronous client."""

    async def send(self, call: Call[T], options: CallOptions) -> T:
        """Send a call and return its result.

        Raises:
            VoyageError: The call failed.
        """
        ...

    async def sleep(self, seconds: float) -> None:
        """Suspend for a number of seconds."""
