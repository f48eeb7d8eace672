"""The part of the application that records requests."""

from __future__ import annotations

import json
import logging
import threading
from typing import TYPE_CHECKING

from voyageai.disk import private

from .record import RECORD

if TYPE_CHECKING:
    from os import PathLike

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from ..contract import Contract
    from .log import Requests
    from .record import RecordedRequest

__all__ = ["RecordFile", "RecordingMiddleware"]

LOG = logging.getLogger(__name__)


class RecordingMiddleware:
    """An application whose requests are recorded."""

    def __init__(self, app: ASGIApp, requests: Requests, contract: Contract) -> None:
        self._app = app
        self._requests = requests
        self._contract = contract

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and record."""
        operation = self._contract.find(scope["method"], scope["path"])
        record = self._requests.begin(scope, operation and operation.id)

        async def noted_receive() -> Message:
            message = await receive()
            body = message.get("body")
            if body:
                record.add(body)
            return message

        async def noted_send(message: Message) -> None:
            # Complete before the last bytes leave, so that who has the answer finds it so.
            if message["type"] == "http.response.start":
                record.answer(message["status"])
            elif not message.get("more_body", False):
                record.finish()
            await send(message)

        try:
            await self._app({**scope, RECORD: record}, noted_receive, noted_send)
        finally:
            record.finish()


class RecordFile:
    """A file with a line of JSON for each request, until it cannot be written any more.

    It holds texts, so only its user can read it.
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        # Not buffered, so that nothing is left to be written when it is closed.
        self._file = open(path, "ab", buffering=0, opener=private)  # noqa: SIM115  # `Path.open` takes no opener; closed by `close`
        self._lock = threading.Lock()
        self._broken = False

    def write(self, record: RecordedRequest) -> None:
        """Add a request; if that fails, say so once, as the answer is to be sent all the same."""
        if self._broken:
            return
        line = json.dumps(record.as_json()).encode() + b"\n"
        with self._lock:
            try:
                while line:
                    line = line[self._file.write(line) :]
            except OSError as error:
                self._broken = True
                LOG.error(  # noqa: TRY400  # the reason is enough
                    "requests are no longer recorded in %s: %s", self._file.name, error.strerror
                )

    def close(self) -> None:
        """Close the file."""
        self._file.close()
