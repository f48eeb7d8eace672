"""Faults of whole responses, of the connection and of timing.

Faults of the connection need a server with sockets, or the in-process transport.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from ..responses import ApiError
from .fault import fault, register
from .middleware import CompleteResponse

if TYPE_CHECKING:
    from .middleware import FaultyRequest

__all__ = ["STATUSES"]

STATUSES = {
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
"""Phrases of statuses that proxies send although no standard defines them."""
PAGE = b"<!DOCTYPE html><html><head><title>Error</title></head><body>Error</body></html>"


# Statuses with the API's error body


@fault
async def status(
    request: FaultyRequest,
    *,
    status: int = 500,
    retry_after: str = "",
    retry_after_ms: str = "",
    should_retry: str = "",
    detail: str = "",
    code: str = "",
) -> None:
    """A status from 200 to 599, with the API's `detail`, and headers if given."""
    error = ApiError(detail or _phrase(status), status, code or None)
    await request.respond(
        CompleteResponse.of_json(status, error.body())
        .with_header("retry-after", retry_after)
        .with_header("retry-after-ms", retry_after_ms)
        .with_header("x-should-retry", should_retry)
    )


def _phrase(code: int) -> str:
    if code in UNREGISTERED:
        return UNREGISTERED[code]
    return HTTPStatus(code).phrase if code in set(HTTPStatus) else f"Status {code}"


def _register_status(name: str, number: int) -> None:
    async def run(request: FaultyRequest, **parameters: str) -> None:
        await status(request, status=number, **parameters)

    register(name, f"Status {number}.", run, of=status, without="status")


for each, number in STATUSES.items():
    _register_status(each, number)


# Responses of proxies, gateways and broken servers


@fault
async def html(request: FaultyRequest, *, status: int = 502) -> None:
    """An HTML page."""
    await request.respond(CompleteResponse.of(status, PAGE, "text/html; charset=utf-8"))


@fault
async def empty(request: FaultyRequest, *, status: int = 500) -> None:
    """An empty body."""
    await request.respond(CompleteResponse.of(status, b""))


@fault
async def json_list(request: FaultyRequest, *, status: int = 200) -> None:
    """A JSON list instead of an object."""
    await request.respond(CompleteResponse.of_json(status, ["not", "an", "object"]))


@fault
async def detail_list(request: FaultyRequest, *, status: int = 422) -> None:
    """A `detail` that is a list of objects, as validators in front of the API write it."""
    entry = {"loc": ["body", "input"], "msg": "Field required", "type": "missing"}
    await request.respond(CompleteResponse.of_json(status, {"detail": [entry]}))


@fault
async def content_type(request: FaultyRequest, *, type: str = "text/plain") -> None:
    """The right answer with a wrong Content-Type, or without one if `type` is empty."""
    await request.respond((await request.real_response()).with_header("content-type", type))


@fault
async def invalid_utf8(request: FaultyRequest) -> None:
    """The right answer and one more string, which is not UTF-8."""
    response = await request.real_response()
    await request.respond(response.with_body(response.body.rstrip()[:-1] + b',"note":"\xff\xfe"}'))


@fault
async def cut_json(request: FaultyRequest, *, share: float = 0.5) -> None:
    """A part of the right body, with the Content-Length of that part."""
    response = await request.real_response()
    await request.respond(response.with_body(response.body[: int(len(response.body) * share)]))


@fault
async def bad_gzip(request: FaultyRequest) -> None:
    """The right body, marked as gzip although it is not compressed."""
    await request.respond((await request.real_response()).with_header("content-encoding", "gzip"))


@fault
async def huge_header(request: FaultyRequest, *, size: int = 262_144) -> None:
    """The right answer with a header of many bytes."""
    await request.respond(
        (await request.real_response()).with_header("x-emulator-padding", "x" * size)
    )


@fault
async def redirect(
    request: FaultyRequest, *, status: int = 307, to: str = "http://elsewhere.invalid"
) -> None:
    """A redirect to the same path at another origin."""
    path: str = request.scope["raw_path"].decode()
    query: str = request.scope["query_string"].decode()
    location = to.rstrip("/") + path + ("?" + query if query else "")
    await request.respond(CompleteResponse.of(status, b"{}").with_header("location", location))


# Faults of the connection and of timing


@fault
async def reset_before(request: FaultyRequest) -> None:
    """The connection is reset before any byte of an answer."""
    await request.hang_up(reset=True)


@fault
async def reset_during(request: FaultyRequest, *, share: float = 0.5) -> None:
    """The connection is reset after a part of the body."""
    await _break_off(request, share, reset=True)


@fault
async def reset_after(request: FaultyRequest) -> None:
    """The connection is reset after the right answer."""
    await request.respond(await request.real_response())
    await request.hang_up(reset=True)


@fault
async def close_before(request: FaultyRequest) -> None:
    """The connection is closed before any byte of an answer."""
    await request.hang_up()


@fault
async def close_headers(request: FaultyRequest) -> None:
    """The connection is closed after the headers."""
    await _break_off(request, 0)


@fault
async def close_after(request: FaultyRequest) -> None:
    """The connection is closed after the right answer, without `Connection: close` in it."""
    await request.respond(await request.real_response())
    await request.hang_up()


@fault
async def truncated(request: FaultyRequest, *, share: float = 0.5, chunked: bool = False) -> None:
    """The connection is closed after a part of the body."""
    await _break_off(request, share, chunked=chunked)


@fault
async def drip(
    request: FaultyRequest, *, size: int = 512, delay: float = 0.01, max_seconds: float = 10.0
) -> None:
    """The right body in small pieces, `delay` seconds apart; the rest after `max_seconds`."""
    response = await request.real_response()
    await request.begin(response, len(response.body))
    rest, spent = response.body, 0.0
    while len(rest) > size and spent < max_seconds:
        await request.send(rest[:size])
        rest = rest[size:]
        if not await request.pause(delay):
            return
        spent += delay
    await request.send(rest, last=True)


@fault
async def delay(request: FaultyRequest, *, seconds: float = 0.1) -> None:
    """The right answer, late."""
    if await request.pause(seconds):
        await request.respond(await request.real_response())


@fault
async def hang(request: FaultyRequest, *, max_seconds: float = 600.0) -> None:
    """No answer; the connection stays open until the client disconnects, or for `max_seconds`."""
    if await request.pause(max_seconds):
        await request.hang_up()


async def _break_off(
    request: FaultyRequest, share: float, *, reset: bool = False, chunked: bool = False
) -> None:
    """Send a part of the real response, and end the connection."""
    response = await request.real_response()
    await request.begin(response, None if chunked else len(response.body))
    part = response.body[: min(int(len(response.body) * share), len(response.body) - 1)]
    if part:
        await request.send(part)
    await request.hang_up(reset=reset)
