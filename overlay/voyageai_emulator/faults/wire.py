"""Faults of the connection and of time. All but the late ones need a server with sockets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .fault import fault

if TYPE_CHECKING:
    from .call import Call

__all__: list[str] = []


@fault
async def reset_before(call: Call) -> None:
    """The connection is reset before any byte of an answer."""
    await call.hang_up(reset=True)


@fault
async def reset_during(call: Call, *, share: float = 0.5) -> None:
    """The connection is reset after a part of the body."""
    await _break_off(call, share, reset=True)


@fault
async def reset_after(call: Call) -> None:
    """The connection is reset after the right answer."""
    await call.reply(await call.right())
    await call.hang_up(reset=True)


@fault
async def close_before(call: Call) -> None:
    """The connection is closed before any byte of an answer."""
    await call.hang_up()


@fault
async def close_headers(call: Call) -> None:
    """The connection is closed after the headers."""
    await _break_off(call, 0)


@fault
async def close_after(call: Call) -> None:
    """The connection is closed after the right answer, without `Connection: close` in it."""
    await call.reply(await call.right())
    await call.hang_up()


@fault
async def truncated(call: Call, *, share: float = 0.5, chunked: bool = False) -> None:
    """The connection is closed after a part of the body."""
    await _break_off(call, share, chunked=chunked)


@fault
async def drip(call: Call, *, size: int = 512, delay: float = 0.01, most: float = 10.0) -> None:
    """The right body in small pieces, `delay` seconds apart; after `most` seconds, the rest."""
    answer = await call.right()
    await call.begin(answer, len(answer.body))
    rest, spent = answer.body, 0.0
    while len(rest) > size and spent < most:
        await call.part(rest[:size])
        rest = rest[size:]
        if not await call.pause(delay):
            return
        spent += delay
    await call.part(rest, last=True)


@fault
async def delay(call: Call, *, seconds: float = 0.1) -> None:
    """The right answer, late."""
    if await call.pause(seconds):
        await call.reply(await call.right())


@fault
async def hang(call: Call, *, most: float = 600.0) -> None:
    """No answer; the connection stays open until the client disconnects, or for `most` seconds."""
    if await call.pause(most):
        await call.hang_up()


async def _break_off(
    call: Call, share: float, *, reset: bool = False, chunked: bool = False
) -> None:
    """Send a part of the right answer and end the connection."""
    answer = await call.right()
    await call.begin(answer, None if chunked else len(answer.body))
    part = answer.body[: min(int(len(answer.body) * share), len(answer.body) - 1)]
    if part:
        await call.part(part)
    await call.hang_up(reset=reset)
