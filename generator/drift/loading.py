"""Load contracts from files, folders, URLs or git revisions, and explain malformed ones."""

import json
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from functools import partial
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator
from ruamel.yaml.error import YAMLError

from .. import paths, spec
from .contracts import Contract
from .documents import Document, DriftError

TIMEOUT = 30
MAX_BYTES = 20_000_000


def load(place: str) -> Contract:
    """Load a contract.

    Args:
        place: A file (OpenAPI document or catalogue, YAML or JSON); a folder with contracts.yaml
            and the documents that it names, or with the document of our first contract; an http or
            https URL; `REV:path`, a file at a git revision; or a git revision, for the contracts of
            this repository.

    Raises:
        DriftError: There is no contract at the place; the message says why.
    """
    try:
        return _load(place)
    except OSError as error:
        raise DriftError(f"{place} can't be read: {error}") from error


def _load(place: str) -> Contract:
    path = Path(place)
    if place.lower().startswith(("http://", "https://")):
        return parse(fetch(place), place)
    if path.is_dir():
        # Reports should not contain the path of this checkout.
        title = paths.SPEC.name if path == paths.SPEC else place
        found = _of_files(partial(_of_folder, path), title)
        if found is None:
            raise DriftError(f"the folder {place} has no {_first().document.name}")
        return found
    if path.is_file():
        return parse(path.read_bytes(), place)
    if ":" in place:
        return parse(_of_git(place), place)
    found = _of_files(partial(_of_revision, place), place)
    if found is None:
        raise DriftError(
            f"{place} is not a file, a folder, a URL "
            f"or a git revision with {paths.SPEC.name}/{_first().document.name}"
        )
    return found


def parse(content: bytes, name: str) -> Contract:
    """Parse a contract: an OpenAPI document, or a catalogue, as YAML or JSON."""
    document = _mapping(content, name)
    if "models" in document and "openapi" not in document:
        return Contract(name, catalogue=document)
    return Contract(name, Document(document, name))


def _mapping(content: bytes, name: str) -> dict[str, Any]:
    try:
        text = content.decode("utf-8-sig")
        loaded = json.loads(text) if text.lstrip().startswith("{") else spec.parse_yaml(text)
        document = _plain(loaded)
    except (ValueError, RecursionError, YAMLError) as error:
        raise DriftError(f"{name} can't be read: {error}") from error
    if not isinstance(document, dict):
        raise DriftError(f"{name} must be a mapping, such as an OpenAPI document")
    return document


def fetch(address: str) -> bytes:
    """Download a file.

    Raises:
        DriftError: The file can't be downloaded, or has more than `MAX_BYTES`.
    """
    try:
        request = Request(address, headers={"User-Agent": "voyageai-drift"})  # noqa: S310  # http(s) only
        with urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310  # http(s) only, see `load`
            content: bytes = answer.read(MAX_BYTES + 1)
    except (OSError, ValueError, HTTPException) as error:
        raise DriftError(f"{address} can't be downloaded: {error}") from error
    if len(content) > MAX_BYTES:
        raise DriftError(f"{address} is larger than {MAX_BYTES:,} bytes, too large for a contract")
    return content


def _first() -> spec.Contract:
    """Return the first contract of this project, the only one in a spec without contracts.yaml."""
    return spec.contracts()[0]


def _of_files(read: Callable[[str], bytes | None], name: str) -> Contract | None:
    """Return the contracts of a spec; None if the first document is missing.

    Args:
        read: Returns the content of a file of the spec; None if it is missing.
        name: Name of the spec in reports.
    """
    listed = read(paths.CONTRACTS)
    if listed is None:
        entries: tuple[spec.Contract, ...] = (_first(),)
    else:
        try:
            entries = spec.parse_contracts(_mapping(listed, f"{name}:{paths.CONTRACTS}"), Path())
        except spec.GenerationError as error:
            raise DriftError(f"{name}: {error}") from error
    first, *others = entries
    openapi = read(first.document.name)
    if openapi is None:
        return None
    catalogue = first.catalogue and read(first.catalogue.name)
    return Contract(
        name,
        _document(openapi, f"{name}:{first.document.name}"),
        _mapping(catalogue, f"{name}:{first.catalogue}") if catalogue else None,
        {
            entry.package: _document(content, f"{name}:{entry.document.name}")
            for entry in others
            if (content := read(entry.document.name)) is not None
        },
    )


