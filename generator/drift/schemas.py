"""Compare two schemas: the values that they allow, and their annotations."""

import json
from collections.abc import Iterator
from typing import Any

from .differences import Difference, Place, Side, difference
from .documents import Document, Raw, without_prose
from .shapes import (
    ANY,
    BOUNDS,
    LOWER,
    NULL,
    UNSET,
    UPPER,
    Shape,
    annotation,
    canonical_json,
    examples,
    shapes,
)

ANY_NAME = {"type": "string"}


class SchemaComparison:
    """Compares schemas of two documents, for requests or for responses."""

    def __init__(self, old: Document, new: Document, side: Side) -> None:
        self.old = old
        self.new = new
        self.side: Side = side
        # Pairs that are being compared; within recursive schemas they count as equal.
        self._in_progress: set[tuple[int, int]] = set()
        # Pairs without a difference, so that schemas used in many places are compared once.
        self._equal: set[tuple[int, int]] = set()

    def compare(self, old: Raw, new: Raw, place: Place) -> Iterator[Difference]:
        """Yield all differences, at any depth."""
        pair = (id(self.old.resolved(old)), id(self.new.resolved(new)))
        if pair in self._in_progress or pair in self._equal:
            return
        self._in_progress.add(pair)
        is_equal = True
        try:
            for found in self._compare(old, new, place):
                is_equal = False
                yield found
        finally:
            self._in_progress.remove(pair)
        if is_equal:
            self._equal.add(pair)

    def _compare(self, old: Raw, new: Raw, place: Place) -> Iterator[Difference]:
        before, after = shapes(self.old, old), shapes(self.new, new)
        yield from self._annotations(old, new, place)
        yield from self._alternatives(before, after, place)

    def _annotations(self, old: Raw, new: Raw, place: Place) -> Iterator[Difference]:
        def both(keyword: str) -> tuple[Any, Any]:
            return annotation(self.old, old, keyword), annotation(self.new, new, keyword)

        before, after = both("default")
        if not _same(before, after):
            kind = "default-changed"
            if before is UNSET or after is UNSET:
                kind = "default-stated" if before is UNSET else "default-dropped"
            yield self._difference(kind, place, _or_none(before), _or_none(after))
        before, after = (value is True for value in both("deprecated"))
        if before != after:
            yield self._difference("deprecated" if after else "no-longer-deprecated", place)
        before, after = (
            None if value is UNSET else " ".join(value.split()) for value in both("description")
        )
        if before != after:
            yield self._difference("description-changed", place, before, after)
        before, after = examples(self.old, old), examples(self.new, new)
        if before != after:
            yield self._difference("examples-changed", place, before, after)

    def _alternatives(
        self, old: list[Shape], new: list[Shape], place: Place
    ) -> Iterator[Difference]:
        before, after = _by_type(old), _by_type(new)
        if ANY not in before.keys() | after.keys() and (NULL in before) != (NULL in after):
            yield self._difference("null-added" if NULL in after else "null-removed", place)
        before.pop(NULL, None)
        after.pop(NULL, None)
        yield from self._types(before, after, place)
        only = len(before) == len(after) == 1
        for name in sorted(before.keys() & after.keys()):
            yield from self._of_a_type(before[name], after[name], place, only=only)

    def _types(
        self, before: dict[str, list[Shape]], after: dict[str, list[Shape]], place: Place
    ) -> Iterator[Difference]:
        removed, added = before.keys() - after.keys(), after.keys() - before.keys()
        if not removed and not added:
            return
        kind = "type-changed"
        if not removed or (ANY in added) or (removed == {"integer"} and added == {"number"}):
            kind = "type-widened"
        elif not added or (ANY in removed) or (removed == {"number"} and added == {"integer"}):
            kind = "type-narrowed"
        yield self._difference(kind, place, _types_of(before), _types_of(after))

    def _of_a_type(
        self, old: list[Shape], new: list[Shape], place: Place, *, only: bool
    ) -> Iterator[Difference]:
        if len(old) == len(new) == 1:
            here = place if only else place.part(f"<{old[0].type}>")
            yield from self._shape(old[0], new[0], here)
            return
        pairs, removed, added = self._matched(old, new, place)
        for one, other in pairs:
            yield from self._shape(one, other, place.part(f"<{self._label(self.old, one)}>"))
        for shape in removed:
            yield self._difference("alternative-removed", place, self._label(self.old, shape), None)
        for shape in added:
            yield self._difference("alternative-added", place, None, self._label(self.new, shape))

    def _matched(
        self, old: list[Shape], new: list[Shape], place: Place
    ) -> tuple[list[tuple[Shape, Shape]], list[Shape], list[Shape]]:
        """Return pairs of similar shapes, and the unmatched shapes of either side."""
        # Equality that was found while these pairs were tried may not hold otherwise.
        equal = set(self._equal)
        costs = sorted(
            (len(list(self._shape(one, other, place))), i, j)
            for i, one in enumerate(old)
            for j, other in enumerate(new)
            if _label_kind(self._label(self.old, one)) == _label_kind(self._label(self.new, other))
        )
        self._equal = equal
        partner: dict[int, int] = {}
        for _, i, j in costs:
            if i not in partner and j not in partner.values():
                partner[i] = j
        return (
            [(old[i], new[j]) for i, j in sorted(partner.items())],
            [shape for i, shape in enumerate(old) if i not in partner],
            [shape for j, shape in enumerate(new) if j not in partner.values()],
        )

    def _label(self, document: Document, shape: Shape) -> str:
        """Return a label that distinguishes a shape from others of its type."""
        if shape.type == "array":
            names = sorted(_by_type(shapes(document, shape.inner.get("items", True))))
            return f"array of {' or '.join(names)}"
        if shape.type == "object":
            for name, schema in sorted(shape.fields.items()):
                values = [found.values for found in shapes(document, schema)]
                if len(values) == 1 and values[0] is not None and len(values[0]) == 1:
                    return f"object {name}={json.loads(next(iter(values[0])))}"
            return f"object ({', '.join(sorted(shape.required or shape.fields))})"
        return shape.type

    def _shape(self, old: Shape, new: Shape, place: Place) -> Iterator[Difference]:
        yield from self._values(old, new, place)
        yield from self._limits(old, new, place)
        yield from self._fields(old, new, place)
        for keyword in sorted(old.inner.keys() | new.inner.keys()):
            anything = ANY_NAME if keyword == "propertyNames" else True
            inner = old.inner.get(keyword, anything), new.inner.get(keyword, anything)
            yield from self._inner(*inner, place, keyword)
        for keyword in sorted(old.whole.keys() | new.whole.keys()):
            before, after = old.whole.get(keyword), new.whole.get(keyword)
            if before != after:
                kind = _kind_of_limit(keyword, before, after)
                if keyword.startswith("x-"):
                    kind = "extension-changed"
                if without_prose(before) == without_prose(after):
                    kind = "description-changed"
                yield self._difference(kind, place, before, after, keyword=keyword)

    def _values(self, old: Shape, new: Shape, place: Place) -> Iterator[Difference]:
        before, after = _values_of(old), _values_of(new)
        if old.values is not None and new.values is None:
            yield self._difference("values-opened", place, before, after or None)
            return
        if old.values is None and new.values is not None:
            yield self._difference("values-closed", place, before or None, after)
            return
        prefix = "value" if old.values is not None else "known-value"
        for value in before:
            if value not in after:
                yield self._difference(f"{prefix}-removed", place, value, None, subject=str(value))
        for value in after:
            if value not in before:
                yield self._difference(f"{prefix}-added", place, None, value, subject=str(value))

    def _limits(self, old: Shape, new: Shape, place: Place) -> Iterator[Difference]:
        was, now = dict(old.limits), dict(new.limits)
        yield from self._bounds(was, now, place)
        for keyword in sorted(was.keys() | now.keys()):
            before, after = was.get(keyword), now.get(keyword)
            if before != after:
                kind = _kind_of_limit(keyword, before, after)
                yield self._difference(kind, place, before, after, keyword=keyword)

    def _bounds(
        self, was: dict[str, Any], now: dict[str, Any], place: Place
    ) -> Iterator[Difference]:
        """Yield bounds that are exclusive on one side only, and remove them from the limits."""
        for plain, exclusive, step in BOUNDS:
            if not {plain, exclusive} <= was.keys() | now.keys():
                continue
            closes = exclusive in now
            before = was.pop(plain if closes else exclusive)
            after = now.pop(exclusive if closes else plain)
            way = (after - before) * step
            kind = "limit-tightened" if way > 0 or (way == 0 and closes) else "limit-loosened"
            beyond = "above" if step > 0 else "below"
            shown = (before, f"{beyond} {after}") if closes else (f"{beyond} {before}", after)
            yield self._difference(kind, place, *shown, keyword=plain)

    def _fields(self, old: Shape, new: Shape, place: Place) -> Iterator[Difference]:
        before, after = self._visible_fields(self.old, old), self._visible_fields(self.new, new)
        required = [
            shape.required - (shape.fields.keys() - shown.keys())
            for shape, shown in ((old, before), (new, after))
        ]
        for name in sorted(before.keys() | after.keys()):
            here = place.field(name)
            if name not in after:
                yield self._difference("field-removed", here, name, None)
            elif name not in before:
                kind = "field-added-required" if name in required[1] else "field-added"
                yield self._difference(kind, here, None, name)
            else:
                yield from self.compare(before[name], after[name], here)
        for name in sorted((required[0] ^ required[1]) - (before.keys() ^ after.keys())):
            kind = "field-required" if name in required[1] else "field-optional"
            yield self._difference(kind, place.field(name))

    def _visible_fields(self, document: Document, shape: Shape) -> dict[str, Raw]:
        """Return the fields of this side, without read-only ones in requests, for example."""
        hidden = "readOnly" if self.side == "request" else "writeOnly"
        return {
            name: schema
            for name, schema in shape.fields.items()
            if schema is not False and annotation(document, schema, hidden) is not True
        }

    def _inner(self, old: Raw, new: Raw, place: Place, keyword: str) -> Iterator[Difference]:
        if keyword == "additionalProperties" and (old is False) != (new is False):
            yield self._difference("fields-opened" if old is False else "fields-closed", place)
            return
        suffix = {"items": "[]", "additionalProperties": ".*"}.get(keyword, f".<{keyword}>")
        yield from self.compare(old, new, place.part(suffix))

    def _difference(
        self,
        kind: str,
        place: Place,
        before: Any = None,
        after: Any = None,
        *,
        keyword: str = "",
        subject: str = "",
    ) -> Difference:
        return difference(
            kind, place, before, after, side=self.side, keyword=keyword, subject=subject
        )


