"""Vectors of texts, and of texts and media."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, cast

from voyageai_rest.errors import ShapeError

from .._utils import safe_repr
from ..argument_checks import catalogue_entry
from ..prices import cost
from ..vectors import DEFAULT, Vectors
from .result import Result, in_input_order, optional_field
from .vectored import Vectored

if TYPE_CHECKING:
    from voyageai_rest.models import (
        EmbeddingsResponse,
        MultimodalEmbeddingsResponse,
        MultimodalUsage,
        OutputDtype,
    )
    from voyageai_rest.types import Unset

    from .result import Response

BILLION = 1_000_000_000


class EmbeddingsObject(Vectored, Result):
    """Vectors of texts.

    Attributes:
        embeddings: One list of numbers per text, in the order of the texts.
        total_tokens: Tokens of all texts.
        model: Name of the model that produced the response.
        output_dtype: The dtype of the request.
        usage: The usage that the request is billed for.
        request_id: The server's id of the request.

    Example:
        >>> result = vo.embed(["a", "b"], model="voyage-4")
        >>> len(result), len(result.embeddings[0])
        (2, 1024)
    """

    def __init__(
        self,
        response: EmbeddingsResponse | MultimodalEmbeddingsResponse | None = None,
        *,
        dtype: OutputDtype | None = None,
        dimension: int | None = None,
        expected: int | None = None,
    ) -> None:
        if response:
            self.update(response, dtype=dtype, dimension=dimension, expected=expected)

    def update(
        self,
        response: EmbeddingsResponse | MultimodalEmbeddingsResponse,
        *,
        dtype: OutputDtype | None = None,
        dimension: int | None = None,
        expected: int | None = None,
    ) -> None:
        """Append the vectors of another response and add its tokens.

        Args:
            response: The response.
            dtype: The `output_dtype` of the request.
            dimension: The `output_dimension` of the request, if it has one.
            expected: Number of vectors in the response; None for any number.

        Raises:
            ShapeError: The response has another number of vectors, or malformed ones.
        """
        entries = in_input_order(response.data, expected)
        try:
            vectors = Vectors.decode([entry.embedding for entry in entries], dtype, dimension)
        except ShapeError as error:
            raise error.within("data") from None
        self._account(response)
        self.output_dtype = dtype or DEFAULT
        self._append(vectors)

    def __iter__(self) -> Iterator[list[float]]:
        return iter(self.embeddings)

    @safe_repr
    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._shape()}, {self._origin()})"

    def _repr_html_(self) -> str:
        facts = {"vectors": self._shape(), "dtype": self.output_dtype}
        return self._card(facts, self._heat_map())

    def _content(self) -> tuple[Any, ...]:
        return self.embeddings, self.total_tokens


class MultimodalEmbeddingsObject(EmbeddingsObject):
    """Vectors of multimodal inputs.

    Attributes:
        embeddings: One list of numbers per input, in the order of the inputs.
        text_tokens: Tokens of the texts.
        image_pixels: Pixels of the images.
        video_pixels: Pixels of the videos; 0 if the response has no such field.
        total_tokens: Tokens of texts, images and videos.
        model, usage, request_id: As in `EmbeddingsObject`.
    """

    def __init__(
        self,
        response: EmbeddingsResponse | MultimodalEmbeddingsResponse | None = None,
        *,
        dtype: OutputDtype | None = None,
        dimension: int | None = None,
        expected: int | None = None,
    ) -> None:
        self.text_tokens: int = 0
        self.image_pixels: int = 0
        self.video_pixels: int = 0
        super().__init__(response, dtype=dtype, dimension=dimension, expected=expected)

    def _cost(self) -> float | None:
        entry = None if self.model is None else catalogue_entry(self.model)
        pixels = self.image_pixels + self.video_pixels
        if entry is None or entry.price is None or not pixels:
            return super()._cost()
        per_pixel, texts = entry.price.usd_per_billion_pixels, self.text_tokens
        text_cost = cost(entry.price.usd_per_million_tokens, texts)
        if per_pixel is None or text_cost is None:
            return None
        return text_cost + per_pixel * pixels / BILLION

    def _account(self, response: Response) -> None:
        super()._account(response)
        usage = cast("MultimodalUsage", response.usage)
        self.text_tokens += _count(lambda: usage.text_tokens)
        self.image_pixels += _count(lambda: usage.image_pixels)
        self.video_pixels += _count(lambda: usage.video_pixels)


def _count(read: Callable[[], int | Unset]) -> int:
    return optional_field(read) or 0
