"""The meaning of the spec, as text: one line per fact, in an order that edits do not disturb."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

# For people; their wording may change without a change of meaning.
PROSE = {"description", "summary", "title", "example", "examples", "x-source", "x-sources", "source",
         "sources", "note", "url"}  # fmt: skip


def record(document: dict[str, Any]) -> str:
    """Return all facts of a document, without its prose."""
    return "\n".join(sorted(_facts(document, ""))) + "\n"


def _facts(node: Any, path: str) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            is_name = path.endswith(("properties", "schemas", "models"))
            if is_name or key not in PROSE or (key == "url" and "servers" in path):
                yield from _facts(value, f"{path}/{key}")
    elif isinstance(node, list) and all(not isinstance(item, (dict, list)) for item in node):
        yield f"{path} = {node}"
    elif isinstance(node, list):
        for place, item in enumerate(node):
            yield from _facts(item, f"{path}/{_name(item, place)}")
    else:
        yield f"{path} = {node!r}"


def _name(item: Any, place: int) -> object:
    """Return a name for an item of a list, so that a new item leaves the other lines unchanged."""
    if not isinstance(item, dict):
        return place
    return item.get("x-name") or item.get("name") or str(item.get("$ref", place)).rpartition("/")[2]
