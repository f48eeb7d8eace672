"""A local model, run with Sentence Transformers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from voyageai_rest.dtypes import DTYPES

from .. import local
from ..argument_checks import check_value, constraint
from ..error import ArgumentError
from ..extras import require
from ..quantization import pack, truncate
from .model_registry import ModelCache, canonical, get_model_config

if TYPE_CHECKING:
    import numpy.typing as npt
    from voyageai_rest.models import InputType, OutputDtype


class SentenceTransformerBackend:
    """A local model.

    Loaded models are shared: another backend for the same model costs nothing.

    Attributes:
        config: Capabilities of the model.
        device: The device that runs it.
        model: The `SentenceTransformer`.
    """

    def __init__(self, model_name: str, device: str | None = None) -> None:
        """Load the model, unless it is loaded already.

        Args:
            model_name: Name of the model, such as `voyage-4-nano`.
            device: Device to run it on, such as `cpu` or `cuda`; None for a CUDA device if there is
                one.

        Raises:
            ArgumentError: The model can't be run locally, or comes with code that is not allowed.
            ImportError: The packages that run models are not installed.
        """
        sentence_transformers, torch = local.libraries()
        self.config = get_model_config(model_name)
        self.device: str = device or ("cuda" if torch.cuda.is_available() else "cpu")
        self._name = model_name
        key = f"{model_name}:{self.device}"
        self._lock = ModelCache().get_inference_lock(key)
        self.model: Any = ModelCache().get_or_load(
            key, lambda: self._load(sentence_transformers.SentenceTransformer)
        )

    def encode(
        self,
        texts: list[str],
        input_type: InputType | str | None = None,
        output_dtype: str | None = None,
        output_dimension: int | None = None,
        truncation: bool = True,
    ) -> tuple[npt.NDArray[Any], int]:
        """Embed texts.

        Args:
            texts: The texts.
            input_type: `query` or `document`, for the model's prompt before the texts; None for no
                prompt.
            output_dtype: `float`, the default, also called `float32`; `binary` or `ubinary`.
            output_dimension: Dimension of the vectors, one of the model's.
            truncation: True to truncate texts to the model's length; False to raise for longer
                ones.

        Returns:
            A float32 matrix of unit vectors, of shape (texts, dimension), or packed bits of shape
            (texts, dimension / 8); and the number of tokens of all texts, prompts included.

        Raises:
            ArgumentError: An argument is wrong, or a text is too long.
            NotImplementedError: The dtype is only available at the API, whose scaling is not
                documented.
        """
        check_value("EmbeddingsRequest", "input_type", input_type)
        dtype = self._dtype(output_dtype)
        dimension = self.config.validate_dimension(output_dimension)
        methods = {"query": self.model.encode_query, "document": self.model.encode_document}
        method = methods[input_type] if input_type else self.model.encode
        with self._lock:
            tokens = self._tokens(texts, input_type)
            longest = max(tokens, default=0)
            if not truncation and longest > self.config.max_tokens:
                place = tokens.index(longest)
                raise ArgumentError(
                    f"texts[{place}] has {longest:,} tokens with its prompt, but {self._name} "
                    f"reads {self.config.max_tokens:,}; shorten it or pass truncation=True",
                    f"texts[{place}]",
                )
            rows = method(texts, normalize_embeddings=True, show_progress_bar=False)
        vectors = truncate(require("numpy", "numpy").asarray(rows, "float32"), dimension)
        packed = DTYPES[dtype].dimensions_per_number > 1
        return pack(vectors, dtype) if packed else vectors, self._total(tokens, truncation)

    def count_tokens(
        self, texts: list[str], input_type: InputType | str | None = None, truncation: bool = True
    ) -> int:
        """Count the tokens of texts with their prompts, truncated if `truncation`."""
        with self._lock:
            tokens = self._tokens(texts, input_type)
        return self._total(tokens, truncation)

    def _load(self, sentence_transformer: Any) -> Any:
        trusted = self.config.trust_remote_code or local.trust_remote_code
        name = self.config.huggingface_id
        try:
            model = sentence_transformer(name, trust_remote_code=trusted, device=self.device)
        except ValueError as error:
            # Both libraries name the argument in this case, but have no exception class for it.
            if trusted or "trust_remote_code" not in str(error):
                raise
            raise ArgumentError(
                f"{self._name} comes with code of its own ({name} on the Hugging Face Hub). To "
                "run it, read the code and set voyageai.local.trust_remote_code = True",
                "trust_remote_code",
            ) from error
        model.max_seq_length = self.config.max_tokens
        return model

    def _dtype(self, dtype: str | None) -> OutputDtype:
        supported = self.config.supported_precisions
        if dtype not in supported and dtype in (
            constraint("EmbeddingsRequest", "output_dtype").values or ()
        ):
            raise NotImplementedError(
                f"output_dtype={dtype!r} is not available locally, as the API's scaling to it is "
                f"not documented; use one of {supported}"
            )
        return canonical(self.config.validate_precision(dtype))

    def _tokens(self, texts: Sequence[str], input_type: InputType | str | None) -> list[int]:
        prompt = self.model.prompts.get(input_type) or ""
        full = [prompt + text for text in texts]
        encoded = self.model.tokenizer(full, truncation=False, verbose=False)
        return [len(tokens) for tokens in encoded["input_ids"]]

    def _total(self, tokens: Sequence[int], truncation: bool) -> int:
        limit = self.config.max_tokens
        return sum(min(count, limit) if truncation else count for count in tokens)
