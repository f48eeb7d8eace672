"""Whether an answer has the form that the contract gives it, and no more."""

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend

from ..drift.differences import Difference, Place
from ..spec import Document
from .findings import bounded, found

ALTERNATIVES = ("anyOf", "oneOf")
NUMBER = {"type": "number"}


def _items(validator: Any, items: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """Look at the items of a list, and at those of a vector all at once: one by one takes long."""
    is_vector = items == NUMBER and isinstance(instance, list)
    if not (is_vector and all(type(number) in (int, float) for number in instance)):
        yield from Draft202012Validator.VALIDATORS["items"](validator, items, instance, schema)


# jsonschema has no types for this one.
VALIDATOR: Any = extend(Draft202012Validator, {"items": _items})  # type: ignore[no-untyped-call]


class Shapes:
    """The schemas of answers, made strict: closed, and with the fields that always come.

    Args:
        document: The OpenAPI document.
        always: Schema to fields that it lets be left out and that must be there nevertheless.
    """

    def __init__(self, document: Document, always: dict[str, list[str]]) -> None:
        self._components = deepcopy(document["components"])
        schemas = self._components["schemas"]
        for schema in schemas.values():
            if "properties" in schema:
                schema.setdefault("additionalProperties", False)
        for name, fields in always.items():
            schemas[name]["required"] = [*schemas[name].get("required", ()), *fields]

    def check(self, schema: Document, body: Any, place: Place) -> Iterator[Difference]:
        """What differs in a body.

        Args:
            schema: What the contract has for it.
            body: What came.
            place: That of the body.
        """
        validator = VALIDATOR({**schema, "components": self._components})
        for error in validator.iter_errors(body):
            for inner in _innermost(error):
                yield from _differences(inner, place)


def _innermost(error: ValidationError) -> Iterator[ValidationError]:
    """The errors of the alternative that was meant, or the error itself."""
    branches: dict[Any, list[ValidationError]] = {}
    for inner in error.context or ():
        branches.setdefault(inner.schema_path[0], []).append(inner)
    meant = [
        errors
        for errors in branches.values()
        if not any(each.validator == "type" and not each.relative_path for each in errors)
    ]
    if error.validator not in ALTERNATIVES or not meant:
        yield error
        return
    for inner in min(meant, key=len):
        yield from _innermost(inner)


def _differences(error: ValidationError, body: Place) -> Iterator[Difference]:
    place = body
    for part in error.absolute_path:
        place = place.part("[]") if isinstance(part, int) else place.field(part)
    value: Any = error.instance
    asked: Any = error.validator_value
    if error.validator == "additionalProperties":
        known: Any = error.schema
        for name in sorted(set(value) - set(known["properties"])):
            yield found("field-added", place.field(name), None, _type(value[name]))
    elif error.validator == "required":
        for name in asked:
            if name not in value:
                yield found("field-removed", place.field(name))
    elif error.validator == "type" or error.context:
        yield found("type-changed", place, _expected(error), _type(value))
    else:
        seen = bounded(json.dumps(value, ensure_ascii=False))
        yield found("value-outside", place, f"{error.validator} {asked}", seen)


def _expected(error: ValidationError) -> str:
    """The types that are taken."""
    if error.validator != "type":
        inner = [each for each in error.context or () if each.validator == "type"]
        return " or ".join(dict.fromkeys(map(_expected, inner)))
    types: Any = error.validator_value
    return types if isinstance(types, str) else " or ".join(types)


def _type(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return "null" if value is None else "boolean"
    names = {int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return names[type(value)]
