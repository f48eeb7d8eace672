"""An OpenAPI document, 3.0 or 3.1, and what its references point to."""

import re
from typing import Any
from urllib.parse import unquote

from ..spec import Document as Mapping
from ..spec import GenerationError

Raw = Any  # a schema as written: a mapping, or true or false


class DriftError(GenerationError):
    """Something can't be compared; says what and why."""


class Document:
    """An OpenAPI document whose nodes can be followed to what they refer to."""

    def __init__(self, raw: Mapping, name: str) -> None:
        version = str(raw.get("openapi"))
        if not version.startswith(("3.0.", "3.1.")):
            raise DriftError(f"{name}: OpenAPI 3.0 or 3.1 is needed, its `openapi` is {version}")
        self.raw = raw
        self.name = name
        self._references_stand_alone = version.startswith("3.0.")
        self._merged: dict[tuple[int, int], Mapping] = {}

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
            raise DriftError(f"{self.name}: {reference} is outside the document; bundle it first")
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
        if one is other:
            return one
        key = (id(one), id(other))
        if key not in self._merged:
            self._merged[key] = {"allOf": [one, other]}
        return self._merged[key]

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


def blanked(path: str) -> str:
    """A path template without the names of its parameters: they are never sent."""
    return re.sub(r"\{[^}]*\}", "{}", path)
