"""The base of all results, and what they read answers with."""

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


def told(read: Callable[[], T]) -> T | None:
    """Return a field that answers may leave out, or None of a response made without it."""
    try:
        return read()
    except AttributeError:
        return None


def counted(count: int, noun: str) -> str:
    """Return a number of things, such as `1 document` or `2 documents`."""
    return f"{count} {noun}{'s' * (count != 1)}"


def placed(data: Sequence[E], expected: int | None, path: str = "data") -> list[E]:
    """Return the entries of an answer in the order of their inputs.

    Args:
        data: The entries, in any order.
        expected: How many there must be; None for any number.
        path: Their path in the answer, for errors.

    Raises:
        ShapeError: An entry is missing, there twice, or of no input.
    """
    if expected is not None and len(data) != expected:
        raise ShapeError(f"expected {expected} entries, found {len(data)}", path)
    try:
        indexes = [entry.index for entry in data]
    except AttributeError:  # entries that tests make by hand may have none
        return list(data)
    if callable(indexes[0] if indexes else None):  # of a tuple, made by hand too, it is a method
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
    """The base of all results: what was billed, by which model, and how they are compared."""

    # Of the class, so that what the official client pickled has them too.
    total_tokens: int = 0
    model: str | None = None
    request_id: str | None = None
    usage: Any = None

    def _account(self, response: Response) -> None:
        self.usage = response.usage
        self.total_tokens += response.usage.total_tokens
        try:
            model = response.model
        except AttributeError:  # a response that somebody made without it
            return
        if isinstance(model, str):  # which the contract lets an answer leave out
            self.model = model

    def _cost(self) -> float | None:
        """Return the list price of what was billed; None if it is not known."""
        return cost(list_price(self.model), self.total_tokens)

    def _card(self, facts: Mapping[str, object], body: str = "") -> str:
        """Return what notebooks show."""
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
        raise NotImplementedError("each result says what it is compared by")
