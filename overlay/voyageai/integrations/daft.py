"""Embedding in Daft: `daft.functions.embed_text(..., provider=VoyageProvider())`."""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING, Any, Literal, Unpack

from .._utils import safe_repr
from ..error import ArgumentError
from ..extras import require
from ..options import unexpected
from ..ratelimit import RateLimiter
from ..tables import AsyncEmbedder

if TYPE_CHECKING:
    # Type checkers find Daft's classes where Daft is installed; in this project they are Any.
    from daft.ai.protocols import TextEmbedderDescriptor  # type: ignore[import-not-found]  # pyright: ignore[reportMissingImports, reportUnknownVariableType]
    from daft.ai.provider import Provider  # type: ignore[import-not-found]  # pyright: ignore[reportMissingImports, reportUnknownVariableType]
    from voyageai_rest.models import InputType, OutputDtype

    from .._base import ClientOptions
else:
    TextEmbedderDescriptor = require("daft.ai.protocols", "daft").TextEmbedderDescriptor
    Provider = require("daft.ai.provider", "daft").Provider

__all__ = ["VoyageProvider"]

OnError = Literal["raise", "log", "ignore"]
NAME = "voyageai"
TEXT, VECTOR, ERROR = "text", "embedding", "error"
ROWS = 1000
"""Rows per batch from Daft: at most those of a request."""
OPTIONS = ("input_type", "truncation", "output_dtype", "batch_size", "on_error", "max_retries")
"""Options that `embed_text` passes on, beside the model and the dimensions."""
LOGGER = logging.getLogger("voyageai")


class VoyageProvider(Provider):  # type: ignore[misc]  # pyright: ignore[reportUntypedBaseClass]  # as above
    """Voyage AI's models for `daft.functions.embed_text`, on the native runner and on Ray.

    Each process of Daft makes a client from its own environment, so no key is sent unless it is
    given here. The client, not Daft, packs requests by tokens, waits for the rate limit and
    retries. A null gets a null, and a failing row never affects others.

    `embed_text` passes on `input_type`, `truncation`, `output_dtype`, `max_retries`, `batch_size`
    (1,000 by default) and `on_error`: `raise` ends the query at a row without a vector, `ignore`
    gives it a null, and `log` also logs the reason as a warning of the logger `voyageai`.

    Args:
        name: Name of the provider in a Daft session.
        input_type, truncation, output_dtype: As in `Client.embed`; defaults for `embed_text`.
        share: Share of the rate limit that each process may use, such as 1/8 on eight machines;
            needs `rate_limit`. Not for a `voyageai.integrations.ray.RateBudget`, which is shared
            already.
        concurrency: Most requests in flight per process.
        client: Arguments of the client, such as `rate_limit` or `base_url`.

    Raises:
        ArgumentError: An argument is wrong.
        ImportError: Daft is not installed.

    Example:
        >>> import daft
        >>> from daft.functions import embed_text
        >>> provider = VoyageProvider(input_type="document", rate_limit=1)
        >>> vectors = embed_text(daft.col("body"), provider=provider, model="voyage-4")
        >>> frame = daft.from_pydict({"body": ["It rains.", None]}).with_column("v", vectors)
        >>> frame.where(daft.col("v").is_null()).count_rows()
        1
    """

    def __init__(
        self,
        name: str = NAME,
        *,
        input_type: InputType | str | None = None,
        truncation: bool | None = True,
        output_dtype: OutputDtype | str | None = None,
        share: float | None = None,
        concurrency: int = 16,
        **client: Unpack[ClientOptions],
    ) -> None:
        if type(concurrency) is not int or concurrency < 1:
            raise ArgumentError(
                f"concurrency must be a whole number from 1, not {concurrency!r}", "concurrency"
            )
        limiter = RateLimiter.of(client.get("rate_limit"))
        if limiter is None and share is not None:
            raise ArgumentError("share needs rate_limit, which is not given", "share")
        if limiter is not None:  # one for all columns of this process
            client["rate_limit"] = limiter if share is None else limiter.shared(share)
        self._name, self._concurrency, self._client = name, concurrency, client
        self._fields: dict[str, Any] = {
            "input_type": input_type,
            "truncation": truncation,
            "output_dtype": output_dtype,
        }

    @property
    def name(self) -> str:
        """Name of the provider in a Daft session."""
        return self._name

    def get_text_embedder(
        self, model: str | None = None, dimensions: int | None = None, **options: Any
    ) -> Any:
        """Return the descriptor of an embedder, as called by `embed_text`.

        Args:
            model: Name of a text embedding model.
            dimensions: Dimension of the vectors; None for the model's default.
            options: As in `embed_text`.

        Raises:
            ArgumentError: The model is unknown, does not have the dimension, or an option is wrong.
            TypeError: An option is unknown.
        """
        for name in options:
            if name not in OPTIONS:
                raise unexpected("embed_text", name, OPTIONS)
        if model is None:
            raise ArgumentError("embed_text needs a model, such as 'voyage-4'", "model")
        batch_size = options.pop("batch_size", ROWS)
        if type(batch_size) is not int or batch_size < 1:
            raise ArgumentError(
                f"batch_size must be a whole number from 1, not {batch_size!r}", "batch_size"
            )
        on_error: OnError = options.pop("on_error", "raise")
        if on_error not in ("raise", "log", "ignore"):
            raise ArgumentError(
                f"on_error must be 'raise', 'log' or 'ignore', not {on_error!r}", "on_error"
            )
        arguments: dict[str, Any] = {**self._fields, **self._client, **options}
        try:
            embedder = AsyncEmbedder(
                TEXT,
                model=model,
                output_dimension=dimensions,
                column=VECTOR,
                on_error="raise" if on_error == "raise" else "column",
                error_column=ERROR,
                concurrency=self._concurrency,
                **arguments,
            )
        except ArgumentError as failure:
            message = str(failure).replace("output_dimension", "dimensions")
            argument = failure.argument
            raise ArgumentError(
                message, "dimensions" if argument == "output_dimension" else argument
            ) from None
        return _TextEmbedderDescriptor(self._name, embedder, on_error, batch_size)

    @safe_repr
    def __repr__(self) -> str:
        return f"VoyageProvider({self._name!r})"


