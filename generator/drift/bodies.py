"""Compare request bodies, and statuses, headers and bodies of responses."""

from collections.abc import Iterator
from typing import Any

from ..spec import Document as Mapping
from .differences import Difference, Place, Side, difference
from .documents import Document, Operation, schema_of
from .schemas import SchemaComparison

JSON = "application/json"


def compare_request(old: Operation, new: Operation) -> Iterator[Difference]:
    """Compare the bodies of requests."""
    place = Place(old.label, "request")
    before = old.document.follow(old.node.get("requestBody", {}))
    after = new.document.follow(new.node.get("requestBody", {}))
    required = after.get("required", False)
    if before and not after:
        yield difference("body-removed", place, side="request")
    elif after and not before:
        yield difference("body-added-required" if required else "body-added", place)
    elif before and after:
        yield from _described(before, after, place)
        if before.get("required", False) != required:
            yield difference("body-required" if required else "body-optional", place)
        yield from _contents(
            SchemaComparison(old.document, new.document, "request"), before, after, place
        )


def compare_responses(old: Operation, new: Operation) -> Iterator[Difference]:
    """Compare statuses, and their headers and bodies."""
    before, after = _responses(old), _responses(new)
    for status in sorted(before.keys() | after.keys()):
        was, now = _answer(before, status), _answer(after, status)
        place = Place(old.label, f"response.{status}")
        kind = "error" if status[0] in "45d" else "status"
        if was is None:
            yield difference(f"{kind}-added", place, None, status, subject=status)
        elif now is None:
            yield difference(f"{kind}-removed", place, status, None, subject=status)
        else:
            yield from _response(old.document, new.document, (was, now), place)


def _responses(operation: Operation) -> dict[str, Mapping]:
    return {
        str(status).upper().replace("DEFAULT", "default"): operation.document.follow(response)
        for status, response in operation.node.get("responses", {}).items()
    }


def _answer(responses: dict[str, Mapping], status: str) -> Mapping | None:
    """Return the response for a status: its own, that of its range (`4XX`), or the default one."""
    for key in (status, f"{status[0]}XX", "default"):
        if key in responses:
            return responses[key]
    return None


def _response(
    old: Document, new: Document, answers: tuple[Mapping, Mapping], place: Place
) -> Iterator[Difference]:
    before, after = answers
    schemas = SchemaComparison(old, new, "response")
    yield from _described(before, after, place)
    yield from _headers(schemas, before, after, place)
    was, now = (old.inlined(before.get("links", {})), new.inlined(after.get("links", {})))
    if was != now:
        yield difference("links-changed", place, was, now)
    if before.get("content") and not after.get("content"):
        yield difference("body-removed", place, side="response")
    elif after.get("content") and not before.get("content"):
        yield difference("body-documented", place, None, ", ".join(sorted(after["content"])))
    else:
        yield from _contents(schemas, before, after, place)


def _headers(
    schemas: SchemaComparison, before: Mapping, after: Mapping, place: Place
) -> Iterator[Difference]:
    was, now = (
        {name.lower(): document.follow(node) for name, node in holder.get("headers", {}).items()}
        for document, holder in ((schemas.old, before), (schemas.new, after))
    )
    for name in sorted((was.keys() | now.keys()) - {"content-type"}):
        here = Place(place.owner, f"{place.side}.header", name)
        if name not in now:
            yield difference("header-removed", here)
        elif name not in was:
            yield difference("header-added", here)
        else:
            required = now[name].get("required", False)
            if was[name].get("required", False) != required:
                yield difference("header-required" if required else "header-optional", here)
            yield from _described(was[name], now[name], here)
            yield from schemas.compare(schema_of(was[name]), schema_of(now[name]), here)


def _contents(
    schemas: SchemaComparison, before: Mapping, after: Mapping, place: Place
) -> Iterator[Difference]:
    was, now = _by_media_type(before), _by_media_type(after)
    side: Side = schemas.side
    for name in sorted(was.keys() | now.keys()):
        here = place if name == JSON else Place(place.owner, f"{place.side}({name})")
        if name not in now:
            yield difference("media-type-removed", place, name, None, side=side, subject=name)
        elif name not in was:
            yield difference("media-type-added", place, None, name, side=side, subject=name)
        else:
            yield from schemas.compare(schema_of(was[name]), schema_of(now[name]), here)
            encodings = was[name].get("encoding"), now[name].get("encoding")
            if encodings[0] != encodings[1]:
                yield difference("serialization-changed", here, *encodings)
            yield from compare_examples(schemas, was[name], now[name], here)


def _by_media_type(holder: Mapping) -> dict[str, Mapping]:
    return {
        name.partition(";")[0].strip().lower(): node
        for name, node in holder.get("content", {}).items()
    }


def compare_examples(
    schemas: SchemaComparison, before: Mapping, after: Mapping, place: Place
) -> Iterator[Difference]:
    """Compare the examples of a body or a parameter."""
    was, now = _examples(schemas.old, before), _examples(schemas.new, after)
    if was != now:
        yield difference("examples-changed", place, was, now)


def _examples(document: Document, media: Mapping) -> list[Any]:
    if "example" in media:
        return [media["example"]]
    return [document.follow(node).get("value") for node in media.get("examples", {}).values()]


def _described(before: Mapping, after: Mapping, place: Place) -> Iterator[Difference]:
    was, now = (" ".join(node.get("description", "").split()) for node in (before, after))
    if was != now:
        yield difference("description-changed", place, was, now)
