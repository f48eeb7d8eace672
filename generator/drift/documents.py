"""An OpenAPI document, 3.0 or 3.1, and what its references point to."""

import re
from typing import Any
from urllib.parse import unquote

from ..spec import Document as Mapping
from ..spec import GenerationError

Raw = Any  # a schema as written: a mapping, or true or false
WORDS = {"description", "summary", "title", "example", "examples", "externalDocs", "$comment"}
# Keys whose values map names, which may be those of words, to nodes.
NAMED = {"properties", "patternProperties", "dependentSchemas", "$defs", "content", "headers"}
NAMED |= {"responses", "schemas", "callbacks"}


class DriftError(GenerationError):
    """Something can't be compared; says what and why."""


class Document:
    """An OpenAPI document whose nodes can be followed to what they refer to."""

    def __init__(self, raw: Mapping, name: str) -> None:
        version = str(raw.get("openapi"))
        if not version.startswith(("3.0.", "3.1.")):
            raise DriftError(f"{name}: `openapi` must be 3.0 or 3.1, not {version}")
        self.raw = raw
        self.name = name
        self._references_stand_alone = version.startswith("3.0.")
        self._parts: dict[int, tuple[Raw, ...]] = {}
        self._merged: dict[tuple[int, ...], Mapping] = {}
        self._constants: dict[tuple[str, ...], Mapping] = {}

    def follow(self, node: Mapping) -> Mapping:
        """The node, or what it refers to, for nodes that are no schemas."""
        return self.target(node["$ref"]) if "$ref" in node else node

    def view(self, schema: Raw) -> Raw:
        """The schema as its version means it: in 3.0 nothing counts beside a reference."""
        if self._references_stand_alone and isinstance(schema, dict) and "$ref" in schema:
            return {"$ref": schema["$ref"]}
        return schema

    def end(self, schema: Raw) -> Raw:
        """The schema, or what it refers to if it says nothing else."""
        seen = self.view(schema)
        if isinstance(seen, dict) and set(seen) == {"$ref"}:
            return self.target(seen["$ref"])
        return schema

    def target(self, reference: str) -> Any:
        """What a reference leads to, at any remove.

        Raises:
            DriftError: It leads out of the document, nowhere, or in a circle.
        """
        seen = [reference]
        while True:
            found = self._at(seen[-1])
            # In 3.1 a schema may say more beside its reference, so it is an end of its own.
            if not isinstance(found, dict) or set(found) != {"$ref"}:
                return found
            if found["$ref"] in seen:
                raise DriftError(f"{self.name}: {reference} refers to itself")
            seen.append(found["$ref"])

    def _at(self, reference: str) -> Any:
        if not reference.startswith("#"):
            raise DriftError(
                f"{self.name}: {reference} leads outside the document; bundle it first"
            )
        found: Any = self.raw
        for part in reference.removeprefix("#").split("/")[1:]:
            key = unquote(part).replace("~1", "/").replace("~0", "~")
            try:
                found = found[int(key) if isinstance(found, list) else key]
            except (KeyError, IndexError, TypeError, ValueError):
                raise DriftError(f"{self.name}: {reference} is not in the document") from None
        return found

    def both(self, one: Raw, other: Raw) -> Raw:
        """A schema that holds where both hold; the same object for the same two."""
        # By their parts, since a schema that consists of others and refers to itself would go on
        # growing.
        parts = {id(part): part for schema in (one, other) for part in self._parts_of(schema)}
        if len(parts) == 1:
            return one
        key = tuple(sorted(parts))
        if key not in self._merged:
            self._merged[key] = {"allOf": list(parts.values())}
            self._parts[id(self._merged[key])] = tuple(parts.values())
        return self._merged[key]

    def _parts_of(self, schema: Raw) -> tuple[Raw, ...]:
        return self._parts.get(id(schema), (self.end(schema),))

    def told_apart(self, schema: Mapping, option: Raw) -> Raw:
        """An alternative of a schema, with the values by which its discriminator knows it."""
        discriminator = schema.get("discriminator", {})
        reference = option.get("$ref") if isinstance(option, dict) else None
        values = [
            value
            for value, target in discriminator.get("mapping", {}).items()
            if reference in (target, f"#/components/schemas/{target}")
        ]
        if not values:
            return option
        name = discriminator["propertyName"]
        constant = self._constants.setdefault(
            (name, *values), {"type": "object", "properties": {name: {"enum": values}}}
        )
        return self.both(option, constant)

    def spelled_out(self, node: Any, within: tuple[str, ...] = ()) -> Any:
        """A node with all references replaced, but for those that lead back to where they are."""
        if isinstance(node, list):
            return [self.spelled_out(item, within) for item in node]
        if not isinstance(node, dict):
            return node
        reference = node.get("$ref")
        if isinstance(reference, str):
            if reference in within:
                return {"again": within[::-1].index(reference)}
            return self.spelled_out(self.target(reference), (*within, reference))
        return {
            key: self.spelled_out(value, within) for key, value in node.items() if key != "x-source"
        }


def wordless(node: Any, *, is_named: bool = False) -> Any:
    """A node without what only explains it."""
    if isinstance(node, list):
        return [wordless(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: wordless(value, is_named=key in NAMED and not is_named)
        for key, value in node.items()
        if is_named or key not in WORDS
    }


def blanked(path: str) -> str:
    """A path template without the names of its parameters: they are never sent."""
    return re.sub(r"\{[^}]*\}", "{}", path)
