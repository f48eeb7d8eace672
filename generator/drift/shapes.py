"""Normalize schemas to shapes, so that equivalent schemas can be compared.

`nullable` and lists of types, `const` and `enum`, references, `allOf`, and alternatives in any
order give the same `Shape`s. `oneOf` and `anyOf` are both read as alternatives.
"""

import json
from collections.abc import Iterable, Iterator
from itertools import product
from typing import Any

from attrs import evolve, field, frozen

from .documents import Document, DriftError, Raw

ANY = "anything"
NULL = "null"

LOWER = ("minLength", "minItems", "minProperties", "minContains", "minimum", "exclusiveMinimum")
UPPER = ("maxLength", "maxItems", "maxProperties", "maxContains", "maximum", "exclusiveMaximum")
# An inclusive limit, its exclusive form, and the step from the latter to the former for integers.
BOUNDS = (("minimum", "exclusiveMinimum", 1), ("maximum", "exclusiveMaximum", -1))
FORMS = ("pattern", "format", "multipleOf", "contentEncoding", "contentMediaType", "uniqueItems")
INNER = ("items", "propertyNames", "contains", "additionalProperties")
# Compared literally, as they are rare.
OPAQUE = ("not", "if", "then", "else", "xml", "x-memory")
OPAQUE_OF_TYPE = {
    "array": (*OPAQUE, "prefixItems", "unevaluatedItems"),
    "object": (*OPAQUE, "dependentRequired", "dependentSchemas"),
}
OF_TYPE = {
    "string": {"minLength", "maxLength", "pattern", "format"}
    | {"contentEncoding", "contentMediaType"},
    "array": {"minItems", "maxItems", "minContains", "maxContains", "uniqueItems"},
    "object": {"minProperties", "maxProperties"},
    "boolean": set[str](),
    NULL: set[str](),
}
_NUMERIC = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "format"}
OF_TYPE |= {"number": _NUMERIC, "integer": _NUMERIC}
# Types that these keywords imply in a schema without a type.
IMPLIES_TYPE = {
    "object": {"properties", "required", "additionalProperties", "patternProperties"}
    | {"unevaluatedProperties", "propertyNames", "dependentRequired", "dependentSchemas"},
    "array": {"items", "prefixItems", "contains", "unevaluatedItems"},
    "string": {"minLength", "maxLength", "pattern"},
}
NO_LIMIT = {"minLength": 0, "minItems": 0, "minProperties": 0, "uniqueItems": False}


@frozen
class Shape:
    """One alternative of a schema: values of one type.

    Attributes:
        type: JSON type; `anything` if the schema has none.
        values: Allowed values, as JSON texts; None if all are allowed.
        known: Known values of an open enum, which allows others too.
        limits: Limits of values, by keyword.
        fields: Schemas of the fields of an object.
        required: Required fields.
        inner: Schemas of items and other inner values, by keyword.
        whole: Keywords that are compared literally, with their values.
    """

    type: str
    values: frozenset[str] | None = None
    known: frozenset[str] = frozenset()
    limits: dict[str, Any] = field(factory=dict)
    fields: dict[str, Raw] = field(factory=dict)
    required: frozenset[str] = frozenset()
    inner: dict[str, Raw] = field(factory=dict)
    whole: dict[str, Any] = field(factory=dict)

    @property
    def is_plain(self) -> bool:
        """True if it allows all values of its type."""
        return self == Shape(self.type)


def shapes(document: Document, schema: Raw) -> list[Shape]:
    """Return the shapes of a schema; empty if no value is valid."""
    return _merged(_shapes(document, schema, ()))


def _shapes(document: Document, schema: Raw, within: tuple[str, ...]) -> list[Shape]:
    schema = document.normalized(schema)
    if isinstance(schema, bool):
        return [Shape(ANY)] if schema else []
    found = list(_own_shapes(document, schema))
    reference = schema.get("$ref")
    if reference is not None:
        if reference in within:
            raise DriftError(f"{document.name}: {reference} refers to nothing but itself")
        target = document.target(reference)
        found = _intersections(document, found, _shapes(document, target, (*within, reference)))
    for part in schema.get("allOf", ()):
        found = _intersections(document, found, _shapes(document, part, within))
    for keyword in ("anyOf", "oneOf"):
        if keyword in schema:
            options = (
                _shapes(document, document.with_discriminator(schema, option), within)
                for option in schema[keyword]
            )
            found = _intersections(
                document, found, [shape for option in options for shape in option]
            )
    if schema.get("nullable") is True and all(shape.type not in (ANY, NULL) for shape in found):
        found.append(Shape(NULL))
    return found


