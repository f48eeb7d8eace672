"""Compare two contracts: the OpenAPI documents, the catalogues, and the documents of other APIs."""

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import evolve, frozen

from .. import spec
from .catalogues import compare_catalogues
from .differences import Difference, Place, Side, by_severity, difference
from .documents import Document, operations, references
from .operations import compare_callbacks, compare_operations, compare_servers
from .schemas import SchemaComparison

INFO = ("title", "version", "summary", "description", "termsOfService", "contact", "license")
SCHEMA = "#/components/schemas/"


@frozen
class Contract:
    """A description of the API.

    Attributes:
        name: Name in reports.
        openapi: OpenAPI document; None if there is none.
        catalogue: Catalogue of models; None if there is none.
        others: Documents of further APIs, by package; None if it can't have any.
    """

    name: str
    openapi: Document | None = None
    catalogue: spec.Document | None = None
    others: Mapping[str, Document] | None = None


def compare(old: Contract, new: Contract) -> list[Difference]:
    """Return all differences in meaning, most severe first.

    Only parts that both contracts have are compared: without a catalogue, models are not.
    """
    found: list[Difference] = []
    if old.openapi and new.openapi:
        found += compare_documents(old.openapi, new.openapi)
    if old.catalogue and new.catalogue:
        found += compare_catalogues(old.catalogue, new.catalogue)
    if old.others is not None and new.others is not None:
        found += _others(old.others, new.others)
    unique = {(item.path, item.kind, item.sentence): item for item in found}
    return by_severity(unique.values())


def _others(old: Mapping[str, Document], new: Mapping[str, Document]) -> Iterator[Difference]:
    for name in sorted(old.keys() | new.keys()):
        if name not in new:
            yield difference("contract-removed", Place(name), name=name, subject=name)
        elif name not in old:
            yield difference("contract-added", Place(name), name=name, subject=name)
        else:
            for item in compare_documents(old[name], new[name]):
                yield evolve(item, path=f"{name}: {item.path}")


def compare_documents(old: Document, new: Document) -> Iterator[Difference]:
    """Yield all differences between two OpenAPI documents."""
    yield from _info(old, new)
    yield from compare_servers(old, new)
    yield from compare_operations(old, new)
    yield from _webhooks(old, new)
    yield from _unreferenced_schemas(old, new)


def _info(old: Document, new: Document) -> Iterator[Difference]:
    for key in INFO:
        was, now = (
            " ".join(value.split()) if isinstance(value, str) else value
            for value in (side.raw.get("info", {}).get(key) for side in (old, new))
        )
        if was != now:
            yield difference("info-changed", Place("info", "", key), was, now)
    was, now = (
        {tag["name"]: tag.get("description") for tag in side.raw.get("tags", ())}
        for side in (old, new)
    )
    for name in sorted(was.keys() | now.keys()):
        place = Place("tags", "", name)
        if name not in was:
            yield difference("tag-added", place, None, now[name])
        elif name not in now:
            yield difference("tag-removed", place, was[name], None)
        elif was[name] != now[name]:
            yield difference("description-changed", place, was[name], now[name])


def _webhooks(old: Document, new: Document) -> Iterator[Difference]:
    was, now = (side.inlined(side.raw.get("webhooks")) for side in (old, new))
    yield from compare_callbacks(was, now, Place("webhooks"))


def _unreferenced_schemas(old: Document, new: Document) -> Iterator[Difference]:
    """Compare schemas that no operation refers to, such as those of lines of files.

    A closed schema is compared as one of requests, an open schema as one of responses.
    """
    before, after = _unreferenced(old), _unreferenced(new)
    named_before, named_after = (_named(side) for side in (old, new))
    removed = {name for name in before if name not in named_after}
    added = {name for name in after if name not in named_before}
    for name in sorted(before - removed):
        yield from _schema(old, new, (name, name))
    for name in sorted(removed):
        equals = (other for other in sorted(added) if not list(_schema(old, new, (name, other))))
        renamed = next(equals, None)
        if renamed is None:
            yield difference("schema-removed", Place("schemas", name), name=name, subject=name)
        else:
            added.discard(renamed)
    for name in sorted(added):
        yield difference("schema-added", Place("schemas", name), name=name, subject=name)


def _schema(old: Document, new: Document, names: tuple[str, str]) -> Iterator[Difference]:
    was, now = _named(old)[names[0]], _named(new)[names[1]]
    closed = isinstance(was, dict) and was.get("additionalProperties") is False
    side: Side = "request" if closed else "response"
    yield from SchemaComparison(old, new, side).compare(was, now, Place("schemas", names[0]))


def _named(document: Document) -> dict[str, Any]:
    schemas: dict[str, Any] = document.raw.get("components", {}).get("schemas", {})
    return schemas


def _unreferenced(document: Document) -> set[str]:
    """Return the schemas that neither operations nor other schemas refer to."""
    used = set(references([operation.node for operation in operations(document).values()]))
    used |= set(references([operation.item for operation in operations(document).values()]))
    components = document.raw.get("components", {})
    used |= set(references({key: part for key, part in components.items() if key != "schemas"}))
    for name, schema in _named(document).items():
        used |= set(references(schema)) - {f"{SCHEMA}{name}"}
    return {name for name in _named(document) if f"{SCHEMA}{name}" not in used}
