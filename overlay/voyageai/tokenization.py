"""The models' tokenizers: fetched once per process, from the Hugging Face Hub or from a file.

`HF_ENDPOINT`, `HF_HOME` and `HF_HUB_OFFLINE` are honoured, the first as it is at the time of use:
pointed at a `voyageai.emulator`, tokens are counted as the emulator counts them.
"""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, TypeAlias

from .callers import level
from .error import ArgumentError
from .extras import require
from .inputs.texts import check_texts
from .limits import NONE, check_model, known

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

__all__ = ["Tokenizers", "at_hand", "count", "default_model", "encode", "fetch", "load"]

Tokenizers: TypeAlias = "Mapping[str, str | PathLike[str] | Tokenizer]"
"""Tokenizers of one's own, or paths of their `tokenizer.json`, by model."""

FILE = "tokenizer.json"
OWNER = "voyageai"
"""Whose repositories the models' are."""
PUBLIC = "https://huggingface.co"

_lock = threading.Lock()
_loaded: dict[tuple[str, ...], Tokenizer] = {}


def load(model: str, own: Tokenizers | None = None) -> Tokenizer:
    """The tokenizer of a model. The same object each time; it does not truncate.

    Args:
        model: Name of a model.
        own: Tokenizers to use instead of the published ones.

    Raises:
        ImportError: The extra `tokenizers` is not installed.
        OSError: It can't be had; says from where, and what else can be done.
    """
    check_model(model)
    given = (own or {}).get(model)
    if given is not None and not isinstance(given, (str, PathLike)):
        return given
    origin = (repository(model), _endpoint()) if given is None else (os.fspath(given),)
    # Whoever comes second waits rather than fetches it too.
    with _lock:
        if origin not in _loaded:
            path = fetch(model, FILE) if given is None else origin[0]
            _loaded[origin] = _read(path)
        return _loaded[origin]


def at_hand(model: str, own: Tokenizers | None = None) -> Tokenizer | None:
    """The tokenizer of a model if it takes no request: given, loaded or fetched before; or None.

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


def fetch(model: str, name: str) -> str:
    """Path of a file of a model's repository, downloaded unless it is there.

    Raises:
        ImportError: The extra `tokenizers` is not installed.
        OSError: It can't be had.
    """
    hub = require("huggingface_hub", "tokenizers")
    try:
        path: str = hub.hf_hub_download(repository(model), name, endpoint=_endpoint())
    except (OSError, ValueError) as error:  # of the network, the cache, and names
        raise OSError(
            f"{name} of {model} can't be had from {_endpoint()}/{repository(model)}: {error} "
            "Without a connection, give the client the file of its tokenizer: "
            f"tokenizers={{{model!r}: 'path/to/{FILE}'}}."
        ) from error
    return path


def repository(model: str) -> str:
    """The Hub's repository of a model."""
    entry = known(model)
    return (entry and entry.tokenizer) or f"{OWNER}/{model}"


def encode(tokenizer: Tokenizer, texts: Sequence[str]) -> list[Encoding]:
    """The tokens of each text.

    Raises:
        ArgumentError: The texts are no list of strings.
    """
    return tokenizer.encode_batch(_checked(texts))


def count(tokenizer: Tokenizer, texts: Sequence[str]) -> int:
    """The number of tokens of all texts.

    Raises:
        ArgumentError: The texts are no list of strings.
    """
    return sum(map(len, tokenizer.encode_batch_fast(_checked(texts))))


def default_model(model: str | None) -> str:
    """The model, or the official client's default with its warning."""
    import voyageai

    if model is not None:
        return model
    warnings.warn(
        "Please specify the `model` when using the tokenizer. It defaults to "
        f"{voyageai.VOYAGE_EMBED_DEFAULT_MODEL}, and current models have other tokenizers, whose "
        "counts differ.",
        UserWarning,
        stacklevel=level(),
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
