"""Read the spec, and adapt it for openapi-python-client."""

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

# Keys whose values map names to nodes; such a name may be equal to a keyword.
NAMED = {"properties", "schemas", "responses", "parameters", "headers", "content", "$defs"}


class GenerationError(ValueError):
    """Raised if the generated code would lack a part of the spec, or be wrong."""


@frozen(kw_only=True)
class Contract:
    """An entry of contracts.yaml: an OpenAPI document, and the package generated from it.

    Attributes:
        package: Name of the package.
        document: Path of the OpenAPI document.
        error: The schema of error bodies (`schema`), and its field with the message (`message`).
        catalogue: Path of the catalogue of models; None if there is none.
        deployments: Path of the deployments; None if there are none.
        shares: Package whose types and errors this one uses; None if it has its own.
        request_id: Response header with the id of a request; None if the API has none.
        errors: The shared responses that every operation has, by status.
        errors_of: Further shared responses of operations with a field in their body, by field.
        bytes: Media types of responses that are returned as bytes.
        example: Example code for the docstring of the package.
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
        """Path of the JSON Schema of the catalogue, in the same folder."""
        return self.catalogue and self.catalogue.with_suffix(".schema.json")

    @property
    def deployments_schema(self) -> Path | None:
        """Path of the JSON Schema of the deployments, in the same folder."""
        return self.deployments and self.deployments.with_suffix(".schema.json")

    @property
    def files(self) -> list[Path]:
        """Paths of the files that the package is generated from."""
        optional = (
            *(self.document, self.catalogue, self.catalogue_schema),
            *(self.deployments, self.deployments_schema),
        )
        return [path for path in optional if path is not None]


def contracts(folder: Path = paths.SPEC) -> tuple[Contract, ...]:
    """Read the contracts of a folder, in the order of its contracts.yaml.

    Raises:
        GenerationError: The file can't be read, or does not match its schema.
    """
    return parse_contracts(load(folder / paths.CONTRACTS), folder)


def parse_contracts(document: Document, folder: Path) -> tuple[Contract, ...]:
    """Return the contracts of a contracts.yaml.

    Raises:
        GenerationError: The document does not match contracts.schema.json.
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
                "package listed above it"
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
    """Read a YAML document without duplicate keys and with values of JSON only.

    Raises:
        GenerationError: The document can't be read; the message says where it is wrong.
    """
    try:
        document = parse_yaml(path.read_text(encoding="utf-8"))
    except (YAMLError, OSError) as error:
        raise GenerationError(f"{path.name} can't be read: {error}") from error
    if not isinstance(document, dict):
        raise GenerationError(f"{path.name} must contain a mapping")

    def refuse(value: object) -> object:
        raise GenerationError(f"{path.name}: {value} is not a string; put it in quotes")

    json.dumps(document, default=refuse)
    return document


def parse_yaml(text: str) -> Any:
    """Parse a YAML text; the result may be changed.

    Raises:
        YAMLError: The text is not YAML, or has a duplicate key.
    """
    return deepcopy(_parsed(text))


@lru_cache(maxsize=32)  # parsing is a hundred times slower than copying
def _parsed(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)


def lower(document: Document) -> Document:
    """Return the document, changed where openapi-python-client would emit the wrong code.

    Defaults of the server become a sentence of the description, because the client would send them
    with every request. `examples` becomes `example`, which openapi-python-client reads. Dates and
    UUIDs are declared as plain strings.
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
        # openapi-python-client reads the description of a parameter from its schema.
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
