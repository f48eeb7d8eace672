"""Finding a contract: a file, a folder, an address or a revision."""

import json
import subprocess
from datetime import date
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from .. import paths
from .contracts import Contract
from .documents import Document, DriftError

SECONDS = 30
MOST_BYTES = 20_000_000


def load(place: str) -> Contract:
    """The contract at a place.

    Args:
        place: A file (OpenAPI document or catalogue, YAML or JSON); a folder that holds
            openapi.yaml and perhaps catalogue.yaml; an http or https address; `REV:path`, a file at
            a git revision; or a revision, for the contract of this project at it.

    Raises:
        DriftError: There is none; says why.
    """
    try:
        return _load(place)
    except OSError as error:
        raise DriftError(f"{place} can't be read: {error}") from error


def _load(place: str) -> Contract:
    path = Path(place)
    if place.lower().startswith(("http://", "https://")):
        return parsed(fetched(place), place)
    if path.is_dir():
        # Reports are read elsewhere too: this checkout's own folder is not told by its whole path.
        title = paths.SPEC.name if path == paths.SPEC else place
        return _of_files({name: _of_folder(path, name) for name in _names()}, title)
    if path.is_file():
        return parsed(path.read_bytes(), place)
    if ":" in place:
        return parsed(_of_git(place), place)
    spec = paths.SPEC.name
    files = {name: _of_revision(place, f"{spec}/{name}") for name in _names()}
    if files[paths.OPENAPI.name] is None:
        raise DriftError(
            f"{place} is not a file, a folder, a URL "
            f"or a git revision with {spec}/{paths.OPENAPI.name}"
        )
    return _of_files(files, place)


def parsed(content: bytes, name: str) -> Contract:
    """The contract that a text holds: an OpenAPI document, or a catalogue."""
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


def fetched(address: str) -> bytes:
    """What an address answers.

    Raises:
        DriftError: It can't be reached, or answers too much.
    """
    try:
        request = Request(address, headers={"User-Agent": "voyageai-drift"})  # noqa: S310  # http(s) only
        with urlopen(request, timeout=SECONDS) as answer:  # noqa: S310  # http(s) only, see `load`
            content: bytes = answer.read(MOST_BYTES + 1)
    except (OSError, ValueError, HTTPException) as error:
        raise DriftError(f"{address} can't be fetched: {error}") from error
    if len(content) > MOST_BYTES:
        raise DriftError(f"{address} is larger than {MOST_BYTES:,} bytes, too large for a contract")
    return content


def _names() -> tuple[str, str]:
    return paths.OPENAPI.name, paths.CATALOGUE.name


def _of_files(files: dict[str, bytes | None], name: str) -> Contract:
    openapi, catalogue = (files[file] for file in _names())
    if openapi is None:
        raise DriftError(f"the folder {name} has no {_names()[0]} in it")
    return Contract(
        name,
        parsed(openapi, f"{name}:{_names()[0]}").openapi,
        None if catalogue is None else parsed(catalogue, f"{name}:{_names()[1]}").catalogue,
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
    """With keys that are strings and values that JSON has, as YAML reads 200 and 2025-01-01."""
    if isinstance(node, dict):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(item) for item in node]
    return node.isoformat() if isinstance(node, date) else node
