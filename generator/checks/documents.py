"""The documents of `spec/`, the findings of checks, and walks over nodes and schemas."""

import json
from collections.abc import Iterator
from pathlib import Path as FilePath
from typing import Any, Literal

from attrs import field, frozen
from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]  # it ships no types

from .. import contract, paths, spec
from ..spec import Document

Path = tuple[str | int, ...]
Part = Literal["openapi", "catalogue", "catalogue_schema", "deployments"]


@frozen
class Documents:
    """The loaded documents of a contract.

    Attributes:
        contract: Entry in contracts.yaml.
        openapi: OpenAPI document.
        catalogue: Catalogue; empty if there is none.
        catalogue_schema: JSON Schema of the catalogue; empty if there is none.
        deployments: Deployments; empty if there are none.
        deployments_schema: JSON Schema of the deployments; empty if there are none.
    """

    contract: spec.Contract
    openapi: spec.Document
    catalogue: spec.Document = field(factory=dict)
    catalogue_schema: spec.Document = field(factory=dict)
    deployments: spec.Document = field(factory=dict)
    deployments_schema: spec.Document = field(factory=dict)

    def file(self, part: Part) -> str:
        """Return the name of the file that contains a part."""
        contract = self.contract
        path = {
            "openapi": contract.document,
            "catalogue": contract.catalogue,
            "catalogue_schema": contract.catalogue_schema,
            "deployments": contract.deployments,
        }[part]
        return path.name if path else part


@frozen
class Finding:
    """A violation of a rule, with its position.

    Attributes:
        file: Name of the file, or name of the part until `lint` replaces it.
        path: Keys that lead to the position.
        sentence: Description of the problem.
    """

    file: str
    path: Path
    sentence: str

    def __str__(self) -> str:
        return f"{self.place}: {self.sentence}"

    @property
    def place(self) -> str:
        """File and keys of the position."""
        return f"{self.file}:{'.'.join(map(str, self.path))}"


@frozen
class Node:
    """A mapping in a document, its path, and the mappings that contain it."""

    path: Path
    value: spec.Document
    ancestors: tuple[spec.Document, ...] = ()

    def at(self, *keys: str | int) -> Path:
        """Return the path of a value below this mapping."""
        return (*self.path, *keys)


def read(folder: FilePath = paths.SPEC) -> list[Documents]:
    """Load the contracts of a folder.

    Raises:
        GenerationError: A file can't be read.
    """
    return [_read(entry) for entry in spec.contracts(folder)]


def _read(entry: spec.Contract) -> Documents:
    return Documents(
        entry,
        spec.load(entry.document),
        *_with_schema(entry.catalogue, entry.catalogue_schema),
        *_with_schema(entry.deployments, entry.deployments_schema),
    )


def _with_schema(path: FilePath | None, schema: FilePath | None) -> tuple[Document, Document]:
    """Return a document and its JSON Schema; both empty if there is none."""
    if path is None or schema is None:
        return {}, {}
    return spec.load(path), json.loads(schema.read_text(encoding="utf-8"))


def openapi(path: Path, sentence: str) -> Finding:
    """Return a finding in the OpenAPI document."""
    return Finding("openapi", path, sentence)


def catalogue(path: Path, sentence: str) -> Finding:
    """Return a finding in the catalogue."""
    return Finding("catalogue", path, sentence)


def catalogue_schema(path: Path, sentence: str) -> Finding:
    """Return a finding in the JSON Schema of the catalogue."""
    return Finding("catalogue_schema", path, sentence)


def deployments(path: Path, sentence: str) -> Finding:
    """Return a finding in the deployments."""
    return Finding("deployments", path, sentence)


def operations(document: spec.Document) -> Iterator[Node]:
    """Yield every operation, without resolving references."""
    for path, item in document["paths"].items():
        for method in contract.METHODS:
            if method in item:
                yield Node(("paths", path, method), item[method])


def walk(value: Any, path: Path = (), ancestors: tuple[spec.Document, ...] = ()) -> Iterator[Node]:
    """Yield a mapping and every mapping below it, except those in examples."""
    if isinstance(value, dict):
        yield Node(path, value, ancestors)
        for key, inner in value.items():
            if key not in ("example", "examples"):
                yield from walk(inner, (*path, key), (*ancestors, value))
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from walk(inner, (*path, position), ancestors)


def reachable(document: spec.Document, start: Any) -> set[str]:
    """Return the names of the component schemas that a value refers to, directly or indirectly."""
    names: set[str] = set()
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        for node in walk(waiting.pop()):
            reference = node.value.get("$ref")
            if isinstance(reference, str) and reference not in seen:
                seen.add(reference)
                waiting.append(contract.resolve(document, node.value))
                if reference.startswith("#/components/schemas/"):
                    names.add(reference.rsplit("/", 1)[-1])
    return names


SINGLE = (
    "additionalProperties",
    "contains",
    "contentSchema",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
)
LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
NAMED = ("$defs", "dependentSchemas", "patternProperties", "properties")

VOCABULARIES = "https://json-schema.org/draft/2020-12/meta/"
KEYWORDS = frozenset(
    keyword
    for uri in REGISTRY
    if uri.startswith(VOCABULARIES)
    for keyword in REGISTRY.contents(uri)["properties"]
) | {"discriminator", "example", "externalDocs", "xml"}  # those that OpenAPI adds


def components(document: Document) -> Iterator[Node]:
    """Yield the component schemas."""
    for name, schema in document["components"].get("schemas", {}).items():
        yield Node(("components", "schemas", name), schema)


def roots(document: Document) -> Iterator[Node]:
    """Yield every outermost schema; its ancestor is the parameter, header or body."""
    yield from components(document)
    outside = {key: value for key, value in document["components"].items() if key != "schemas"}
    for top, value in (("paths", document["paths"]), ("components", outside)):
        for holder in walk(value, (top,)):
            schema = holder.value.get("schema")
            if isinstance(schema, dict):
                yield Node(holder.at("schema"), schema, (holder.value,))


def schemas(document: Document) -> Iterator[Node]:
    """Yield every schema, at any depth."""
    for root in roots(document):
        yield from within(root)


def within(schema: Node) -> Iterator[Node]:
    """Yield a schema and all schemas below it."""
    yield schema
    ancestors = (*schema.ancestors, schema.value)
    for path, inner in _below(schema):
        if isinstance(inner, dict):
            yield from within(Node(path, inner, ancestors))


def _below(schema: Node) -> Iterator[tuple[Path, object]]:
    for key, value in schema.value.items():
        if key in SINGLE:
            yield schema.at(key), value
        elif key in LISTS:
            for position, inner in enumerate(value):
                yield schema.at(key, position), inner
        elif key in NAMED:
            for name, inner in value.items():
                yield schema.at(key, name), inner
