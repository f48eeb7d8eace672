"""The models' tokenizers, loaded once per process from the Hugging Face Hub or a file.

`HF_ENDPOINT`, `HF_HOME` and `HF_HUB_OFFLINE` are honoured, the first at the time of use. If it is
not set and requests go to an emulator, the emulator's tokenizers are used, by which it counts.
"""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlsplit

from voyageai_rest.errors import printable

from ._utils import stacklevel
from .argument_checks import NONE, catalogue_entry, check_model, check_texts
from .error import ArgumentError
from .extras import require

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

__all__ = [
    "Tokenizers",
    "at_hand",
    "count",
    "counts",
    "default_model",
    "emulator_at",
    "encode",
    "fetch",
    "load",
]

Tokenizers: TypeAlias = "Mapping[str, str | PathLike[str] | Tokenizer]"
"""Tokenizers, or paths of their `tokenizer.json`, by model."""

FILE = "tokenizer.json"
OWNER = "voyageai"
"""The owner of the models' repositories on the Hub."""
PUBLIC = "https://huggingface.co"

_lock = threading.Lock()
_loaded: dict[tuple[str, ...], Tokenizer] = {}
_serving: dict[tuple[str, str], bool] = {}
"""True if a host has a repository, by host and repository; only for hosts that responded."""


def load(model: str, own: Tokenizers | None = None, base_url: str = "") -> Tokenizer:
    """Return the tokenizer of a model, always the same object. It does not truncate.

    Args:
        model: Name of a model.
        own: Tokenizers to use in place of the published ones.
        base_url: Base URL of the client's requests. An emulator there is asked for its own
            tokenizer.

    Raises:
        ImportError: The extra `tokenizers` is not installed.
        OSError: The tokenizer could not be fetched; the message says from where, and what to do.
    """
    check_model(model)
    given = (own or {}).get(model)
    if given is not None and not isinstance(given, (str, PathLike)):
        return given
    # A second thread waits instead of fetching the tokenizer as well.
    with _lock:
        emulator = None if given else emulator_at(model, base_url)
        where = emulator or _endpoint()
        origin = (os.fspath(given),) if given else (repository(model), where)
        if origin not in _loaded:
            try:
                path = os.fspath(given) if given else fetch(model, FILE, emulator)
            except OSError as error:
                raise OSError(
                    f"{FILE} of {model} could not be fetched from {where}/{repository(model)}: "
                    f"{printable(str(error))}. "
                    f"Pass a file to the client, tokenizers={{{model!r}: 'path/to/{FILE}'}}, or "
                    "set HF_ENDPOINT to a host that has it, such as an emulator's address without "
                    "/v1."
                ) from None
            _loaded[origin] = _read(path)
        return _loaded[origin]


def at_hand(model: str, own: Tokenizers | None = None) -> Tokenizer | None:
    """Return the tokenizer of a model if that needs no request: given, loaded or cached.

    Args:
        model, own: As in `load`.
    """
    try:
        if (own or {}).get(model) is not None:
            return load(model, own)
        origin = repository(model), _endpoint()
        with _lock:
            if origin not in _loaded:
                hub = require("huggingface_hub", "tokenizers")
                path: object = hub.try_to_load_from_cache(repository(model), FILE)
                if not isinstance(path, str):
                    return None
                _loaded[origin] = _read(path)
            return _loaded[origin]
    except ImportError:
        return None


def fetch(model: str, name: str, emulator: str | None = None) -> str:
    """Return the path of a file of a model's repository, downloaded unless it is cached.

    Args:
        model: Name of a model.
        name: Name of the file.
        emulator: Address of an emulator to use in place of the Hub. Its files are cached
            separately.

    Raises:
        ImportError: The extra `tokenizers` is not installed.
        OSError: The file could not be fetched; the message says why.
    """
    hub = require("huggingface_hub", "tokenizers")
    place, cache = repository(model), {}
    if emulator is not None:
        home: str = require("huggingface_hub.constants", "tokenizers").HF_HOME
        cache = {"cache_dir": Path(home, "voyageai-emulator")}
    try:
        if not isinstance(hub.try_to_load_from_cache(place, name, **cache), str):
            # One request first: a download would retry for half a minute without a connection.
            _file_metadata(hub, place, name, emulator)
        token = None if emulator is None else False
        path: str = hub.hf_hub_download(
            place, name, endpoint=emulator or _endpoint(), token=token, **cache
        )
    except Exception as error:  # noqa: BLE001  # of the library, and of its HTTP library
        raise OSError(" ".join(str(error).split()).rstrip(".") or type(error).__name__) from None
    return path


