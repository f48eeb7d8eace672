"""Load a contract from a file, a folder, an address or a git revision; say what is malformed."""

import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from .. import paths, spec
from .contracts import Contract
from .documents import Document, DriftError

TIMEOUT = 30
MAX_BYTES = 20_000_000


def load(place: str) -> Contract:
    """Load the contract at a place.

    Args:
        place: A file (OpenAPI document or catalogue, YAML or JSON); a folder that holds
            openapi.yaml and perhaps catalogue.yaml; an http or https address; `REV:path`, a file at
            a git revision; or a revision, for the contract of this project at it.

    Raises:
        DriftError: There is no contract at the place; says why.
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
        # Reports are read elsewhere too, so this checkout's own folder is named without its path.
        title = paths.SPEC.name if path == paths.SPEC else place
        return _of_files({name: _of_folder(path, name) for name in _names()}, title)
    if path.is_file():
        return parse(path.read_bytes(), place)
    if ":" in place:
        return parse(_of_git(place), place)
    spec = paths.SPEC.name
    files = {name: _of_revision(place, f"{spec}/{name}") for name in _names()}
    if files[paths.OPENAPI.name] is None:
        raise DriftError(
            f"{place} is not a file, a folder, a URL "
            f"or a git revision with {spec}/{paths.OPENAPI.name}"
        )
    return _of_files(files, place)


def parse(content: bytes, name: str) -> Contract:
    """Parse a contract: an OpenAPI document, or a catalogue, as YAML or JSON."""
    try:
        text = content.decode("utf-8-sig")
        loaded = json.loads(text) if text.lstrip().startswith("{") else _yaml(text)
        document = _plain(loaded)
    except (ValueError, RecursionError, YAMLError) as error:
        raise DriftError(f"{name} can't be read: {error}") from error
    if not isinstance(document, dict):
        raise DriftError(f"{name} must be a mapping, such as an OpenAPI document")
    if "models" in document and "openapi" not in document:
        return Contract(name, catalogue=document)
    return Contract(name, Document(document, name))


def fetch(address: str) -> bytes:
    """Download a file.

    Raises:
        DriftError: The address can't be reached, or answers more than `MAX_BYTES`.
    """
    try:
        request = Request(address, headers={"User-Agent": "voyageai-drift"})  # noqa: S310  # http(s) only
        with urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310  # http(s) only, see `load`
            content: bytes = answer.read(MAX_BYTES + 1)
    except (OSError, ValueError, HTTPException) as error:
        raise DriftError(f"{address} can't be fetch: {error}") from error
    if len(content) > MAX_BYTES:
        raise DriftError(f"{address} is larger than {MAX_BYTES:,} bytes, too large for a contract")
    return content


def _names() -> tuple[str, str]:
    return paths.OPENAPI.name, paths.CATALOGUE.name


def _of_files(files: dict[str, bytes | None], name: str) -> Contract:
    openapi, catalogue = (files[file] for file in _names())
    if openapi is None:
        raise DriftError(f"the folder {name} has no {_names()[0]} in it")
    return Contract(
        name,
        parse(openapi, f"{name}:{_names()[0]}").openapi,
        None if catalogue is None else parse(catalogue, f"{name}:{_names()[1]}").catalogue,
    )


def _of_folder(folder: Path, name: str) -> bytes | None:
    path = folder / name
    return path.read_bytes() if path.is_file() else None


def _of_revision(revision: str, path: str) -> bytes | None:
    try:
        return _of_git(f"{revision}:{path}")
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


def _yaml(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)


def _plain(node: Any) -> Any:
    """Return YAML as JSON would have it: with string keys (YAML reads 200) and dates as strings."""
    if isinstance(node, dict):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(item) for item in node]
    return node.isoformat() if isinstance(node, date) else node


# What reading a document raises where it does not have the form of OpenAPI.
MALFORMED = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


@contextmanager
def explain_malformed(*contracts: Contract) -> Iterator[None]:
    """Turn an error that a malformed contract causes within the block into a `DriftError`.

    They are validated only then: what others publish need not be valid everywhere.
    """
    try:
        yield
    except DriftError:
        raise
    except MALFORMED as error:
        flaws = [*_flaws_of_documents(contracts)] or [*_flaws_of_catalogues(contracts)]
        if not flaws:  # then the mistake is ours
            raise
        raise DriftError("\n".join(flaws)) from error


def _flaws_of_documents(contracts: Sequence[Contract]) -> Iterator[str]:
    for contract in contracts:
        if contract.openapi is not None:
            is_older = str(contract.openapi.raw["openapi"]).startswith("3.0.")
            validator = OpenAPIV30SpecValidator if is_older else OpenAPIV31SpecValidator
            flaw = _innermost(validator(contract.openapi.raw))
            if flaw:
                yield f"{contract.name} is not a valid OpenAPI document: {flaw}"


def _flaws_of_catalogues(contracts: Sequence[Contract]) -> Iterator[str]:
    validator = Draft202012Validator(spec.load(paths.CATALOGUE_SCHEMA))
    for contract in contracts:
        if contract.catalogue is not None:
            flaw = _innermost(validator, contract.catalogue)
            if flaw:
                yield f"{contract.name} is not a valid catalogue: {flaw}"


def _innermost(validator: Any, *instance: Any) -> str | None:
    """Return the innermost error with its place; None if there is none."""
    errors = []
    try:
        for error in validator.iter_errors(*instance):
            errors.append(error)  # keeps what was found before it fails
    except MALFORMED as error:
        if not errors:  # references that lead in circles
            return f"{type(error).__name__}: {error}"
    if not errors:
        return None
    innermost = max(errors, key=lambda error: len(error.absolute_path))
    where = ".".join(map(str, innermost.absolute_path))
    what = innermost.message.partition("\n")[0]
    return f"{where}: {what}" if where else what
