"""The error for a response whose status is not a success."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from . import errors

if TYPE_CHECKING:
    from .models.error import Error
    from .types import RawResponse

__all__ = ("StatusError", "status_error")


class StatusError(errors.StatusError):
    """The status of the response is not a success."""

    @property
    def error(self) -> Error | None:
        """The error object of the body; None if the body has none."""
        return _read_error(self.content)


def status_error(response: RawResponse) -> StatusError:
    """Return the error for a response whose status is not a success, with the server's reason."""
    error = _read_error(response.content)
    reason = error.detail if error else None
    return StatusError(
        status_code=response.status_code,
        headers=response.headers,
        content=response.content,
        reason=str(reason) if reason else "the body does not say why",
    )


def _read_error(content: bytes) -> Error | None:
    from .models.error import Error

    try:
        return Error.from_dict(json.loads(content))
    except (ValueError, RecursionError):
        return None
