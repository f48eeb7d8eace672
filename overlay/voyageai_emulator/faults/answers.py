"""Faults of an answer as a whole: what proxies, gateways and broken servers send."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from .call import Answer
from .fault import fault

if TYPE_CHECKING:
    from .call import Call

__all__: list[str] = []

PAGE = b"<!DOCTYPE html><html><head><title>Error</title></head><body>Error</body></html>"


@fault
async def html(call: Call, *, status: int = 502) -> None:
    """A page of HTML."""
    await call.reply(Answer.of(status, PAGE, "text/html; charset=utf-8"))


@fault
async def empty(call: Call, *, status: int = 500) -> None:
    """A body of no bytes."""
    await call.reply(Answer.of(status, b""))


@fault
async def json_list(call: Call, *, status: int = 200) -> None:
    """A JSON list instead of an object."""
    await call.reply(Answer.of_json(status, ["not", "an", "object"]))


@fault
async def detail_list(call: Call, *, status: int = 422) -> None:
    """A `detail` that is a list of objects, as validators in front of the API write it."""
    entry = {"loc": ["body", "input"], "msg": "Field required", "type": "missing"}
    await call.reply(Answer.of_json(status, {"detail": [entry]}))


@fault
async def content_type(call: Call, *, type: str = "text/plain") -> None:
    """The right answer with a wrong Content-Type, or without one if `type` is empty."""
    await call.reply((await call.right()).with_header("content-type", type))


@fault
async def invalid_utf8(call: Call) -> None:
    """The right answer and one more string, which is not UTF-8."""
    answer = await call.right()
    await call.reply(answer.with_body(answer.body.rstrip()[:-1] + b',"note":"\xff\xfe"}'))


@fault
async def cut_json(call: Call, *, share: float = 0.5) -> None:
    """A part of the right body, with the Content-Length of that part."""
    answer = await call.right()
    await call.reply(answer.with_body(answer.body[: int(len(answer.body) * share)]))


@fault
async def bad_gzip(call: Call) -> None:
    """The right body, marked as gzip although it is not compressed."""
    await call.reply((await call.right()).with_header("content-encoding", "gzip"))


@fault
async def huge_header(call: Call, *, size: int = 131_072) -> None:
    """The right answer with a header of many bytes."""
    await call.reply((await call.right()).with_header("x-emulator-padding", "x" * size))


@fault
async def redirect(call: Call, *, status: int = 307, to: str = "http://elsewhere.invalid") -> None:
    """A redirect to the same path at another origin."""
    path: str = call.scope["raw_path"].decode()
    query: str = call.scope["query_string"].decode()
    location = to.rstrip("/") + path + ("?" + query if query else "")
    await call.reply(Answer.of(status, json.dumps({}).encode()).with_header("location", location))
