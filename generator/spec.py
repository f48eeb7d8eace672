"""Read the spec, and lower it to what openapi-python-client should see."""

import json
from collections.abc import Mapping
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import Any

from attrs import field, frozen
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from . import paths

Document = dict[str, Any]

# Keys whose values map names, which may be those of keywords, to nodes.
NAMED = {"properties", "schemas", "responses", "parameters", "headers", "content", "$defs"}


class GenerationError(ValueError):
    """The spec has something that would be missing from, or wrong in, the generated client."""


@frozen(kw_only=True)
class Contract:
    """A document of the spec, and the package that it becomes: an entry of contracts.yaml.

    Attributes:
        package: Name of the package.
        document: The OpenAPI document.
        error: The schema of error bodies (`schema`), and its field for people (`message`).
        catalogue: The catalogue of models; None without one.
        deployments: The deployments beside the API's own hosts; None without any.
        shares: Package whose types and errors this one uses; None for its own.
        request_id: Header that names a request in every answer; None if the API has none.
        errors: By status, the shared answers that every operation has.
        errors_of: By field of a body, those that only operations with that field have.
        bytes: Media types of answers that are handed over as bytes.
        example: Code that shows the package, for its docstring.
    """

    package: str
    document: Path
    error: Mapping[str, str]
    catalogue: Path | None = None
    deployments: Path | None = None
    shares: str | None = None
    request_id: str | None = None
    errors: Mapping[str, str] = field(factory=dict)
    errors_of: Mapping[str, Mapping[str, str]] = field(factory=dict)
    bytes: tuple[str, ...] = ()
    example: str = ""

    @property
    def catalogue_schema(self) -> Path | None:
        """Return the file that describes the form of the catalogue: it stands beside it."""
        return self.catalogue and self.catalogue.with_suffix(".schema.json")

    @property
    def deployments_schema(self) -> Path | None:
        """Return the file that describes the form of the deployments, which stands beside them."""
        return self.deployments and self.deployments.with_suffix(".schema.json")

    @property
    def files(self) -> list[Path]:
        """Return the files that the package is made from."""
        every = (
            *(self.document, self.catalogue, self.catalogue_schema),
            *(self.deployments, self.deployments_schema),
        )
        return [path for path in every if path is not None]


def contracts(folder: Path = paths.SPEC) -> tuple[Contract, ...]:
    """Read which contracts a folder holds, in the order of its contracts.yaml.

    Raises:
        GenerationError: The file can't be read, or does not have its form.
    """
    return parse_contracts(load(folder / paths.CONTRACTS), folder)


def parse_contracts(document: Document, folder: Path) -> tuple[Contract, ...]:
    """Return the contracts that a contracts.yaml names.

    Raises:
        GenerationError: It does not have the form that contracts.schema.json describes.
    """
    schema = json.loads(paths.CONTRACTS_SCHEMA.read_text(encoding="utf-8"))
    for flaw in Draft202012Validator(schema).iter_errors(document):
        where = ".".join(map(str, flaw.absolute_path))
        raise GenerationError(f"{paths.CONTRACTS}: {where}: {flaw.message}")
    found: list[Contract] = []
    for package, entry in document.items():
        shares = entry.get("shares")
        if shares is not None and shares not in [earlier.package for earlier in found]:
            raise GenerationError(
                f"{paths.CONTRACTS}: {package} shares the types of {shares}, which must be a "
                "package above it"
            )
        catalogue, deployments = entry.get("catalogue"), entry.get("deployments")
        given = {
            **entry,
            "document": folder / entry["document"],
            "catalogue": catalogue and folder / catalogue,
            "deployments": deployments and folder / deployments,
            "bytes": tuple(entry.get("bytes", ())),
        }
        found.append(Contract(package=package, **given))
    return tuple(found)


def load(path: Path) -> Document:
    """Read a YAML document; duplicate keys are an error, and so are values that JSON does not have.

    Raises:
        GenerationError: The document can't be read; says where.
    """
    try:
        document = parse_yaml(path.read_text(encoding="utf-8"))
    except (YAMLError, OSError) as error:
        raise GenerationError(f"{path.name} can't be read: {error}") from error
    if not isinstance(document, dict):
        raise GenerationError(f"{path.name} does not hold a mapping")

    def refuse(value: object) -> object:
        raise GenerationError(f"{path.name}: put {value} in quotes, or it is no string")

    json.dumps(document, default=refuse)
    return document


def parse_yaml(text: str) -> Any:
    """Return what a YAML text holds, as a copy of the caller's own.

    Raises:
        YAMLError: It is no YAML, or a key is given twice.
    """
    return deepcopy(_parsed(text))


@lru_cache(maxsize=32)  # parsing takes a hundred times as long as copying
def _parsed(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)


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
