"""Turn the catalogue into code: classes from its JSON Schema, values from its YAML."""

import textwrap
from typing import Any

from attrs import field, frozen
from openapi_python_client.strings import pascal_case

from .contract import operations
from .spec import Document, GenerationError

UNKNOWN = "unknown"
LEFT_OUT = ("source", "sources")  # for readers of the spec only
WIDTH = 92  # of docstrings
SCALARS = {"integer": "int", "number": "float", "boolean": "bool", "string": "str"}


@frozen
class Field:
    """A field of an emitted class."""

    name: str
    type: str
    required: bool
    description: str


@frozen
class Class:
    """An emitted class."""

    name: str
    description: str
    fields: list[Field] = field(factory=list)

    @property
    def docstring(self) -> str:
        """The docstring of the class with its fields, as source code."""
        lines = [_wrapped(f'    """{self.description}', 4), "", "    Attributes:"]
        lines += [_wrapped(f"        {item.name}: {item.description}", 12) for item in self.fields]
        return "\n".join([*lines, '    """'])


@frozen
class Constant:
    """An emitted constant: one object of the catalogue, or a mapping of names to objects."""

    name: str
    type: str
    code: str
    description: str


class Emitter:
    """Collects the classes that the schema describes, and writes values as calls of them."""

    def __init__(self, schema: Document) -> None:
        self._schema = schema
        self.classes: dict[str, Class] = {}

    def constant(self, name: str, value: Document) -> Constant:
        """Return a top-level section as a constant."""
        node = self._schema["properties"][name]
        described = node.get("description", "")
        extra = node.get("additionalProperties")
        if isinstance(extra, dict):
            singular = name.removesuffix("s") if name == "models" else name
            kind = self._type(extra, pascal_case(singular))
            items = {
                key: self._code(item, extra, pascal_case(singular), key)
                for key, item in value.items()
            }
            body = ", ".join(f"{key!r}: {code}" for key, code in items.items())
            holder = "Models" if name == "models" else "MappingProxyType"
            code = f"{holder}({{{body}}})"
            return Constant(name.upper(), f"Mapping[str, {kind}]", code, described)
        kind = self._type(node, pascal_case(name))
        return Constant(name.upper(), kind, self._code(value, node, pascal_case(name)), described)

    def _resolve(self, node: Document, name: str) -> tuple[Document, str]:
        if "$ref" in node:
            target = node["$ref"].rsplit("/", 1)[-1]
            return self._schema["$defs"][target], pascal_case(target)
        return node, name

    def _type(self, node: Document, name: str) -> str:
        node, name = self._resolve(node, name)
        if "anyOf" in node:
            types = [self._type(option, name) for option in node["anyOf"]]
            return " | ".join(sorted(set(types), key=lambda kind: (kind == "None", kind)))
        if node.get("const") == UNKNOWN or node.get("type") == "null":
            return "None"
        if "enum" in node:
            return f"Literal[{', '.join(map(repr, node['enum']))}]"
        if node["type"] == "array":
            return f"tuple[{self._type(node['items'], name)}, ...]"
        if node["type"] == "object":
            self._collect(node, name)
            return name
        return SCALARS[node["type"]]

    def _collect(self, node: Document, name: str) -> None:
        if name in self.classes:
            return
        fields = []
        if name == "Model":
            key = self._schema["properties"]["models"]["propertyNames"]
            fields.append(
                Field("name", "str", required=True, description=key.get("description", ""))
            )
        for key, inner in node["properties"].items():
            if key not in LEFT_OUT:
                required = key in node.get("required", ())
                kind = self._type(inner, f"{name}{pascal_case(key)}")
                if not required and not kind.endswith("None"):
                    kind = f"{kind} | None"
                fields.append(Field(key, kind, required, inner.get("description", "")))
        fields.sort(key=lambda item: not item.required)
        self.classes[name] = Class(name, node.get("description", ""), fields)

    def _code(self, value: Any, node: Document, name: str, key: str = "") -> str:
        node, name = self._resolve(node, name)
        if value is None or value == UNKNOWN:
            return "None"
        if isinstance(value, list):
            return (
                "(" + "".join(f"{self._code(item, node['items'], name)}, " for item in value) + ")"
            )
        if isinstance(value, dict):
            arguments = [f"name={key!r}"] if name == "Model" else []
            for inner, item in value.items():
                if inner not in LEFT_OUT:
                    if inner not in node["properties"]:
                        raise GenerationError(
                            f"the catalogue: {key or name} has the field {inner}, which is not in "
                            "its schema; add it there, or correct the name"
                        )
                    kind = f"{name}{pascal_case(inner)}"
                    code = self._code(item, node["properties"][inner], kind)
                    arguments.append(f"{inner}={code}")
            return f"{name}({', '.join(arguments)})"
        return repr(value)


def emit(catalogue: Document, schema: Document, openapi: Document) -> Document:
    """Return the variables for the template of the catalogue module."""
    emitter = Emitter(schema)
    sections = [name for name in schema["properties"] if name not in LEFT_OUT]
    constants = [emitter.constant(name, catalogue[name]) for name in sections]
    return {
        "classes": list(emitter.classes.values()),
        "constants": constants,
        "literals": _literals(catalogue, openapi),
    }


def _literals(catalogue: Document, openapi: Document) -> dict[str, list[str]]:
    """Return the names of the models of each endpoint, by the name of their Literal type."""
    found = {}
    for operation in operations(openapi):
        names = [
            name
            for name, model in catalogue["models"].items()
            if operation["path"] == f"/{model['endpoint']}"
        ]
        if names:
            found[f"{operation['request'].removesuffix('Request')}Model"] = names
    return found


def _wrapped(text: str, indent: int) -> str:
    return textwrap.fill(
        text,
        WIDTH,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
