"""Errors in the format of Atlas."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from voyageai_admin_rest.models import BadRequestDetail, Error, FieldViolation

from ..responses import json_response

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.responses import Response

__all__ = ["BAD_REQUEST", "NOT_FOUND", "UNAUTHORIZED", "VALIDATION_ERROR", "Refusal"]

BAD_REQUEST = "BAD_REQUEST"
NOT_FOUND = "RESOURCE_NOT_FOUND"
UNAUTHORIZED = "UNAUTHORIZED"
VALIDATION_ERROR = "VALIDATION_ERROR"


class Refusal(Exception):  # not named as an error, as it becomes a response
    """Raised when a request is refused, and sent as a JSON response.

    Args:
        status: HTTP status.
        code: Machine-readable reason.
        detail: Human-readable reason.
        fields: Invalid fields of the body, each with a sentence about it.
        headers: Additional headers of the response.
    """

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        detail: str,
        *,
        fields: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, code, detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.fields = fields
        self.headers = headers

    def as_response(self) -> Response:
        """Return the response."""
        error = Error(
            error=int(self.status),
            error_code=self.code,
            reason=self.status.phrase,
            detail=self.detail,
        )
        if self.fields:
            error.bad_request_detail = BadRequestDetail(
                fields=[
                    FieldViolation(field=name, description=sentence)
                    for name, sentence in self.fields
                ]
            )
        return json_response(error.to_dict(), self.status, self.headers)
