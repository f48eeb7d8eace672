"""An engine with a real model behind it, run on this machine by Sentence Transformers.

The vectors are the model's own, the same whichever model the request names: unlike those of the
lexical engine, vectors of different embedding spaces can be compared here. They are cut to the
dimension that is asked for, or filled up with zeros, which changes no cosine. Texts with an
``input_type`` get the model's prompts; if it has none, those of the catalogue. Like any neural
network's, the last digits of a vector depend on the texts beside it.

The model sees texts only: a picture or video is known by name, as it is to the lexical engine, and
added to the text's vector. The score of a document is the cosine of its vector and the query's,
moved to between 0 and 1. Tokens are counted, and texts cut, by the emulator's rules; a model that
reads less of a text than those allow, ignores the rest.
"""

from __future__ import annotations

import importlib
import json
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from voyageai.extras import install
from voyageai_rest.catalogue import MODELS, PROMPTS

from . import vectors
from .features import Passage
from .vectors import Space

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from .relevance import Scores
    from .vectors import Matrix

__all__ = ["Sentence", "TextModel", "load"]

DEVICE = "cpu"
"""Where the model runs: the one device that every machine has."""
MEDIA = Space("media", "media")


class Encode(Protocol):
    """Makes a vector of each text, with a prompt in front; None stands for the model's own."""

    def __call__(
        self,
        texts: list[str],
        *,
        prompt: str | None,
        normalize_embeddings: bool,
        show_progress_bar: bool,
    ) -> NDArray[np.float32]: ...


class TextModel(Protocol):
    """What is used of a `SentenceTransformer`."""

    @property
    def prompts(self) -> Mapping[str, str]:
        """The model's prompts, by name; empty where it has none."""
        ...

    @property
    def encode(self) -> Encode:
        """Embeds texts."""
        ...

    @property
    def encode_query(self) -> Encode:
        """Embeds queries."""
        ...

    @property
    def encode_document(self) -> Encode:
        """Embeds documents."""
        ...


def load(name: str) -> TextModel:
    """Load a model. Code that comes with it is not run.

    Args:
        name: A folder, or a name on the Hugging Face Hub, which ``HF_HUB_OFFLINE`` keeps from
            being asked for what has been downloaded before.

    Raises:
        ImportError: The packages that run it are not installed.
        ValueError: There is no such model, or it needs code of its own.
    """
    try:
        library = importlib.import_module("sentence_transformers")
    except ImportError as error:
        raise ImportError(
            f"the model needs packages that are not installed: {install('local')} ({error})",
            name=error.name,
        ) from error
    try:
        _refuse_code(Path(name))
        model: TextModel = library.SentenceTransformer(name, device=DEVICE, trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise ValueError(f"the engine's model {name!r} cannot be loaded: {error}") from error
    return model


def _refuse_code(folder: Path) -> None:
    """Refuse a folder whose model is built of classes from elsewhere, as its list of parts says.

    Sentence Transformers before 6 imports them from a folder without being told to.
    """
    parts = folder / "modules.json"
    if parts.is_file():
        for part in json.loads(parts.read_bytes()):
            if not part["type"].startswith("sentence_transformers."):
                raise ValueError(f"it needs code that is not run, {part['type']!r}")


class Sentence:
    """The `Engine` of one model.

    Args:
        model: The model, which need not be safe to share between threads.
    """

    def __init__(self, model: TextModel) -> None:
        self._model = model
        self._busy = threading.Lock()
        self._brings_prompts = any(model.prompts.values())
        self._width = self._encode(["width"], "", "").shape[1]

    def embed(self, passages: Sequence[Passage], space: Space, dimension: int) -> Matrix:
        """Embed each passage by itself."""
        return _fit(self._rows(passages, space.model), dimension)

    def embed_chunks(
        self, documents: Sequence[Sequence[Passage]], space: Space, dimension: int
    ) -> list[Matrix]:
        """Embed the chunks of documents, leaning towards the whole document."""
        return vectors.in_context(
            documents,
            lambda passages: self._rows(passages, space.model),
            lambda rows: _fit(rows, dimension),
        )

    def relevance(self, query: str, documents: Sequence[str], model: str) -> Scores:
        """Score each document by its cosine with the query."""
        passages = [Passage(query, "query"), *(Passage(text, "document") for text in documents)]
        rows = self._rows(passages, model)
        cosines = np.einsum("ij,j->i", rows[1:], rows[0], dtype=np.float64)
        scores: Scores = ((1 + cosines) / 2).clip(0, 1).round(vectors.DECIMALS)
        return scores

    def _rows(self, passages: Sequence[Passage], model: str) -> Matrix:
        """The model's vectors, at its own dimension, with what is known of media added."""
        rows = np.zeros((len(passages), self._width), np.float32)
        for role in {passage.role for passage in passages}:
            places = [
                place
                for place, passage in enumerate(passages)
                if passage.role == role and (passage.text or not passage.media)
            ]
            if places:
                rows[places] = self._encode([passages[i].text for i in places], role, model)
        places = [place for place, passage in enumerate(passages) if passage.media]
        bare = [Passage("", "", passages[place].media) for place in places]
        rows[places] += vectors.embed(bare, MEDIA, self._width)
        return rows

    def _encode(self, texts: list[str], role: str, model: str) -> NDArray[np.float32]:
        # JSON can hold halves of characters, which tokenizers do not take.
        whole = [text.encode("utf-8", "replace").decode("utf-8") for text in texts]
        encode = {"query": self._model.encode_query, "document": self._model.encode_document}
        prompt = None if self._brings_prompts else _prompt(role, model)
        with self._busy:
            return encode.get(role, self._model.encode)(
                whole, prompt=prompt, normalize_embeddings=True, show_progress_bar=False
            )


def _prompt(role: str, model: str) -> str:
    """What the catalogue says is put in front of a text."""
    known = MODELS.get(model)
    prompts = PROMPTS.get(known.prompts) if known is not None and known.prompts else None
    if prompts is None:
        return ""
    return {"query": prompts.query, "document": prompts.document}.get(role, "")


def _fit(rows: Matrix, dimension: int) -> Matrix:
    """Rows cut or filled up to a dimension, at length 1."""
    fitted = np.zeros((len(rows), dimension))
    kept = rows[:, :dimension]
    fitted[:, : kept.shape[1]] = kept
    return vectors.unit(fitted)
