"""Reading requests to the admin routes."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from ..contract import no_constant
from ..responses import ApiError

if TYPE_CHECKING:
    from starlette.requests import Request

__all__ = ["read", "read_field", "read_flag", "read_whole"]

LIMIT = 65_536
"""Bytes of a body."""


async def read(request: Request) -> Any:
    """The body's JSON.

    Raises:
        ApiError: It is too long, or no JSON.
    """
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LIMIT:
            raise ApiError(
                f"A body may have {LIMIT} bytes here.", HTTPStatus.REQUEST_ENTITY_TOO_LARGE
            )
    try:
        return json.loads(body, parse_constant=no_constant)
    except (ValueError, RecursionError) as error:
        raise ApiError(f"The body is no JSON: {error}") from None


async def read_field(request: Request, name: str) -> Any:
    """The value of an object's only field.

    Raises:
        ApiError: The body is anything else.
    """
    body = await read(request)
    fields = cast("dict[str, Any]", body) if isinstance(body, dict) else {}
    if list(fields) != [name]:
        raise ApiError(f'The body must be an object with one field: {{"{name}": ...}}.')
    return fields[name]


def read_whole(request: Request, name: str) -> int | None:
    """A whole number of the query; None if it is not there.

    Raises:
        ApiError: It is none.
    """
    text = request.query_params.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()):
        raise ApiError(f"{name} must be a whole number, not {text!r}.")
    return int(text)


def read_flag(request: Request, name: str) -> bool:
    """Whether the query says ``true``; false if it is not there.

    Raises:
        ApiError: It says neither true nor false.
    """
    text = request.query_params.get(name, "false")
    if text not in ("true", "false"):
        raise ApiError(f"{name} must be true or false, not {text!r}.")
    return text == "true"
