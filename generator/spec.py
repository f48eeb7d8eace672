"""Read the spec, and lower it to what openapi-python-client should see."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

Document = dict[str, Any]

# Keys whose values map names, which may be those of keywords, to nodes.
NAMED = {"properties", "schemas", "responses", "parameters", "headers", "content", "$defs"}


class GenerationError(ValueError):
    """The spec has something that would be missing from, or wrong in, the generated client."""


def load(path: Path) -> Document:
    """Read a YAML document; duplicate keys are an error, and so are values that JSON does not have.

    Raises:
        GenerationError: The document can't be read; says where.
    """
    try:
        document = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except (YAMLError, OSError) as error:
        raise GenerationError(f"{path.name} can't be read: {error}") from error
    if not isinstance(document, dict):
        raise GenerationError(f"{path.name} does not hold a mapping")

    def refuse(value: object) -> object:
        raise GenerationError(f"{path.name}: put {value} in quotes, or it is no string")

    json.dumps(document, default=refuse)
    return document


def lower(document: Document) -> Document:
    """Return the document without what would make openapi-python-client emit the wrong code.

    Server defaults become a sentence of the description: as defaults of our own they would be
    sent with every request. `examples` (JSON Schema) becomes `example` (the one that is read).
    Dates and UUIDs stay the strings that they are on the wire.
    """
    lowered = deepcopy(document)
    _lower(lowered)
    return lowered


def _lower(node: Any) -> None:
    if isinstance(node, list):
        for item in node:
            _lower(item)
    elif isinstance(node, dict):
        _lower_schema(node)
        for key, value in node.items():
            if key in NAMED and isinstance(value, dict):
                for named in value.values():
                    _lower(named)
            elif key not in ("example", "examples"):
                _lower(value)


def _lower_schema(node: Document) -> None:
    if "in" in node and isinstance(node.get("schema"), dict) and "description" in node:
        # The description of a parameter is read from its schema only.
        node["schema"].setdefault("description", node["description"])
    if "default" in node:
        shown = f"The server's default is {_text(node.pop('default'))}."
        node["description"] = f"{node.get('description', '')} {shown}".lstrip()
    if node.get("format") in ("date", "uuid"):
        del node["format"]
    examples = node.get("examples")
    if isinstance(examples, list) and examples:
        node["example"] = examples[0]


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
