"""Comparing operations: what can be asked for, and how."""

from collections.abc import Iterator
from typing import Any

from ..spec import Document as Mapping
from .bodies import compare_examples, compare_request, compare_responses
from .comparing import Schemas
from .differences import Difference, Place, difference
from .documents import Document, wordless
from .operation import Operation, operations, schema_of
from .schemas import NULL, shapes
from .security import compare_security
from .servers import compare_servers_of

# How a parameter is written unless it is said.
STYLES = {"query": "form", "cookie": "form", "path": "simple", "header": "simple"}
# There is one way to write these, whether it is exploded or not.
SCALARS = {"string", "integer", "number", "boolean", NULL}
# OpenAPI says these headers elsewhere.
ELSEWHERE = {("header", name) for name in ("accept", "content-type", "authorization")}


def compare_operations(old: Document, new: Document) -> Iterator[Difference]:
    """Operations that are gone, that are new, and that are others."""
    before, after = operations(old), operations(new)
    for key in sorted(before.keys() | after.keys()):
        if key not in after:
            label = before[key].label
            yield difference("operation-removed", Place(label), label, None, subject=label)
        elif key not in before:
            label = after[key].label
            yield difference("operation-added", Place(label), None, label, subject=label)
        else:
            yield from _operation(before[key], after[key])


def _operation(old: Operation, new: Operation) -> Iterator[Difference]:
    place = Place(old.label)
    yield from _words(old, new, place)
    yield from compare_servers_of(old, new, place)
    yield from compare_security(old, new)
    yield from _parameters(old, new)
    yield from compare_request(old, new)
    yield from compare_responses(old, new)


def _words(old: Operation, new: Operation, place: Place) -> Iterator[Difference]:
    for key, kind in (
        ("operationId", "operation-renamed"),
        ("summary", "summary-changed"),
        ("description", "description-changed"),
        ("tags", "tags-changed"),
    ):
        was, now = _plain(old.node.get(key)), _plain(new.node.get(key))
        if was != now:
            yield difference(kind, place, was, now)
    was, now = old.node.get("deprecated", False), new.node.get("deprecated", False)
    if was != now:
        yield difference("deprecated" if now else "no-longer-deprecated", place)
    was, now = (side.document.spelled_out(side.node.get("callbacks")) for side in (old, new))
    yield from compare_calls(was, now, place)


def compare_calls(was: Any, now: Any, place: Place) -> Iterator[Difference]:
    """What the server calls, as it is written with all references replaced."""
    if wordless(was) != wordless(now):
        yield difference("callbacks-changed", place, was, now)
    elif was != now:
        yield difference("description-changed", place, was, now, name="the callbacks")


def _parameters(old: Operation, new: Operation) -> Iterator[Difference]:
    before, after = old.parameters(), new.parameters()
    for key in sorted((before.keys() | after.keys()) - ELSEWHERE):
        where, name = key[0], (before.get(key) or after[key])["name"]
        place = Place(old.label, where, name)
        if key not in after:
            yield difference("parameter-removed", place, name, None)
        elif key not in before:
            required = "-required" if after[key].get("required") else ""
            yield difference(f"parameter-added{required}", place, None, name)
        else:
            schemas = Schemas(old.document, new.document, "request")
            yield from _parameter(schemas, before[key], after[key], place)


def _parameter(
    schemas: Schemas, before: Mapping, after: Mapping, place: Place
) -> Iterator[Difference]:
    if before["in"] == "path" and before["name"] != after["name"]:
        yield difference("parameter-renamed", place, before["name"], after["name"])
    required = after.get("required", False)
    if before.get("required", False) != required:
        yield difference("parameter-required" if required else "parameter-optional", place)
    if before.get("deprecated", False) != after.get("deprecated", False):
        kind = "deprecated" if after.get("deprecated") else "no-longer-deprecated"
        yield difference(kind, place)
    was, now = _plain(before.get("description")), _plain(after.get("description"))
    if was != now:
        yield difference("description-changed", place, was, now)
    was, now = _written(schemas.old, before), _written(schemas.new, after)
    if was != now:
        yield difference("serialization-changed", place, was, now)
    yield from compare_examples(schemas, before, after, place)
    yield from schemas.compare(schema_of(before), schema_of(after), place)


def _written(document: Document, parameter: Mapping) -> str:
    if "content" in parameter:
        return str(next(iter(parameter["content"])))
    style = parameter.get("style", STYLES[parameter["in"]])
    types = {shape.type for shape in shapes(document, schema_of(parameter))}
    if types <= SCALARS:
        return str(style)
    explode = parameter.get("explode", style == "form")
    return f"{style}, {'exploded' if explode else 'in one'}"


def _plain(value: Any) -> Any:
    """Words without the way they are broken into lines; lists without their order."""
    if isinstance(value, str):
        return " ".join(value.split())
    return sorted(value) if value else None
