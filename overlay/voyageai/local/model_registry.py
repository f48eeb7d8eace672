"""The models that can be run locally, and the cache of loaded ones."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, cast

from voyageai_rest.catalogue import MODELS
from voyageai_rest.dtypes import DTYPES

from ..argument_checks import constraint
from ..error import ArgumentError
from ..vectors import DEFAULT

if TYPE_CHECKING:
    from voyageai_rest.models import OutputDtype

HOSTED_MAX_BATCH_SIZE: int = constraint("EmbeddingsRequest", "input").max_items or 1
"""Most texts of a call, the same as for a request to the API."""


@dataclass(frozen=True)
class LocalModelConfig:
    """The capabilities of a local model.

    Attributes:
        huggingface_id: Name of its repository on the Hugging Face Hub, or a folder.
        max_tokens: Most tokens of a text.
        default_dimension: Default dimension of the vectors.
        supported_dimensions: Supported dimensions.
        supported_precisions: Supported dtypes; `float32` is another name of `float`.
        trust_remote_code: True to allow code that comes with the model, whatever
            `voyageai.local.trust_remote_code` is.
        max_batch_size: Most texts of a call.
    """

    huggingface_id: str
    max_tokens: int
    default_dimension: int
    supported_dimensions: tuple[int, ...]
    supported_precisions: tuple[str, ...]
    trust_remote_code: bool = False
    max_batch_size: int = HOSTED_MAX_BATCH_SIZE

    def validate_dimension(self, dimension: int | None) -> int:
        """Return the dimension to use, the default for None.

        Raises:
            ArgumentError: The model does not have the dimension.
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
        """Return a supported dtype unchanged; None is the default.

        Raises:
            ArgumentError: The model does not have the dtype.
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
"""The models of the catalogue with open weights, from the repositories of their tokenizers."""


def get_model_config(model: str) -> LocalModelConfig:
    """Return the capabilities of a model.

    Raises:
        ArgumentError: The model can't be run locally.
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
    """Return the API's name of a supported dtype."""
    if precision is None or precision == DTYPES[DEFAULT].number:
        return DEFAULT
    return cast("OutputDtype", precision)


class ModelCache:
    """The loaded models: a singleton, however often it is constructed.

    Threads share it. A model is loaded once, without blocking the use of others; a loaded model
    serves one thread at a time, because tokenizers are not thread-safe.
    """

    _instance: ClassVar[ModelCache | None] = None
    _guard: ClassVar[threading.Lock] = threading.Lock()
    _models: dict[str, Any]
    _locks: dict[tuple[str, str], threading.Lock]

    def __new__(cls) -> ModelCache:
        """Return the singleton."""
        with cls._guard:
            if cls._instance is None:
                instance = super().__new__(cls)
                instance._models, instance._locks = {}, {}
                cls._instance = instance
            return cls._instance

    def get(self, key: str) -> Any | None:
        """Return a loaded model; None if it is not loaded."""
        return self._models.get(key)

    def set(self, key: str, model: Any) -> None:
        """Add a loaded model."""
        self._models[key] = model

    def clear(self) -> None:
        """Remove all models."""
        self._models.clear()

    def get_or_load(self, key: str, loader: Callable[[], Any]) -> Any:
        """Return a model, loading it if needed; concurrent callers wait for the first one."""
        with self._lock("load", key):
            if key not in self._models:
                self._models[key] = loader()
            return self._models[key]

    def get_inference_lock(self, key: str) -> threading.Lock:
        """Return the lock to hold while a model is used."""
        return self._lock("inference", key)

    def _lock(self, purpose: str, key: str) -> threading.Lock:
        with self._guard:
            return self._locks.setdefault((purpose, key), threading.Lock())
