"""Answers that nobody has written yet: examples, made of the contract's schemas alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

__all__ = ["EXAMPLE", "build"]

EXAMPLE = "x-emulator-example"
"""The header of such an answer. It names the operation."""
EMPTY: Mapping[str, Any] = {
    "string": "",
    "integer": 0,
    "number": 0.0,
    "boolean": False,
    "null": None,
    "object": {},
}

Resolve: TypeAlias = Callable[[Mapping[str, Any]], dict[str, Any]]


def build(schema: Mapping[str, Any], resolve: Resolve) -> Any:
    """A value of a schema: its example where it has one, else the least that it asks for.

    Args:
        schema: The schema.
        resolve: Follows a reference.

    Example:
        >>> item = {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}
        >>> build({"type": "array", "items": item}, dict)
        [{'id': ''}]
    """
    schema = resolve(schema)
    for key in ("examples", "enum"):
        if schema.get(key):
            return schema[key][0]
    for key in ("example", "const", "default"):
        if key in schema:
            return schema[key]
    for key in ("oneOf", "anyOf"):
        if key in schema:
            return build(schema[key][0], resolve)
    kinds = schema.get("type", "object")
    kind = kinds if isinstance(kinds, str) else kinds[0]
    if kind == "array":
        return [build(schema["items"], resolve)] if "items" in schema else []
    if kind == "object":
        properties = schema.get("properties", {})
        return {name: build(properties[name], resolve) for name in schema.get("required", ())}
    return schema.get("minimum", EMPTY[kind])
