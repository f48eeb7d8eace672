"""An engine that runs a real model locally, with Sentence Transformers.

The vectors are those of that model, whichever model a request names: unlike with the lexical
engine, vectors of different embedding spaces can be compared. They are truncated to the requested
dimension, or padded with zeros, which does not change cosines. Texts with an ``input_type`` get the
model's prompts or, if it has none, those of the catalogue. As with any neural network, the last
digits of a vector depend on the other texts of the batch.

The model reads texts only. The visual words of an image or video are embedded by the lexical
engine, and added to the text's vector. A document's score is the cosine of its vector and the
query's, scaled to between 0 and 1. Tokens are counted, and texts truncated, by the emulator's
tokenizer; the model may read less of a text.
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

    from .lexical import Scores
    from .vectors import Matrix

__all__ = ["SentenceTransformersEngine", "TextModel", "load_model"]

DEVICE = "cpu"
"""The only device that every machine has."""
MEDIA_SPACE = Space("media", "media")


class Encode(Protocol):
    """Function that embeds texts with a prompt before each; None for the model's own prompt.

    Returns float32 of shape (texts, width).
    """

    def __call__(
        self,
        texts: list[str],
        *,
        prompt: str | None,
        normalize_embeddings: bool,
        show_progress_bar: bool,
    ) -> NDArray[np.float32]: ...


class TextModel(Protocol):
    """The interface of a `SentenceTransformer` that is used here."""

    @property
    def prompts(self) -> Mapping[str, str]:
        """The model's prompts, by name."""
        ...

    @property
    def encode(self) -> Encode:
        """Function that embeds texts."""
        ...

    @property
    def encode_query(self) -> Encode:
        """Function that embeds queries."""
        ...

    @property
    def encode_document(self) -> Encode:
        """Function that embeds documents."""
        ...


def load_model(name: str) -> TextModel:
    """Load a model, without running code that comes with it.

    Args:
        name: A folder, or a name on the Hugging Face Hub; with ``HF_HUB_OFFLINE`` only a model
            that was downloaded before.

    Raises:
        ImportError: The packages that run the model are not installed.
        ValueError: The model cannot be loaded, or needs code of its own.
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
    """Check that a model's ``modules.json`` names no modules of other packages.

    Sentence Transformers before version 6 imports them from a folder without asking.

    Raises:
        ValueError: The model has modules of other packages.
    """
    modules = folder / "modules.json"
    if modules.is_file():
        for module in json.loads(modules.read_bytes()):
            if not module["type"].startswith("sentence_transformers."):
                raise ValueError(f"it needs code that is not run: {module['type']!r}")


class SentenceTransformersEngine:
    """An `Engine` that runs one model.

    Args:
        model: The model; it need not be thread-safe.
    """

    def __init__(self, model: TextModel) -> None:
        self._model = model
        self._lock = threading.Lock()
        self._has_prompts = any(model.prompts.values())
        self._width = self._encode(["width"], "", "").shape[1]

    def embed(self, passages: Sequence[Passage], space: Space, dimension: int) -> Matrix:
        """Embed each passage separately."""
        return _fit(self._rows(passages, space.model), dimension)

    def embed_chunks(
        self, documents: Sequence[Sequence[Passage]], space: Space, dimension: int
    ) -> list[Matrix]:
        """Embed the chunks of documents, mixed with the whole document."""
        return vectors.embed_in_context(
            documents,
            lambda passages: self._rows(passages, space.model),
            lambda rows: _fit(rows, dimension),
        )

    def relevance(self, query: str, documents: Sequence[str], model: str) -> Scores:
        """Score each document by the cosine of its vector and the query's."""
        passages = [Passage(query, "query"), *(Passage(text, "document") for text in documents)]
        rows = self._rows(passages, model)
        cosines = np.einsum("ij,j->i", rows[1:], rows[0], dtype=np.float64)
        scores: Scores = ((1 + cosines) / 2).clip(0, 1).round(vectors.DECIMALS)
        return scores

    def _rows(self, passages: Sequence[Passage], model: str) -> Matrix:
        """Embed passages with the model's own dimension: float32, shape (passages, width)."""
        rows = np.zeros((len(passages), self._width), np.float32)
        for role in {passage.role for passage in passages}:
            indices = [
                index
                for index, passage in enumerate(passages)
                if passage.role == role and (passage.text or not passage.media)
            ]
            if indices:
                rows[indices] = self._encode([passages[i].text for i in indices], role, model)
        indices = [index for index, passage in enumerate(passages) if passage.media]
        without_text = [Passage("", "", passages[index].media) for index in indices]
        rows[indices] += vectors.embed(without_text, MEDIA_SPACE, self._width)
        return rows

    def _encode(self, texts: list[str], role: str, model: str) -> NDArray[np.float32]:
        # JSON can contain lone surrogates, which tokenizers refuse.
        valid = [text.encode("utf-8", "replace").decode("utf-8") for text in texts]
        encode = {"query": self._model.encode_query, "document": self._model.encode_document}
        prompt = None if self._has_prompts else _catalogue_prompt(role, model)
        with self._lock:
            return encode.get(role, self._model.encode)(
                valid, prompt=prompt, normalize_embeddings=True, show_progress_bar=False
            )


def _catalogue_prompt(role: str, model: str) -> str:
    """Return the catalogue's prompt for a role and a model; empty if there is none."""
    known = MODELS.get(model)
    prompts = PROMPTS.get(known.prompts) if known is not None and known.prompts else None
    if prompts is None:
        return ""
    return {"query": prompts.query, "document": prompts.document}.get(role, "")


def _fit(rows: Matrix, dimension: int) -> Matrix:
    """Truncate or pad rows of shape (n, width) to unit vectors of shape (n, dimension)."""
    fitted = np.zeros((len(rows), dimension))
    kept = rows[:, :dimension]
    fitted[:, : kept.shape[1]] = kept
    return vectors.normalize(fitted)
