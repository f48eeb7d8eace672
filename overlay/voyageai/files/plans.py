"""Several calls and waits that make one method: written once, carried out by either client."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import frozen

from ..error import APIConnectionError, Timeout, VoyageError
from ..retry import RETRYABLE

if TYPE_CHECKING:
    from ..calls import Call
    from ..client import Client
    from ..client_async import AsyncClient
    from ..options import CallOptions, Options
    from ..transport.steps import Surroundings

# pyright: reportPrivateUsage=false
# Resources are a part of the clients that they hang on; this module is where they reach in.

T = TypeVar("T")


@frozen
class Ask:
    """A step: make a call; its result, or its `VoyageError`, comes back."""

    call: Call[Any]
    options: CallOptions


@frozen
class Pause:
    """A step: wait."""

    seconds: float


@frozen
class Tell:
    """A step: call a function of the user's; an asynchronous client awaits what it gives."""

    function: Callable[[], object]


Plan = Generator[Ask | Pause | Tell, Any, T]


def passing(failure: VoyageError) -> bool:
    """Whether a failure is of a kind that may pass."""
    if failure.http_status is None:
        return isinstance(failure, (APIConnectionError, Timeout))
    return failure.http_status in RETRYABLE


def surroundings(client: Client | AsyncClient) -> Surroundings:
    """Time and chance, as a client has them."""
    return client._transport.surroundings


def ready(client: Client | AsyncClient, options: CallOptions) -> Options:
    """The options of a call, complete."""
    return client._ready(options)[1]


def send(client: Client, call: Call[T], options: CallOptions) -> T:
    """Make a call."""
    return client._send(call, options)


async def send_async(client: AsyncClient, call: Call[T], options: CallOptions) -> T:
    """The same, without blocking."""
    return await client._send(call, options)


def pause(client: Client, seconds: float) -> None:
    """Wait."""
    client._transport.pause(seconds)


async def pause_async(client: AsyncClient, seconds: float) -> None:
    """The same, without blocking."""
    await client._transport.pause(seconds)


def carry_out(client: Client, plan: Plan[T]) -> T:
    """Do what a plan says, and give its result."""
    answer: Any = None
    failure: VoyageError | None = None
    try:
        while True:
            try:
                step = plan.send(answer) if failure is None else plan.throw(failure)
            except StopIteration as done:
                result: T = done.value
                return result
            answer = failure = None
            if isinstance(step, Pause):
                pause(client, step.seconds)
            elif isinstance(step, Tell):
                step.function()
            else:
                try:
                    answer = send(client, step.call, step.options)
                except VoyageError as raised:
                    failure = raised
    finally:
        plan.close()


async def carry_out_async(client: AsyncClient, plan: Plan[T]) -> T:
    """The same, without blocking."""
    answer: Any = None
    failure: VoyageError | None = None
    try:
        while True:
            try:
                step = plan.send(answer) if failure is None else plan.throw(failure)
            except StopIteration as done:
                result: T = done.value
                return result
            answer = failure = None
            if isinstance(step, Pause):
                await pause_async(client, step.seconds)
            elif isinstance(step, Tell):
                told = step.function()
                if inspect.isawaitable(told):
                    await told
            else:
                try:
                    answer = await send_async(client, step.call, step.options)
                except VoyageError as raised:
                    failure = raised
    finally:
        plan.close()
