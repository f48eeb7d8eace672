"""What a model's repository on the Hugging Face Hub holds for those who count tokens."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from . import content

if TYPE_CHECKING:
    from collections.abc import Mapping

    from voyageai_rest.catalogue import Model, ModelPixels

__all__ = ["File", "Repository", "repository"]


class File(NamedTuple):
    """A file of a repository."""

    content: bytes
    digest: str
    """Of the content, as Git names it: 40 hexadecimal digits."""


class Repository(NamedTuple):
    """A model's repository."""

    files: Mapping[str, File]
    commit: str
    """40 hexadecimal digits, the same for the same files."""


def repository(model: Model) -> Repository:
    """The repository of a model."""
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "clean_up_tokenization_spaces": False,
        "model_max_length": model.context_length,
    }
    files = {"tokenizer.json": _file(content()), "tokenizer_config.json": _file(_json(settings))}
    if model.pixels is not None:
        files["client_config.json"] = _file(_json(_client_config(model.pixels)))
    tree = "".join(f"{file.digest} {name}\n" for name, file in sorted(files.items()))
    return Repository(files, _sha1(tree.encode()))


def _client_config(pixels: ModelPixels) -> dict[str, int]:
    """What clients count pixels by; without bounds for frames of videos, those of pictures."""
    config = {
        "multimodal_image_pixels_min": pixels.image_min,
        "multimodal_image_pixels_max": pixels.image_max,
        "multimodal_image_to_tokens_ratio": pixels.image_per_token,
    }
    if pixels.video_per_token is not None:
        least, most = pixels.video_min, pixels.video_max
        config |= {
            "multimodal_video_pixels_min": pixels.image_min if least is None else least,
            "multimodal_video_pixels_max": pixels.image_max if most is None else most,
            "multimodal_video_to_tokens_ratio": pixels.video_per_token,
        }
    return {key: value for key, value in config.items() if value is not None}


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, indent=2).encode()


@cache  # there are few, and one of them is large
def _file(content: bytes) -> File:
    return File(content, _sha1(b"blob %d\0%b" % (len(content), content)))


def _sha1(data: bytes) -> str:
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()
