"""Faults within the body of a response: in its vectors, their order and its fields.

If a fault does not apply to a response, the response is sent unchanged and recorded without a
fault. For example, a reranking has no vectors, and an error no data.
"""

from __future__ import annotations

import base64
import inspect
import json
import math
import struct
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

import attrs
from voyageai_rest.models import Embedding, EmbeddingsResponse, RerankResult

from .fault import Value, register

if TYPE_CHECKING:
    from .middleware import FaultyRequest

__all__: list[str] = []

# From the generated models, so that a field that is renamed or gone fails the import.
_BODY, _ITEM = attrs.fields(EmbeddingsResponse), attrs.fields(Embedding)
DATA: str = _BODY.data.name
MODEL: str = _BODY.model.name
USAGE: str = _BODY.usage.name
EMBEDDING: str = _ITEM.embedding.name
INDEX: str = _ITEM.index.name
SCORE: str = attrs.fields(RerankResult).relevance_score.name

Alteration: TypeAlias = Callable[..., bool]
"""Alters a decoded body in place; returns whether it applies to the body."""


def alteration(alter: Alteration) -> Alteration:
    """Register an alteration as a fault; its keyword arguments are parameters."""

    async def run(request: FaultyRequest, **parameters: Value) -> None:
        response = await request.real_response()
        body = json.loads(response.body)
        if response.status == 200 and alter(body, **parameters):
            await request.respond(response.with_body(json.dumps(body).encode()))
        else:
            request.mark_unused()
            await request.respond(response)

    register(alter.__name__, inspect.getdoc(alter) or "", run, of=alter)
    return alter


def _lists(body: Any) -> Iterator[list[dict[str, Any]]]:
    """Yield the list of items, and the lists within its items."""
    data = body.get(DATA)
    if isinstance(data, list):
        yield data
        for item in data:  # pyright: ignore[reportUnknownVariableType]  # of JSON
            yield from _lists(item)


def _items(body: Any, *, inner: bool) -> list[dict[str, Any]]:
    """Return the list of items, or the list within the first item."""
    lists = list(_lists(body))[1 if inner else 0 :]
    return lists[0] if lists else []


def _last(body: Any) -> dict[str, Any]:
    """Return the last item of the last list, which has a vector if any item has one."""
    lists = list(_lists(body))
    return lists[-1][-1] if lists and lists[-1] else {}


@alteration
def bad_base64(body: Any) -> bool:
    """The last vector is a string that is not valid base64."""
    item = _last(body)
    if EMBEDDING not in item:
        return False
    vector = item[EMBEDDING]
    # Strict decoders stumble over the character, others over the length without it.
    item[EMBEDDING] = "!" + (vector[1:] if isinstance(vector, str) else "AAA")
    return True


@alteration
def wrong_dimension(body: Any) -> bool:
    """The last vector lacks its last number (four bytes of it, in base64)."""
    item = _last(body)
    vector = item.get(EMBEDDING)
    if not vector:
        return False
    if isinstance(vector, str):
        item[EMBEDDING] = base64.b64encode(base64.b64decode(vector)[:-4]).decode()
    else:
        item[EMBEDDING] = vector[:-1]
    return True


@alteration
def nan(body: Any) -> bool:
    """NaN in the last vector, which is one of float32 if it is in base64, or the last score."""
    item = _last(body)
    vector = item.get(EMBEDDING)
    if isinstance(vector, str):
        item[EMBEDDING] = base64.b64encode(
            struct.pack("<f", math.nan) + base64.b64decode(vector)[4:]
        ).decode()
    elif vector:
        vector[0] = math.nan
    elif SCORE in item:
        item[SCORE] = math.nan
    else:
        return False
    return True


@alteration
def missing_index(body: Any, *, inner: bool = False) -> bool:
    """The last item has no index; with `inner`, the last chunk of the first document."""
    items = _items(body, inner=inner)
    return bool(items) and items[-1].pop(INDEX, None) is not None


@alteration
def repeated_index(body: Any, *, inner: bool = False) -> bool:
    """The last item has the index of the first."""
    items = _items(body, inner=inner)
    if len(items) < 2:
        return False
    items[-1][INDEX] = items[0][INDEX]
    return True


@alteration
def wrong_index(body: Any, *, inner: bool = False, index: int = 1_000_000) -> bool:
    """The last item has an index that belongs to nothing."""
    items = _items(body, inner=inner)
    if items:
        items[-1][INDEX] = index
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
        items.append({**items[-1], INDEX: len(items)})
    return bool(items)


@alteration
def missing_data(body: Any) -> bool:
    """No `data`."""
    return body.pop(DATA, None) is not None


@alteration
def missing_usage(body: Any) -> bool:
    """No `usage`."""
    return body.pop(USAGE, None) is not None


@alteration
def extra_fields(body: Any) -> bool:
    """An unknown field in the answer and in every item; it is still right."""
    for each in (body, *(item for items in _lists(body) for item in items)):
        each["x_unheard_of"] = {"new": True}
    return True


@alteration
def other_model(body: Any, *, name: str = "voyage-unheard-of") -> bool:
    """The answer names another model than was asked for; it is still right."""
    if MODEL in body:
        body[MODEL] = name
    return MODEL in body
