"""Local embedding, as the clients call it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..argument_checks import check_flag, check_texts, constraint
from ..results import EmbeddingsObject
from .model_registry import SUPPORTED_MODELS as LOCAL_MODELS
from .model_registry import canonical, get_model_config

if TYPE_CHECKING:
    from voyageai_rest.models import InputType

    from .sentence_transformer_backend import SentenceTransformerBackend


def is_local_model(model: str) -> bool:
    """Return whether a model can be run locally."""
    return model in LOCAL_MODELS


def get_local_backend(model: str) -> SentenceTransformerBackend:
    """Load a local model, or return it if it is loaded.

    Raises:
        ArgumentError, ImportError: As for `SentenceTransformerBackend`.
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
    """Embed texts locally, with the arguments and the result of `Client.embed`.

    Args:
        texts: A list of texts, or a single text.
        model: Name of a local model, such as `voyage-4-nano`.
        input_type: `query` or `document`, for the model's prompt before the texts; None for no
            prompt.
        truncation: True to truncate texts to the model's length; False to raise for longer ones.
        output_dtype: `float`, the default, also called `float32`; `binary` or `ubinary`.
        output_dimension: Dimension of the vectors, one of the model's.

    Returns:
        One vector per text, in the order of the texts. `total_tokens` includes the prompts.

    Raises:
        ArgumentError: An argument is wrong, or the model comes with code that is not allowed.
        ImportError: The packages that run models are not installed.
        NotImplementedError: The dtype is only available at the API, whose scaling is not
            documented.
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
