"""Reading the spec, and lowering it to what openapi-python-client should see."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

Document = dict[str, Any]


def load(path: Path) -> Document:
    """Read a YAML document; its duplicate keys are an error."""
    document = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    if not isinstance(document, dict):
        raise ValueError(f"{path} does not hold a mapping")
    return document


def lower(document: Document) -> Document:
    """The document without what would make openapi-python-client emit the wrong code.

    Server defaults become a sentence of the description: as defaults of our own they would be
    sent with every request. `examples` (JSON Schema) becomes `example` (the one that is read).
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
            if key not in ("example", "examples"):
                _lower(value)


def _lower_schema(node: Document) -> None:
    if "in" in node and isinstance(node.get("schema"), dict) and "description" in node:
        # The description of a parameter is read from its schema only.
        node["schema"].setdefault("description", node["description"])
    if isinstance(node.get("description"), str) and "default" in node:
        shown = _spelled(node.pop("default"))
        node["description"] = f"{node['description']} The server's default is {shown}."
    examples = node.get("examples")
    if isinstance(examples, list) and examples:
        node["example"] = examples[0]


def _spelled(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
