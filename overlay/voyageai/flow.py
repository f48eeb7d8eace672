"""Work of several steps, written once for blocking and asynchronous clients.

A flow is a generator that yields steps and returns a result; it does no I/O itself. The drivers
`run` and `run_async` carry out its steps. `Sender` is the part of a client that files, batches and
tables depend on.
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
    """A step: send a message. The flow gets its answer, or the `VoyageError` that sending raises.

    Attributes:
        message: The message: a `Call` for a `Sender`, an HTTP request for a transport.
        options: Options of the call.
    """

    message: M
    options: CallOptions = NO_OPTIONS


@frozen
class Sleep:
    """A step: sleep.

    Attributes:
        seconds: Seconds to sleep.
    """

    seconds: float


@frozen
class Notify:
    """A step: call the user's callback; an asynchronous driver awaits an awaitable result.

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
        flow: The flow, which is closed at the end.
        send: Sends a request and returns its answer.
        sleep: Sleeps for a number of seconds.
        notify: Called with the messages of `Notify` steps.

    Returns:
        The result of the flow.
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
    """Advance a flow and return its next step, or its end: StopIteration can't cross threads."""
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
        flow: The flow, which is closed at the end.
        send: Sends a request and returns its answer, awaited.
        sleep: Sleeps for a number of seconds, awaited.
        notify: Called with the messages of `Notify` steps; an awaitable result is awaited.
        in_threads: True to run the flow itself in worker threads, as it reads and writes files
            between its steps.

    Returns:
        The result of the flow.
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
    """Call a function in a worker thread, and return only after it has ended, even if cancelled.

    asyncio cancels the task that waits for a thread, but not the thread: the cancelled task would
    close a file, or release a lock, that the thread still uses.
    """
    from anyio import create_task_group, to_thread

    results: list[T] = []
    failures: list[BaseException] = []

    def call() -> None:
        try:
            results.append(function(*args))
        except BaseException as failure:  # noqa: BLE001  # raised again below, outside the group
            failures.append(failure)

    try:
        async with create_task_group() as group:  # waits for the thread
            group.start_soon(to_thread.run_sync, call)
        if failures:
            raise failures.pop()
        return results.pop()
    finally:  # worker threads keep a reference to what they called last
        results.clear()
        failures.clear()


def _monotonic() -> float:
    return time.monotonic()  # looked up at each call: users' tests freeze and move time


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
    """Clocks, randomness and the limits of batches, injected so that tests can control them.

    Attributes:
        clock: Returns monotonic time, in seconds.
        now: Returns the current time with a time zone, for dates in headers and job directories.
        random: Returns random numbers, at least 0 and below 1.
        batch_limits: The limits by which jobs are split into batches.
    """

    clock: Callable[[], float] = _monotonic
    now: Callable[[], datetime] = _utc_now
    random: Callable[[], float] = random.random
    batch_limits: BatchLimits = BatchLimits()


class _Settings(Protocol):
    """The common part of both kinds of senders: the client's current settings."""

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
        """The user's own tokenizers, by model; None without any."""
        ...

    @property
    def transport(self) -> object:
        """The transport, which copies of a client share."""
        ...

    @property
    def telemetry(self) -> Telemetry | None:
        """The recorder of jobs; None without telemetry."""
        ...

    def options(self, given: CallOptions) -> Options:
        """Return the complete options of a call: those given, and the client's for the rest.

        Raises:
            VoyageError: No API key was found, or an option is wrong.
        """
        ...

    def check(self, call: Call[Any], *endpoints: str) -> None:
        """Check that the deployment supports calls, before anything is sent.

        Args:
            call: A representative of the calls that will be sent.
            endpoints: Names of further operations that are needed.

        Raises:
            ArgumentError: The deployment does not support an operation or an argument, or serves
                another model.
        """
        ...

    def with_share(self, share: float) -> Self:
        """Return a sender that may use a part of the client's rate limit.

        Raises:
            ArgumentError: The client has no rate limit, or `share` is not above 0 and up to 1.
        """
        ...


class Sender(_Settings, Protocol):
    """The part of a client that work of many calls depends on."""

    def send(self, call: Call[T], options: CallOptions) -> T:
        """Send a call and return its result.

        Raises:
            VoyageError: The call failed.
        """
        ...

    def sleep(self, seconds: float) -> None:
        """Block for a number of seconds."""


class AsyncSender(_Settings, Protocol):
    """The asynchronous counterpart of `Sender`."""

    async def send(self, call: Call[T], options: CallOptions) -> T:
        """Send a call and return its result.

        Raises:
            VoyageError: The call failed.
        """
        ...

    async def sleep(self, seconds: float) -> None:
        """Suspend for a number of seconds."""
