"""An engine with a real model behind it, run on this machine by Sentence Transformers.

The vectors are the model's own, the same whichever model the request names: unlike those of the
lexical engine, vectors of different embedding spaces can be compared. They are cut to the dimension
that was requested, or padded with zeros, which changes no cosine. Texts with an ``input_type`` get
the model's prompts; if it has none, those of the catalogue. Like any neural network's, the last
digits of a vector depend on the texts in the same batch.

The model sees texts only: the visual words of an image or video are embedded as the lexical engine
embeds them, and added to the text's vector. A document's score is the cosine of its vector and the
query's, moved to between 0 and 1. Tokens are counted, and texts truncated, by the emulator's
tokenizer; a model that reads less of a text ignores the rest.
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
"""The one device that every machine has."""
MEDIA_SPACE = Space("media", "media")


class Encode(Protocol):
    """Embeds texts with a prompt in front of each; None stands for the model's own prompt.

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
    """The part of a `SentenceTransformer` that is used here."""

    @property
    def prompts(self) -> Mapping[str, str]:
        """The model's prompts, by name; empty where it has none."""
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
    """Load a model. Code that comes with it is not run.

    Args:
        name: A folder, or a name on the Hugging Face Hub; with ``HF_HUB_OFFLINE`` only a model
            that has been downloaded before.

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
    """Refuse a folder whose model has modules from other packages, as its ``modules.json`` says.

    Sentence Transformers before 6 imports them from a folder without being told to.
    """
    modules = folder / "modules.json"
    if modules.is_file():
        for module in json.loads(modules.read_bytes()):
            if not module["type"].startswith("sentence_transformers."):
                raise ValueError(f"it needs code that is not run, {module['type']!r}")


class SentenceTransformersEngine:
    """The `Engine` of one model.

    Args:
        model: The model, which need not be safe to share between threads.
    """

    def __init__(self, model: TextModel) -> None:
        self._model = model
        self._lock = threading.Lock()
        self._has_prompts = any(model.prompts.values())
        self._width = self._encode(["width"], "", "").shape[1]

    def embed(self, passages: Sequence[Passage], space: Space, dimension: int) -> Matrix:
        """Embed each passage by itself."""
        return _fit(self._rows(passages, space.model), dimension)

    def embed_chunks(
        self, documents: Sequence[Sequence[Passage]], space: Space, dimension: int
    ) -> list[Matrix]:
        """Embed the chunks of documents, leaning towards the whole document."""
        return vectors.embed_in_context(
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
        """Embed passages at the model's own width: float32, shape (passages, width)."""
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
        # JSON can hold lone surrogates, which tokenizers do not take.
        valid = [text.encode("utf-8", "replace").decode("utf-8") for text in texts]
        encode = {"query": self._model.encode_query, "document": self._model.encode_document}
        prompt = None if self._has_prompts else _catalogue_prompt(role, model)
        with self._lock:
            return encode.get(role, self._model.encode)(
                valid, prompt=prompt, normalize_embeddings=True, show_progress_bar=False
            )


def _catalogue_prompt(role: str, model: str) -> str:
    """Return the prompt that the catalogue has for a model's texts, or an empty one."""
    known = MODELS.get(model)
    prompts = PROMPTS.get(known.prompts) if known is not None and known.prompts else None
    if prompts is None:
        return ""
    return {"query": prompts.query, "document": prompts.document}.get(role, "")


def _fit(rows: Matrix, dimension: int) -> Matrix:
    """Cut or pad rows of shape (n, width) to unit vectors of shape (n, dimension)."""
    fitted = np.zeros((len(rows), dimension))
    kept = rows[:, :dimension]
    fitted[:, : kept.shape[1]] = kept
    return vectors.normalize(fitted)
