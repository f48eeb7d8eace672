"""Faults that are a status in the API's own shape, with or without advice on when to retry."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from .call import Answer
from .fault import fault, register

if TYPE_CHECKING:
    from .call import Call

__all__: list[str] = []

NAMED = {
    "bad_request": 400,
    "unauthorized": 401,
    "forbidden": 403,
    "not_found": 404,
    "request_timeout": 408,
    "conflict": 409,
    "gone": 410,
    "too_large": 413,
    "unprocessable": 422,
    "rate_limited": 429,
    "server_error": 500,
    "bad_gateway": 502,
    "unavailable": 503,
    "gateway_timeout": 504,
    "unknown_error": 520,
    "overloaded": 529,
}
UNREGISTERED = {520: "Unknown Error", 529: "Overloaded"}
"""Phrases of statuses that proxies send and no standard has."""


@fault
async def status(
    call: Call,
    *,
    status: int = 500,
    retry_after: str = "",
    retry_after_ms: str = "",
    should_retry: str = "",
    detail: str = "",
    code: str = "",
) -> None:
    """A status from 200 to 599, with the API's `detail`, and headers if asked."""
    body = {"detail": detail or _phrase(status), **({"error_code": code} if code else {})}
    await call.reply(
        Answer.of_json(status, body)
        .with_header("retry-after", retry_after)
        .with_header("retry-after-ms", retry_after_ms)
        .with_header("x-should-retry", should_retry)
    )


def _phrase(code: int) -> str:
    if code in UNREGISTERED:
        return UNREGISTERED[code]
    return HTTPStatus(code).phrase if code in set(HTTPStatus) else f"Status {code}"


def _name(name: str, number: int) -> None:
    async def run(call: Call, **parameters: str) -> None:
        await status(call, status=number, **parameters)

    register(name, f"Status {number}.", run, of=status, without="status")


for each, number in NAMED.items():
    _name(each, number)
