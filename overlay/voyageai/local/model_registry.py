"""The models that run on this machine, and those that are loaded."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, cast

from voyageai_rest.catalogue import MODELS
from voyageai_rest.dtypes import DTYPES

from ..error import ArgumentError
from ..limits import constraint
from ..vectors import DEFAULT

if TYPE_CHECKING:
    from voyageai_rest.models import OutputDtype

HOSTED_MAX_BATCH_SIZE: int = constraint("EmbeddingsRequest", "input").max_items or 1
"""Texts that one call takes, as many as a request to the API does."""


@dataclass(frozen=True)
class LocalModelConfig:
    """The capabilities of a model.

    Attributes:
        huggingface_id: Its name on the Hugging Face Hub, or a folder that holds it.
        max_tokens: Tokens of a text that it reads.
        default_dimension: Dimension of its vectors unless another is asked for.
        supported_dimensions: Those that can be asked for.
        supported_precisions: Dtypes that can be asked for; `float32` is another name of `float`.
        trust_remote_code: Whether to run code that comes with it, whatever
            `voyageai.local.trust_remote_code` says.
        max_batch_size: Texts that one call takes.
    """

    huggingface_id: str
    max_tokens: int
    default_dimension: int
    supported_dimensions: tuple[int, ...]
    supported_precisions: tuple[str, ...]
    trust_remote_code: bool = False
    max_batch_size: int = HOSTED_MAX_BATCH_SIZE

    def validate_dimension(self, dimension: int | None) -> int:
        """Return the dimension to use.

        Raises:
            ArgumentError: The model has no such dimension.
        """
        if dimension is None:
            return self.default_dimension
        if dimension not in self.supported_dimensions:
            raise ArgumentError(
                f"output_dimension must be one of {self.supported_dimensions}, not {dimension!r}",
                "output_dimension",
            )
        return dimension

    def validate_precision(self, precision: str | None) -> str | None:
        """Return the dtype as it was asked for; None is the default.

        Raises:
            ArgumentError: The model has no such dtype.
        """
        if precision is not None and precision not in self.supported_precisions:
            raise ArgumentError(
                f"output_dtype must be one of {self.supported_precisions}, not {precision!r}",
                "output_dtype",
            )
        return precision


SUPPORTED_MODELS: dict[str, LocalModelConfig] = {
    model.name: LocalModelConfig(
        huggingface_id=model.tokenizer,
        max_tokens=model.context_length,
        default_dimension=model.dimensions.default,
        supported_dimensions=model.dimensions.allowed,
        supported_precisions=(DTYPES[DEFAULT].number, *model.dtypes),
    )
    for model in MODELS.values()
    if model.lifecycle == "open-weights"
    and model.tokenizer is not None
    and model.context_length is not None
    and model.dimensions is not None
    and model.dtypes is not None
}
"""The models of the catalogue with open weights; their tokenizers are found where they are."""


def get_model_config(model: str) -> LocalModelConfig:
    """Return the capabilities of a model.

    Raises:
        ValueError: It does not run here.
    """
    config = SUPPORTED_MODELS.get(model)
    if config is None:
        raise ArgumentError(
            f"model must be one that runs on this machine ({', '.join(SUPPORTED_MODELS)}), "
            f"not {model!r}",
            "model",
        )
    return config


def canonical(precision: str | None) -> OutputDtype:
    """Return a dtype that a model has, by its name in the API."""
    if precision is None or precision == DTYPES[DEFAULT].number:
        return DEFAULT
    return cast("OutputDtype", precision)


class ModelCache:
    """The loaded models: one cache for the process, however often it is constructed.

    Threads share it. A model is loaded once, without blocking others; a loaded model serves one
    thread at a time, because tokenizers are not thread-safe.
    """

    _only: ClassVar[ModelCache | None] = None
    _guard: ClassVar[threading.Lock] = threading.Lock()
    _models: dict[str, Any]
    _locks: dict[tuple[str, str], threading.Lock]

    def __new__(cls) -> ModelCache:
        """Return the only instance."""
        with cls._guard:
            if cls._only is None:
                only = super().__new__(cls)
                only._models, only._locks = {}, {}
                cls._only = only
            return cls._only

    def get(self, key: str) -> Any | None:
        """Return a loaded model, or None."""
        return self._models.get(key)

    def set(self, key: str, model: Any) -> None:
        """Keep a model."""
        self._models[key] = model

    def clear(self) -> None:
        """Forget all models."""
        self._models.clear()

    def get_or_load(self, key: str, loader: Callable[[], Any]) -> Any:
        """Return a loaded model; the first caller loads it, and all others wait."""
        with self._lock("load", key):
            if key not in self._models:
                self._models[key] = loader()
            return self._models[key]

    def get_inference_lock(self, key: str) -> threading.Lock:
        """Return the lock to hold while a model works."""
        return self._lock("inference", key)

    def _lock(self, purpose: str, key: str) -> threading.Lock:
        with self._guard:
            return self._locks.setdefault((purpose, key), threading.Lock())