def _by_type(found: list[Shape]) -> dict[str, list[Shape]]:
    by_type: dict[str, list[Shape]] = {}
    for shape in found:
        by_type.setdefault(shape.type, []).append(shape)
    return by_type


def _types_of(by_type: dict[str, list[Shape]]) -> str:
    return " or ".join(sorted(by_type)) or "no value at all"


def _kind_of_limit(keyword: str, before: Any, after: Any) -> str:
    if before is None or after is None:
        is_tighter = before is None
    elif keyword in LOWER or keyword in UPPER:
        is_tighter = after > before if keyword in LOWER else after < before
    elif keyword == "multipleOf" and not isinstance(before, list) and not isinstance(after, list):
        if after % before and before % after:
            return "form-changed"
        is_tighter = after > before
    else:
        return "form-changed"
    return "limit-tightened" if is_tighter else "limit-loosened"


def _values_of(shape: Shape) -> list[Any]:
    values = shape.known if shape.values is None else shape.values
    return [json.loads(value) for value in sorted(values)]


def _label_kind(label: str) -> str:
    """Return a label without its list of fields, which may change within an alternative."""
    return label.partition(" (")[0]


def _same(before: Any, after: Any) -> bool:
    if before is UNSET or after is UNSET:
        return before is after
    return canonical_json(before) == canonical_json(after)


def _or_none(value: Any) -> Any:
    return None if value is UNSET else value
