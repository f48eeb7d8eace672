"""Faults inside the right answer: of its vectors, their order and its fields.

An answer that has no place for the fault is given as it is, and recorded as without one:
a reranking has no vectors, an error no data.
"""

from __future__ import annotations

import base64
import inspect
import json
import math
import struct
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

from .fault import Value, register

if TYPE_CHECKING:
    from .call import Call

__all__: list[str] = []

Change: TypeAlias = Callable[..., bool]
"""Alters a decoded answer in place; says whether there was anything to alter."""


def alteration(change: Change) -> Change:
    """Make a fault of an alteration; its keyword arguments are parameters."""

    async def run(call: Call, **parameters: Value) -> None:
        answer = await call.right()
        body = json.loads(answer.body)
        if answer.status == 200 and change(body, **parameters):
            await call.reply(answer.with_body(json.dumps(body).encode()))
        else:
            call.spare()
            await call.reply(answer)

    register(change.__name__, inspect.getdoc(change) or "", run, of=change)
    return change


def _lists(body: Any) -> Iterator[list[dict[str, Any]]]:
    """The list of items, and those within its items."""
    data = body.get("data")
    if isinstance(data, list):
        yield data
        for item in data:  # pyright: ignore[reportUnknownVariableType]  # of JSON
            yield from _lists(item)


def _items(body: Any, *, inner: bool) -> list[dict[str, Any]]:
    """The list of items, or that within the first."""
    lists = list(_lists(body))[1 if inner else 0 :]
    return lists[0] if lists else []


def _last(body: Any) -> dict[str, Any]:
    """The last item of the last list, which holds a vector if any does."""
    lists = list(_lists(body))
    return lists[-1][-1] if lists and lists[-1] else {}


@alteration
def bad_base64(body: Any) -> bool:
    """The last vector is a string that is not valid base64."""
    item = _last(body)
    if "embedding" not in item:
        return False
    vector = item["embedding"]
    # Strict decoders stumble over the character, others over the length without it.
    item["embedding"] = "!" + (vector[1:] if isinstance(vector, str) else "AAA")
    return True


@alteration
def wrong_dimension(body: Any) -> bool:
    """The last vector lacks its last number (four bytes of it, in base64)."""
    item = _last(body)
    vector = item.get("embedding")
    if not vector:
        return False
    if isinstance(vector, str):
        item["embedding"] = base64.b64encode(base64.b64decode(vector)[:-4]).decode()
    else:
        item["embedding"] = vector[:-1]
    return True


@alteration
def nan(body: Any) -> bool:
    """NaN in the last vector, which is one of float32 if it is in base64, or the last score."""
    item = _last(body)
    vector = item.get("embedding")
    if isinstance(vector, str):
        item["embedding"] = base64.b64encode(
            struct.pack("<f", math.nan) + base64.b64decode(vector)[4:]
        ).decode()
    elif vector:
        vector[0] = math.nan
    elif "relevance_score" in item:
        item["relevance_score"] = math.nan
    else:
        return False
    return True


@alteration
def missing_index(body: Any, *, inner: bool = False) -> bool:
    """The last item has no index; with `inner`, the last chunk of the first document."""
    items = _items(body, inner=inner)
    return bool(items) and items[-1].pop("index", None) is not None


@alteration
def repeated_index(body: Any, *, inner: bool = False) -> bool:
    """The last item has the index of the first."""
    items = _items(body, inner=inner)
    if len(items) < 2:
        return False
    items[-1]["index"] = items[0]["index"]
    return True


@alteration
def wrong_index(body: Any, *, inner: bool = False, index: int = 1_000_000) -> bool:
    """The last item has an index that belongs to nothing."""
    items = _items(body, inner=inner)
    if items:
        items[-1]["index"] = index
    return bool(items)


@alteration
def shuffled(body: Any) -> bool:
    """All lists are reversed; indexes go with their items, so the answer is still right."""
    lists = list(_lists(body))
    for items in lists:
        items.reverse()
    return any(len(items) > 1 for items in lists)


@alteration
def missing_item(body: Any, *, inner: bool = False) -> bool:
    """Fewer vectors, or scores, than inputs: the last is left out."""
    items = _items(body, inner=inner)
    return bool(items) and bool(items.pop())


@alteration
def extra_item(body: Any, *, inner: bool = False) -> bool:
    """More vectors, or scores, than inputs: the last comes again under the next index."""
    items = _items(body, inner=inner)
    if items:
        items.append({**items[-1], "index": len(items)})
    return bool(items)


@alteration
def missing_data(body: Any) -> bool:
    """No `data`."""
    return body.pop("data", None) is not None


@alteration
def missing_usage(body: Any) -> bool:
    """No `usage`."""
    return body.pop("usage", None) is not None


@alteration
def extra_fields(body: Any) -> bool:
    """An unknown field in the answer and in every item; it is still right."""
    for each in (body, *(item for items in _lists(body) for item in items)):
        each["x_unheard_of"] = {"new": True}
    return True


@alteration
def other_model(body: Any, *, name: str = "voyage-unheard-of") -> bool:
    """The answer names another model than was asked for; it is still right."""
    if "model" in body:
        body["model"] = name
    return "model" in body
