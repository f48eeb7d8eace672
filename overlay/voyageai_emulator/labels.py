"""What every answer carries: an id, and that it is not the models'."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from .recording.record import RECORD

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from .recording.record import RecordedRequest

__all__ = ["NOTICE", "AnswerHeadersMiddleware"]

NOTICE = "emulator, not the Voyage AI models"
"""What every answer says in its ``x-emulator`` header."""


class AnswerHeadersMiddleware:
    """Gives every answer an id, that of its record if it is recorded, and the notice."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and label the answer."""
        record: RecordedRequest | None = scope.get(RECORD)
        labels = {
            b"x-request-id": (os.urandom(16).hex() if record is None else record.id).encode(),
            b"x-emulator": NOTICE.encode(),
        }

        async def labelled(message: Message) -> None:
            if message["type"] == "http.response.start":
                others = [pair for pair in message["headers"] if pair[0] not in labels]
                message["headers"] = [*others, *labels.items()]
            await send(message)

        await self._app(scope, receive, labelled)
