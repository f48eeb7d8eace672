"""Embedding on this machine, as the clients do it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..limits import check_flag, check_texts, constraint
from ..results import EmbeddingsObject
from .model_registry import SUPPORTED_MODELS as LOCAL_MODELS
from .model_registry import canonical, get_model_config

if TYPE_CHECKING:
    from voyageai_rest.models import InputType

    from .sentence_transformer_backend import SentenceTransformerBackend


def is_local_model(model: str) -> bool:
    """Return whether a model runs on this machine."""
    return model in LOCAL_MODELS


def get_local_backend(model: str) -> SentenceTransformerBackend:
    """Return a model that runs on this machine, loaded.

    Raises:
        ArgumentError, ImportError: As of `SentenceTransformerBackend`.
    """
    from .sentence_transformer_backend import SentenceTransformerBackend

    return SentenceTransformerBackend(model)


def embed_local(
    texts: str | Sequence[str],
    model: str,
    input_type: InputType | str | None = None,
    truncation: bool = True,
    output_dtype: str | None = None,
    output_dimension: int | None = None,
) -> EmbeddingsObject:
    """Embed texts on this machine, with the arguments and the result of `Client.embed`.

    Args:
        texts: A list of texts, or one.
        model: Name of a model that runs here, such as `voyage-4-nano`.
        input_type: `query` or `document`, which puts the model's prompt before the texts.
        truncation: Cut texts over the model's length; if False they are an error.
        output_dtype: `float`, which is the default and may be called `float32`, `binary` or
            `ubinary`.
        output_dimension: One of the model's.

    Returns:
        One vector per text, in their order. `total_tokens` counts the prompts too.

    Raises:
        ArgumentError: An argument is wrong, or the model brings code that was not agreed to.
        ImportError: The packages that run models are not installed.
        NotImplementedError: The API has the dtype, but how it scales to it is not known.
    """
    from voyageai_rest.models import Embedding, EmbeddingsResponse, TokenUsage

    get_model_config(model)
    bounds = constraint("EmbeddingsRequest", "input")
    listed = check_texts([texts] if isinstance(texts, str) else texts, "texts", bounds)
    check_flag("truncation", truncation)
    matrix, tokens = get_local_backend(model).encode(
        listed, input_type, output_dtype, output_dimension, truncation
    )
    little = matrix.astype(matrix.dtype.newbyteorder("<"), copy=False)
    answer = EmbeddingsResponse(
        object="list",
        data=[
            Embedding(
                object="embedding", embedding=b64encode(row.tobytes()).decode("ascii"), index=index
            )
            for index, row in enumerate(little)
        ],
        model=model,
        usage=TokenUsage(total_tokens=tokens),
    )
    return EmbeddingsObject(answer, dtype=canonical(output_dtype), expected=len(listed))
