"""What every answer carries: an id, and that it is not the models'."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .recorded import RECORD

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from .recorded import RecordedRequest

__all__ = ["NOTICE", "Labelled"]

NOTICE = "emulator, not the Voyage AI models"
"""What every answer says in its ``x-emulator`` header."""


class Labelled:
    """Gives every answer the id of its record and the notice."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and label the answer."""
        record: RecordedRequest = scope[RECORD]

        async def labelled(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message["headers"],
                    (b"x-request-id", record.id.encode()),
                    (b"x-emulator", NOTICE.encode()),
                ]
            await send(message)

        await self._app(scope, receive, labelled)
