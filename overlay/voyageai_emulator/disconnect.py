"""Waiting on behalf of a client, for as long as it is there."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from starlette.requests import ClientDisconnect

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from starlette.types import Receive

__all__ = ["wait_unless_disconnected"]


async def wait_unless_disconnected(receive: Receive, waiting: Coroutine[Any, Any, object]) -> None:
    """Await something for a client whose request has been read.

    Args:
        receive: Tells, as in ASGI, when it goes away.
        waiting: What is awaited, or cancelled.

    Raises:
        ClientDisconnect: It goes away before.
    """
    awaited, left = asyncio.create_task(waiting), asyncio.create_task(_left(receive))
    try:
        await asyncio.wait((awaited, left), return_when=asyncio.FIRST_COMPLETED)
        if not awaited.done():
            raise ClientDisconnect
    finally:
        awaited.cancel()
        left.cancel()
        await asyncio.gather(awaited, left, return_exceptions=True)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
