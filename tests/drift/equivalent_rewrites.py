"""Rewrites of OpenAPI documents that keep the meaning; each function changes one in place."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from random import Random
from typing import Any

from generator.checks.documents import LISTS, NAMED, SINGLE
from generator.contract import resolve

UNORDERED = ("required", "enum", "oneOf", "anyOf", "allOf", "parameters", "servers")
REFERENCE = "#/components/schemas/"


def reordered(document: Any, random: Random) -> None:
    """Reorder keys, alternatives and everything else without a significant order."""
    for node in list(_mappings(document)):
        items = list(node.items())
        random.shuffle(items)
        node.clear()
        node.update(items)
        for key in UNORDERED:
            if isinstance(node.get(key), list):
                random.shuffle(node[key])


def inlined(document: Any, random: Random) -> None:
    """Inline some references, and remove components that are no longer referenced."""
    used = _used(document)
    for node in list(_mappings(document["paths"])) + list(_schemas(document)):
        if "$ref" in node and random.random() < 0.5:
            target = deepcopy(resolve(document, {"$ref": node["$ref"]}))
            beside = {key: value for key, value in node.items() if key != "$ref"}
            node.clear()
            node.update(target | beside)
    schemas = document["components"]["schemas"]
    while lost := used & {REFERENCE + name for name in schemas} - _used(document):
        for reference in lost:
            del schemas[reference.removeprefix(REFERENCE)]


def extracted(document: Any, random: Random) -> None:
    """Move some schemas to components, and refer to them."""
    schemas = document["components"]["schemas"]
    for node in list(_schemas(document)):
        if "$ref" not in node and random.random() < 0.2:
            name = f"Extracted{len(schemas)}From{random.randrange(10**6)}"
            schemas[name] = dict(node)
            node.clear()
            node["$ref"] = f"{REFERENCE}{name}"


def renamed(document: Any, random: Random) -> None:
    """Rename all components that are referenced."""
    used = _used(document)
    schemas = document["components"]["schemas"]
    names = {name: f"{name}{random.randrange(9)}" for name in schemas if REFERENCE + name in used}
    for node in _mappings(document):
        if str(node.get("$ref")).startswith(REFERENCE):
            name = node["$ref"].removeprefix(REFERENCE)
            node["$ref"] = REFERENCE + names.get(name, name)
        mapping = node.get("mapping")
        if isinstance(mapping, dict):
            for key, reference in mapping.items():
                name = str(reference).removeprefix(REFERENCE)
                mapping[key] = REFERENCE + names.get(name, name)
    document["components"]["schemas"] = {names.get(name, name): schemas[name] for name in schemas}


def wrapped(document: Any, random: Random) -> None:
    """Wrap some schemas in an `allOf`."""
    for node in list(_schemas(document)):
        if random.random() < 0.3:
            inner = dict(node)
            node.clear()
            node["allOf"] = [inner]


def older(document: Any, random: Random) -> None:
    """Rewrite the document in the syntax of OpenAPI 3.0."""
    document["openapi"] = "3.0.3"
    for node in list(_schemas(document)):
        if "$ref" in node and len(node) > 1:  # 3.0 takes nothing beside a reference
            node["allOf"] = [{"$ref": node.pop("$ref")}]
        if "const" in node:
            node["enum"] = [node.pop("const")]
            node["type"] = "string"
        if isinstance(node.get("type"), list):
            types = [name for name in node["type"] if name != "null"]
            if "null" in node["type"]:
                node["nullable"] = True
            node["type"] = types[0]
            assert len(types) == 1, "3.0 would need alternatives"
        for keyword in ("oneOf", "anyOf"):
            if {"type": "null"} in node.get(keyword, []):
                node[keyword].remove({"type": "null"})
                node["nullable"] = True
        if node.get("contentEncoding") == "base64":
            node["format"] = "byte"
            del node["contentEncoding"]
        if isinstance(node.get("examples"), list) and len(node["examples"]) == 1:
            node["example"] = node.pop("examples")[0]


REWRITES = (reordered, inlined, extracted, renamed, wrapped)


def _used(document: Any) -> set[str]:
    return {node["$ref"] for node in _mappings(document) if "$ref" in node}


def _mappings(node: Any) -> Iterator[Any]:
    if isinstance(node, dict):
        yield node
        for key, value in node.items():
            if key not in ("example", "examples", "default"):
                yield from _mappings(value)
    elif isinstance(node, list):
        for item in node:
            yield from _mappings(item)


def _schemas(document: Any) -> Iterator[Any]:
    """Yield every schema that is a mapping, the innermost first."""
    for schema in document["components"]["schemas"].values():
        yield from _within(schema)
    for top in (document["paths"], {**document["components"], "schemas": {}}):
        for node in list(_mappings(top)):
            if isinstance(node.get("schema"), dict):
                yield from _within(node["schema"])


def _within(schema: Any) -> Iterator[Any]:
    inner = [schema[key] for key in SINGLE if key in schema]
    inner += [item for key in LISTS for item in schema.get(key, [])]
    inner += [item for key in NAMED for item in schema.get(key, {}).values()]
    for item in inner:
        if isinstance(item, dict):
            yield from _within(item)
    yield schema