def _file_metadata(hub: Any, place: str, name: str, emulator: str | None) -> Any:
    """Request the metadata of a file from a host, without downloading it."""
    url = hub.hf_hub_url(place, name, endpoint=emulator or _endpoint())
    # The user's token for the Hub is not sent to other hosts.
    return hub.get_hf_file_metadata(url, token=None if emulator is None else False)


def emulator_at(model: str, base_url: str) -> str | None:
    """Return the address of the emulator at a base URL, if it has the files of a model.

    An HF_ENDPOINT for another host takes precedence. Hosts with TLS are not asked: emulators have
    none.

    Args:
        model: Name of a model.
        base_url: Base URL of requests.

    Raises:
        ImportError: The extra `tokenizers` is not installed.
    """
    url = urlsplit(base_url)
    origin, place = f"http://{url.netloc.rpartition('@')[2]}", repository(model)
    if url.scheme != "http" or os.environ.get("HF_ENDPOINT", origin).rstrip("/") != origin:
        return None
    if (origin, place) not in _serving:
        hub = require("huggingface_hub", "tokenizers")
        try:
            metadata = _file_metadata(hub, place, FILE, origin)
        except Exception as error:  # noqa: BLE001  # of the library, and of its HTTP library
            if getattr(error, "response", None) is None:
                return None  # no response: the emulator may start later
            _serving[origin, place] = False
        else:
            _serving[origin, place] = metadata.commit_hash is not None
    return origin if _serving[origin, place] else None


def repository(model: str) -> str:
    """Return the Hub repository of a model's tokenizer."""
    entry = catalogue_entry(model)
    return (entry and entry.tokenizer) or f"{OWNER}/{model}"


def encode(tokenizer: Tokenizer, texts: Sequence[str]) -> list[Encoding]:
    """Tokenize texts.

    Raises:
        ArgumentError: `texts` is not a list of strings.
    """
    return tokenizer.encode_batch(_checked(texts))


def count(tokenizer: Tokenizer, texts: Sequence[str]) -> int:
    """Count the tokens of all texts together.

    Raises:
        ArgumentError: `texts` is not a list of strings.
    """
    return sum(counts(tokenizer, texts))


def counts(tokenizer: Tokenizer, texts: Sequence[str]) -> list[int]:
    """Count the tokens of each text.

    Raises:
        ArgumentError: `texts` is not a list of strings.
    """
    return [len(tokens) for tokens in tokenizer.encode_batch_fast(_checked(texts))]


def default_model(model: str | None) -> str:
    """Return the model, or, after a warning, the official client's default."""
    import voyageai

    if model is not None:
        return model
    warnings.warn(
        "Please specify the `model` when using the tokenizer. It defaults to "
        f"{voyageai.VOYAGE_EMBED_DEFAULT_MODEL}, and current models have other tokenizers, whose "
        "counts differ.",
        UserWarning,
        stacklevel=stacklevel(),
    )
    return voyageai.VOYAGE_EMBED_DEFAULT_MODEL


def _checked(texts: Sequence[str]) -> list[str]:
    return check_texts(texts, "texts", NONE)


def _endpoint() -> str:
    return (os.environ.get("HF_ENDPOINT") or PUBLIC).rstrip("/")


def _read(path: str) -> Tokenizer:
    tokenizer: Any = require("tokenizers", "tokenizers").Tokenizer
    try:
        read: Tokenizer = tokenizer.from_file(path)
    except Exception as error:  # noqa: BLE001  # the library raises bare Exceptions
        raise ArgumentError(
            f"{path} is not the file of a tokenizer: {error}", "tokenizers"
        ) from None
    read.no_truncation()
    return read
