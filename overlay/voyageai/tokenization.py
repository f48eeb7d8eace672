"""The models' tokenizers: fetched once per process, from the Hugging Face Hub or from a file.

`HF_ENDPOINT`, `HF_HOME` and `HF_HUB_OFFLINE` are honoured, the first as it is at the time of use.
Where it is not set and requests go to an emulator, the emulator is asked for the tokenizers that it
counts by.
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
from .error import ArgumentError
from .extras import require
from .limits import NONE, check_model, check_texts, known

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
"""Tokenizers of one's own, or paths of their `tokenizer.json`, by model."""

FILE = "tokenizer.json"
OWNER = "voyageai"
"""The owner of the models' repositories on the Hub."""
PUBLIC = "https://huggingface.co"

_lock = threading.Lock()
_loaded: dict[tuple[str, ...], Tokenizer] = {}
_serving: dict[tuple[str, str], bool] = {}
"""By host and repository: True if the host has it. Only hosts that answered are kept."""


def load(model: str, own: Tokenizers | None = None, base_url: str = "") -> Tokenizer:
    """Return the tokenizer of a model, the same object each time. It does not truncate.

    Args:
        model: Name of a model.
        own: Tokenizers to use instead of the published ones.
        base_url: Where the client's requests go. An emulator is asked for its own tokenizer.

    Raises:
        ImportError: The extra `tokenizers` is not installed.
        OSError: It could not be fetched; says from where, and what to do.
    """
    check_model(model)
    given = (own or {}).get(model)
    if given is not None and not isinstance(given, (str, PathLike)):
        return given
    # A second thread waits instead of fetching it too.
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
                    f"Give the client a file, tokenizers={{{model!r}: 'path/to/{FILE}'}}, or set "
                    "HF_ENDPOINT to a host that has it, such as an emulator's address without /v1."
                ) from None
            _loaded[origin] = _read(path)
        return _loaded[origin]


def at_hand(model: str, own: Tokenizers | None = None) -> Tokenizer | None:
    """Return the tokenizer of a model if that takes no request: given, loaded or fetched before.

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
    """Return the path of a file of a model's repository, downloaded unless it is there.

    Args:
        model: Name of a model.
        name: Name of the file.
        emulator: Address of an emulator to ask instead of the Hub. Its files are kept apart from
            the Hub's.

    Raises:
        ImportError: The extra `tokenizers` is not installed.
        OSError: It could not be fetched; says why.
    """
    hub = require("huggingface_hub", "tokenizers")
    place, cache = repository(model), {}
    if emulator is not None:
        home: str = require("huggingface_hub.constants", "tokenizers").HF_HOME
        cache = {"cache_dir": Path(home, "voyageai-emulator")}
    try:
        if not isinstance(hub.try_to_load_from_cache(place, name, **cache), str):
            # Asked once: the download would try for half a minute where there is no connection.
            _look(hub, place, name, emulator)
        token = None if emulator is None else False
        path: str = hub.hf_hub_download(
            place, name, endpoint=emulator or _endpoint(), token=token, **cache
        )
    except Exception as error:  # noqa: BLE001  # those of the library, and of its HTTP library
        raise OSError(" ".join(str(error).split()).rstrip(".") or type(error).__name__) from None
    return path


def _look(hub: Any, place: str, name: str, emulator: str | None) -> Any:
    """Ask a host about a file, without fetching it."""
    url = hub.hf_hub_url(place, name, endpoint=emulator or _endpoint())
    # The user's token of the Hub is the Hub's.
    return hub.get_hf_file_metadata(url, token=None if emulator is None else False)


def emulator_at(model: str, base_url: str) -> str | None:
    """Return the address of the emulator that requests go to, if it has the files of a model.

    Another HF_ENDPOINT goes first. Hosts with TLS are not asked, as emulators have none.

    Args:
        model: Name of a model.
        base_url: Where requests go.

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
            found = _look(hub, place, FILE, origin)
        except Exception as error:  # noqa: BLE001  # those of the library, and of its HTTP library
            if getattr(error, "response", None) is None:
                return None  # nobody is there, yet
            _serving[origin, place] = False
        else:
            _serving[origin, place] = found.commit_hash is not None
    return origin if _serving[origin, place] else None


def repository(model: str) -> str:
    """Return the Hub's repository of a model."""
    entry = known(model)
    return (entry and entry.tokenizer) or f"{OWNER}/{model}"


def encode(tokenizer: Tokenizer, texts: Sequence[str]) -> list[Encoding]:
    """Return the tokens of each text.

    Raises:
        ArgumentError: The texts are no list of strings.
    """
    return tokenizer.encode_batch(_checked(texts))


def count(tokenizer: Tokenizer, texts: Sequence[str]) -> int:
    """Return the number of tokens of all texts.

    Raises:
        ArgumentError: The texts are no list of strings.
    """
    return sum(counts(tokenizer, texts))


def counts(tokenizer: Tokenizer, texts: Sequence[str]) -> list[int]:
    """Return the number of tokens of each text.

    Raises:
        ArgumentError: The texts are no list of strings.
    """
    return [len(tokens) for tokens in tokenizer.encode_batch_fast(_checked(texts))]


def default_model(model: str | None) -> str:
    """Return the model, or the official client's default with its warning."""
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
