"""What the checks are given, and what they give back."""

import json
from collections.abc import Iterator
from typing import Any

from attrs import frozen

from .. import contract, paths, spec

Path = tuple[str | int, ...]


@frozen
class Documents:
    """The files of `spec/`, loaded."""

    openapi: spec.Document
    catalogue: spec.Document
    catalogue_schema: spec.Document


@frozen
class Finding:
    """A place in a file of `spec/`, and what is wrong there."""

    file: str
    path: Path
    sentence: str

    def __str__(self) -> str:
        return f"{self.place}: {self.sentence}"

    @property
    def place(self) -> str:
        """The file, and the keys that lead to the place."""
        return f"{self.file}:{'.'.join(map(str, self.path))}"


@frozen
class Node:
    """A mapping of a document and where it stands."""

    path: Path
    value: spec.Document
    ancestors: tuple[spec.Document, ...] = ()

    def at(self, *keys: str | int) -> Path:
        """The path of something below."""
        return (*self.path, *keys)


def read() -> Documents:
    """Load the files of `spec/`."""
    return Documents(
        spec.load(paths.OPENAPI),
        spec.load(paths.CATALOGUE),
        json.loads(paths.CATALOGUE_SCHEMA.read_text(encoding="utf-8")),
    )


def openapi(path: Path, sentence: str) -> Finding:
    """A finding in openapi.yaml."""
    return Finding(paths.OPENAPI.name, path, sentence)


def catalogue(path: Path, sentence: str) -> Finding:
    """A finding in catalogue.yaml."""
    return Finding(paths.CATALOGUE.name, path, sentence)


def operations(document: spec.Document) -> Iterator[Node]:
    """Every operation, as written."""
    for path, item in document["paths"].items():
        for method in contract.METHODS:
            if method in item:
                yield Node(("paths", path, method), item[method])


def walk(value: Any, path: Path = (), ancestors: tuple[spec.Document, ...] = ()) -> Iterator[Node]:
    """Every mapping below and including a value, but nothing within examples."""
    if isinstance(value, dict):
        yield Node(path, value, ancestors)
        for key, inner in value.items():
            if key not in ("example", "examples"):
                yield from walk(inner, (*path, key), (*ancestors, value))
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from walk(inner, (*path, position), ancestors)


def reachable(document: spec.Document, start: Any) -> set[str]:
    """Names of the component schemas that a value refers to, at any remove."""
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