def _own_shapes(document: Document, schema: Raw) -> Iterator[Shape]:
    values = [schema["const"]] if "const" in schema else schema.get("enum")
    for name in _types(schema, values):
        chosen = None
        if values is not None:
            chosen = frozenset(canonical_json(v) for v in values if _has_type(v, name))
            if not chosen:
                continue
            if name in ("boolean", NULL) and len(chosen) == (2 if name == "boolean" else 1):
                chosen = None  # all values of the type
        yield Shape(
            name,
            chosen,
            limits=_limits(schema, name),
            whole={
                key: document.inlined(schema[key])
                for key in OPAQUE_OF_TYPE.get(name, OPAQUE)
                if key in schema
            },
            **(_object(schema) if name == "object" else _array(schema, name)),
        )


def _types(schema: Raw, values: list[Any] | None) -> list[str]:
    types = schema.get("type")
    if types is not None:
        return [types] if isinstance(types, str) else list(types)
    if values is not None:
        return sorted({_type_of(value) for value in values})
    return [name for name, keywords in IMPLIES_TYPE.items() if keywords & schema.keys()] or [ANY]


def _object(schema: Raw) -> dict[str, Any]:
    inner = {
        f"patternProperties {pattern}": value
        for pattern, value in schema.get("patternProperties", {}).items()
    }
    inner |= {key: schema[key] for key in ("propertyNames",) if key in schema}
    closing = schema.get("additionalProperties", schema.get("unevaluatedProperties", True))
    if closing not in (True, {}):
        inner["additionalProperties"] = closing
    return {
        "fields": dict(schema.get("properties", {})),
        "required": frozenset(schema.get("required", ())),
        "inner": inner,
    }


def _array(schema: Raw, name: str) -> dict[str, Any]:
    if name != "array":
        return {}
    return {"inner": {key: schema[key] for key in ("items", "contains") if key in schema}}


def _limits(schema: Raw, name: str) -> dict[str, Any]:
    mine = OF_TYPE.get(name, {*LOWER, *UPPER, *FORMS})
    found = {
        key: schema[key]
        for key in (*LOWER, *UPPER, *FORMS)
        if key in mine and key in schema and schema[key] != NO_LIMIT.get(key, ...)
    }
    for plain, exclusive, _ in BOUNDS:
        # In 3.0 the exclusive form is a flag beside the inclusive limit.
        if isinstance(found.get(exclusive), bool) and found.pop(exclusive) and plain in found:
            found[exclusive] = found.pop(plain)
    if found.get("format") == "byte":
        found["contentEncoding"] = "base64"
        del found["format"]
    is_plain = "contentEncoding" not in found
    if is_plain and found.get("contentMediaType") == "application/octet-stream":
        found["format"] = "binary"
        del found["contentMediaType"]
    return _bounded(found, name)


def _bounded(limits: dict[str, Any], name: str) -> dict[str, Any]:
    """Return limits with only the tighter bound on each side."""
    for plain, exclusive, step in BOUNDS:
        if name == "integer" and isinstance(limits.get(exclusive), int):
            whole = limits.pop(exclusive) + step
            limits = _tightest(limits, {plain: whole})
        if plain in limits and exclusive in limits:
            is_beyond = (limits[plain] - limits[exclusive]) * step > 0
            del limits[exclusive if is_beyond else plain]
    return limits


def _intersections(document: Document, some: Iterable[Shape], others: list[Shape]) -> list[Shape]:
    found = (_intersection(document, one, other) for one, other in product(some, others))
    return [shape for shape in found if shape is not None]


