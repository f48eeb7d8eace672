"""An answer that is not a success."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from voyageai_rest.models import Error

from .replies import reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response

__all__ = ["Refused"]


class Refused(Exception):
    """A request is refused, with the status and the words of the API.

    Attributes:
        status: HTTP status.
        detail: The reason, for people.
        code: The reason for programs, where the API is known to send one.
        headers: Headers of the answer.
    """

    def __init__(
        self,
        detail: str,
        status: int = HTTPStatus.BAD_REQUEST,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail, status, code, headers)
        self.detail = detail
        self.status = int(status)
        self.code = code
        self.headers = dict(headers or {})

    def body(self) -> dict[str, Any]:
        """The body of the answer."""
        more = {} if self.code is None else {"error_code": self.code}
        return {**Error(detail=self.detail).to_dict(), **more}

    def as_response(self) -> Response:
        """The answer."""
        response = reply(self.body(), self.status)
        response.headers.update(self.headers)
        return response