class _TextEmbedderDescriptor(TextEmbedderDescriptor):  # type: ignore[misc]  # pyright: ignore[reportUntypedBaseClass]  # as above
    """The description that Daft sends to its workers, which instantiate an embedder from it."""

    def __init__(
        self, provider: str, embedder: AsyncEmbedder, on_error: OnError, batch_size: int
    ) -> None:
        self._provider, self._embedder = provider, embedder
        self._on_error: OnError = on_error
        self._batch_size = batch_size

    def get_provider(self) -> str:
        return self._provider

    def get_model(self) -> str:
        return self._embedder.model

    def get_options(self) -> dict[str, Any]:
        return {"on_error": self._on_error, "batch_size": self._batch_size}

    def get_dimensions(self) -> Any:
        """Return the dimension and the number type of the vectors."""
        pa, daft = require("pyarrow", "daft"), require("daft", "daft")
        vectors = self._embedder.schema(pa.schema([(TEXT, pa.string())])).field(VECTOR).type
        dtype = daft.DataType.from_arrow_type(vectors.value_type)
        typing = require("daft.ai.typing", "daft")
        return typing.EmbeddingDimensions(size=vectors.list_size, dtype=dtype)

    def get_udf_options(self) -> Any:
        """Return options with which Daft neither retries nor nulls batches: the embedder does."""
        typing = require("daft.ai.typing", "daft")
        return typing.UDFOptions(max_retries=0, on_error="raise", batch_size=self._batch_size)

    def is_async(self) -> bool:
        return True

    def instantiate(self) -> _TextEmbedder:
        return _TextEmbedder(self._embedder, self._on_error)


class _TextEmbedder:
    """Embeds the texts of a batch on Daft's event loop."""

    def __init__(self, embedder: AsyncEmbedder, on_error: OnError) -> None:
        self._embedder, self._on_error = embedder, on_error

    async def embed_text(self, text: list[str | None]) -> Any:
        """Return an Arrow array of vectors, which Daft uses without conversion to lists."""
        pa = require("pyarrow", "daft")
        texts = pa.array(text, pa.large_string())
        batch: Any = await self._embedder(pa.record_batch([texts], [TEXT]))
        if self._on_error == "log":
            errors: list[str | None] = batch.column(ERROR).to_pylist()
            for reason, rows in Counter(filter(None, errors)).items():
                LOGGER.warning("%d of %d rows have no vector: %s", rows, len(text), reason)
        return batch.column(VECTOR)
