"""The base class of all results, and functions that read responses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from voyageai_rest.errors import ShapeError

from ..html import card
from ..prices import cost, dollars, list_price

if TYPE_CHECKING:
    from voyageai_rest.models import (
        ChunkEmbedding,
        ContextualizedEmbeddingsResponse,
        DocumentEmbeddings,
        Embedding,
        EmbeddingsResponse,
        MultimodalEmbeddingsResponse,
        RerankResponse,
    )

    Response = (
        EmbeddingsResponse
        | ContextualizedEmbeddingsResponse
        | MultimodalEmbeddingsResponse
        | RerankResponse
    )
    Entry = Embedding | DocumentEmbeddings | ChunkEmbedding

T = TypeVar("T")
E = TypeVar("E", bound="Entry")


def optional_field(read: Callable[[], T]) -> T | None:
    """Return an optional field of a response, or None if a hand-made response lacks it."""
    try:
        return read()
    except AttributeError:
        return None


def count_of(count: int, noun: str) -> str:
    """Return a number with its noun, such as `1 document` or `2 documents`."""
    return f"{count} {noun}{'s' * (count != 1)}"


def in_input_order(data: Sequence[E], expected: int | None, path: str = "data") -> list[E]:
    """Return the entries of a response in the order of their inputs.

    Args:
        data: The entries, in any order.
        expected: Number of entries; None for any number.
        path: Path of the entries in the response, for errors.

    Raises:
        ShapeError: The number of entries is wrong, or an index is out of range or occurs twice.
    """
    if expected is not None and len(data) != expected:
        raise ShapeError(f"expected {expected} entries, found {len(data)}", path)
    try:
        indexes = [entry.index for entry in data]
    except AttributeError:  # hand-made entries of users' tests may have no index
        return list(data)
    if callable(indexes[0] if indexes else None):  # hand-made tuples have a method of this name
        return list(data)
    if indexes == list(range(len(data))):
        return list(data)
    ordered: list[E | None] = [None] * len(data)
    for entry, index in zip(data, indexes, strict=True):
        if not 0 <= index < len(data):
            raise ShapeError(
                f"index {index} does not belong to any input; there are {len(data)}", path
            )
        if ordered[index] is not None:
            raise ShapeError(f"index {index} appears twice", path)
        ordered[index] = entry
    return [entry for entry in ordered if entry is not None]


class Result:
    """The base class of all results: usage, model, request id, and comparison."""

    # Class attributes, so that results pickled by the official client have them too.
    total_tokens: int = 0
    model: str | None = None
    request_id: str | None = None
    usage: Any = None

    def _account(self, response: Response) -> None:
        self.usage = response.usage
        self.total_tokens += response.usage.total_tokens
        try:
            model = response.model
        except AttributeError:  # a hand-made response
            return
        if isinstance(model, str):  # optional in the contract
            self.model = model

    def _cost(self) -> float | None:
        """Return the cost of the billed tokens at the list price; None if the price is unknown."""
        return cost(list_price(self.model), self.total_tokens)

    def _card(self, facts: Mapping[str, object], body: str = "") -> str:
        """Return the HTML that notebooks show."""
        price = self._cost()
        known = {
            **facts,
            "model": self.model,
            "tokens": f"{self.total_tokens:,}",
            "list price": None if price is None else dollars(price),
        }
        return card(type(self).__name__, known, body)

    def _origin(self) -> str:
        return f"model={self.model!r}, total_tokens={self.total_tokens}"

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._content() == other._content()

    __hash__ = None  # type: ignore[assignment]  # results can be changed

    def _content(self) -> tuple[Any, ...]:
        raise NotImplementedError("a subclass returns the values that it is compared by")