def _intersection(document: Document, one: Shape, other: Shape) -> Shape | None:
    """Return the shape of values that match both shapes; None if there are none."""
    if one.type == ANY and one.is_plain:
        return other
    if other.type == ANY and other.is_plain:
        return one
    types = {one.type, other.type} - {ANY}
    if types == {"integer", "number"}:
        types = {"integer"}
    if len(types) > 1:
        return None
    values = one.values if other.values is None else other.values
    if one.values is not None and other.values is not None:
        values = one.values & other.values
        if not values:
            return None
    inner = dict(one.inner)
    for key, schema in other.inner.items():
        closed = inner.get(key) is False or schema is False
        inner[key] = closed is False and document.intersection(inner.get(key, schema), schema)
    fields = dict(one.fields)
    for name, schema in other.fields.items():
        fields[name] = document.intersection(fields.get(name, schema), schema)
    name = types.pop() if types else ANY
    limits = _tightest(one.limits, other.limits)
    return Shape(
        name,
        values,
        one.known | other.known,
        _bounded(
            {key: limit for key, limit in limits.items() if key in OF_TYPE.get(name, limits)}, name
        ),
        fields,
        one.required | other.required,
        inner,
        one.whole | other.whole,
    )


def _tightest(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    limits = one | other
    for key in one.keys() & other.keys():
        if key in LOWER or key in UPPER:
            limits[key] = (max if key in LOWER else min)(one[key], other[key])
        elif one[key] != other[key]:
            limits[key] = sorted([one[key], other[key]], key=str)
    return limits


def _merged(found: list[Shape]) -> list[Shape]:
    """Merge shapes that can be described by one: two enums, or the parts of an open enum."""
    merged: list[Shape] = []
    for shape in found:
        for position, other in enumerate(merged):
            union = _union(other, shape)
            if union is not None:
                merged[position] = union
                break
        else:
            merged.append(shape)
    if any(shape.type == "number" and shape.is_plain for shape in merged):
        merged = [shape for shape in merged if shape.type != "integer"]
    return merged


def _union(one: Shape, other: Shape) -> Shape | None:
    """Return a shape for the values of both shapes; None if there is no single one."""
    if one.type != other.type:
        return None
    if one == other:
        return one
    if evolve(one, values=None, known=other.known) != evolve(other, values=None):
        return None
    if one.values is other.values is None and not one.known | other.known:
        return None
    if one.values is not None and other.values is not None:
        return evolve(one, values=one.values | other.values)
    named = (one.values or one.known) | (other.values or other.known)
    return evolve(one, values=None, known=named)


def canonical_json(value: Any) -> str:
    """Return a value as JSON, the same text for equal values."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _type_of(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return "integer"
    names: dict[type, str] = {str: "string", bool: "boolean", int: "integer", float: "number"}
    names |= {list: "array", dict: "object", type(None): NULL}
    return names[type(value)]


def _has_type(value: Any, name: str) -> bool:
    return name in (ANY, _type_of(value)) or (name == "number" and _type_of(value) == "integer")


UNSET = object()


def annotation(document: Document, schema: Raw, keyword: str) -> Any:
    """Return an annotation of a schema, or of the only alternative that it has.

    Args:
        document: The document of the schema.
        schema: The schema.
        keyword: `description`, `default`, `deprecated`, `readOnly` or `writeOnly`.

    Returns:
        The value of the annotation, or `UNSET`.
    """
    schema = document.normalized(schema)
    if isinstance(schema, bool):
        return UNSET
    if keyword in schema:
        return schema[keyword]
    if "$ref" in schema:
        return annotation(document, document.target(schema["$ref"]), keyword)
    for part in schema.get("allOf", ()):
        found = annotation(document, part, keyword)
        if found is not UNSET:
            return found
    options = [
        option
        for option in (*schema.get("anyOf", ()), *schema.get("oneOf", ()))
        if any(shape.type != NULL for shape in shapes(document, option))
    ]
    return annotation(document, options[0], keyword) if len(options) == 1 else UNSET


def examples(document: Document, schema: Raw) -> list[Any]:
    """Return the examples of a schema, from `examples` or `example`."""
    several = annotation(document, schema, "examples")
    if several is not UNSET:
        return several if isinstance(several, list) else list(several.values())
    one = annotation(document, schema, "example")
    return [] if one is UNSET else [one]
