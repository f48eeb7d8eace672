"""The models' limits of the catalogue: check requests against them, and truncate texts to them.

The sentences about models, tokens and batches are the API's own. Those about dimensions, dtypes and
the reranker's query were not recorded, and are written in the same style.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from voyageai_rest.catalogue import PROMPTS, Model
from voyageai_rest.dtypes import DTYPES

from .engine import Passage, Space
from .engine.vectors import BLOCK, quantize, to_base64, to_lists
from .responses import ApiError
from .tokenizer import counts, truncate

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from voyageai_rest.dtypes import Dtype
    from voyageai_rest.types import Unset

    from .engine import Engine
    from .media import MediaReader

__all__ = [
    "ModelContext",
    "Output",
    "ServedModels",
    "check_request_tokens",
    "failed",
    "find",
    "fit",
    "output",
    "passage",
    "space",
    "too_long",
]

ServedModels: TypeAlias = Mapping[str, Model]
"""The models that an endpoint serves, by name."""


class ModelContext(NamedTuple):
    """The models and the services that a handler of a model endpoint uses."""

    models: ServedModels
    engine: Engine
    media: MediaReader


class Output(NamedTuple):
    """Dimension, dtype and encoding of the vectors in a response."""

    dimension: int
    dtype: Dtype
    as_base64: bool

    def write(self, vectors: NDArray[np.float32]) -> Sequence[list[float] | str]:
        """Return vectors, float32 of shape (vectors, dimension), as JSON values."""
        quantized = quantize(vectors, self.dtype)
        return to_base64(quantized) if self.as_base64 else to_lists(quantized)


def find(name: str, served: ServedModels) -> Model:
    """Return the model of a request.

    Raises:
        ApiError: No model of that name is served, or it is retired.
    """
    model = served.get(name)
    if model is not None and model.lifecycle == "retired":
        instead = f" Use {model.replacement} instead." if model.replacement else ""
        raise ApiError(f"Model {name} is retired.{instead}", HTTPStatus.GONE)
    if model is None:
        supported = [model.name for model in served.values() if model.lifecycle != "retired"]
        raise ApiError(f"Model {name} is not supported. Supported models are {supported}.")
    return model


def output(
    model: Model,
    dimension: int | Unset | None,
    dtype: str | Unset | None,
    encoding_format: str | Unset | None,
) -> Output:
    """Return dimension, dtype and encoding of the vectors that a request asks for.

    Raises:
        ApiError: The model does not support the dimension or the dtype.
    """
    dimensions, dtypes = model.dimensions, model.dtypes
    name = dtype or "float"
    if dtypes is not None and name not in dtypes:
        raise failed(
            model,
            f"The output data type '{name}' is not supported. "
            f"Supported output data types are {list(dtypes)}.",
        )
    if not isinstance(dimension, int):
        dimension = dimensions.default if dimensions else BLOCK
    if dimensions is not None and dimension not in dimensions.allowed:
        raise failed(
            model,
            f"The output dimension {dimension} is not supported. "
            f"Supported output dimensions are {sorted(dimensions.allowed)}.",
        )
    return Output(dimension, DTYPES[name], encoding_format == "base64")


def fit(model: Model, texts: list[str], *, truncation: bool) -> tuple[list[str], list[int]]:
    """Return texts truncated to the model's context length, and the tokens of each.

    Raises:
        ApiError: A text is too long, and `truncation` is false.
    """
    limit, start_token = model.context_length, bool(model.start_token)
    numbers = counts(texts, limit, start_token=start_token)
    if limit is None or max(numbers, default=0) <= limit:
        return texts, numbers
    if not truncation:
        raise too_long(model, next(i for i, tokens in enumerate(numbers) if tokens > limit))
    return [truncate(text, limit, start_token=start_token) for text in texts], [
        min(tokens, limit) for tokens in numbers
    ]


def too_long(
    model: Model,
    index: int,
    advice: str = "Please lower the number of tokens in the listed example(s) or use truncation.",
    limit: int | None = None,
) -> ApiError:
    """Return the error for an input above `limit` tokens, by default the context length."""
    return failed(
        model,
        f"The example at index {index} in your batch has too many tokens and does not fit into "
        f"the model's context window of {limit or model.context_length} tokens. {advice}",
    )


def check_request_tokens(model: Model, tokens: int) -> None:
    """Check the number of tokens of a request.

    Raises:
        ApiError: The request has more tokens than the model accepts in one.
    """
    limit = model.max_request_tokens
    if limit is not None and tokens > limit:
        raise failed(
            model,
            f"The max allowed tokens per submitted batch is {limit}. Your batch has {tokens} "
            "tokens after truncation. Please lower the number of tokens in the batch.",
            code="TOO_MANY_TOKENS_IN_BATCH",
        )


def failed(model: Model, reason: str, code: str | None = None) -> ApiError:
    """Return the error for a request that failed, with the model and the reason."""
    return ApiError(f"Request to model '{model.name}' failed. {reason}", code=code)


def space(model: Model) -> Space:
    """Return the embedding space of a model."""
    return Space(model.embedding_space or model.name, model.name)


def passage(
    model: Model, text: str, input_type: str | Unset | None, media: tuple[tuple[str, ...], ...] = ()
) -> Passage:
    """Return a text as an input of the engine; a prompt at its beginning becomes its role."""
    prompts = PROMPTS.get(model.prompts) if model.prompts else None
    if not input_type and prompts is not None:
        for role, prompt in (("query", prompts.query), ("document", prompts.document)):
            if text.startswith(prompt):
                return Passage(text.removeprefix(prompt), role, media)
    return Passage(text, input_type or "", media)