def _document(content: bytes, name: str) -> Document:
    return Document(_mapping(content, name), name)


def _of_folder(folder: Path, name: str) -> bytes | None:
    path = folder / name
    return path.read_bytes() if path.is_file() else None


def _of_revision(revision: str, name: str) -> bytes | None:
    try:
        return _of_git(f"{revision}:{paths.SPEC.name}/{name}")
    except DriftError:
        return None


def _of_git(place: str) -> bytes:
    if place.startswith("-"):
        raise DriftError(f"{place} is not a git revision")
    done = subprocess.run(["git", "show", place], capture_output=True, check=False)  # noqa: S607
    if done.returncode:
        reason = done.stderr.decode("utf-8", "replace").strip()
        raise DriftError(f"{place} is not a file, a URL or a file that git knows: {reason}")
    return done.stdout


def _plain(node: Any) -> Any:
    """Return YAML data as JSON data, with keys such as 200, and dates, as strings."""
    if isinstance(node, dict):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(item) for item in node]
    return node.isoformat() if isinstance(node, date) else node


# Exceptions of comparisons with a document that is not valid OpenAPI.
MALFORMED = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


@contextmanager
def explain_malformed(*contracts: Contract) -> Iterator[None]:
    """Convert an error that a malformed contract causes within the block to a `DriftError`.

    Contracts are validated only then, as published definitions may be invalid in other places.
    """
    try:
        yield
    except DriftError:
        raise
    except MALFORMED as error:
        flaws = [*_flaws_of_documents(contracts)] or [*_flaws_of_catalogues(contracts)]
        if not flaws:  # a bug of our own
            raise
        raise DriftError("\n".join(flaws)) from error


def _flaws_of_documents(contracts: Sequence[Contract]) -> Iterator[str]:
    for contract in contracts:
        others = (contract.others or {}).items()
        named = [
            (contract.name, contract.openapi),
            *((f"{contract.name}:{k}", v) for k, v in others),
        ]
        for name, document in named:
            if document is not None:
                is_older = str(document.raw["openapi"]).startswith("3.0.")
                validator = OpenAPIV30SpecValidator if is_older else OpenAPIV31SpecValidator
                flaw = _innermost(validator(document.raw))
                if flaw:
                    yield f"{name} is not a valid OpenAPI document: {flaw}"


def _flaws_of_catalogues(contracts: Sequence[Contract]) -> Iterator[str]:
    schema = next(entry.catalogue_schema for entry in spec.contracts() if entry.catalogue_schema)
    validator = Draft202012Validator(spec.load(schema))
    for contract in contracts:
        if contract.catalogue is not None:
            flaw = _innermost(validator, contract.catalogue)
            if flaw:
                yield f"{contract.name} is not a valid catalogue: {flaw}"


def _innermost(validator: Any, *instance: Any) -> str | None:
    """Return the innermost error with its position; None if there is no error."""
    errors = []
    try:
        for error in validator.iter_errors(*instance):
            errors.append(error)  # kept if a later one raises
    except MALFORMED as error:
        if not errors:  # circular references
            return f"{type(error).__name__}: {error}"
    if not errors:
        return None
    innermost = max(errors, key=lambda error: len(error.absolute_path))
    where = ".".join(map(str, innermost.absolute_path))
    what = innermost.message.partition("\n")[0]
    return f"{where}: {what}" if where else what
