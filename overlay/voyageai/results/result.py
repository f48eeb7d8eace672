"""The base of all results."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from ..html import card
from ..prices import cost, dollars, list_price

if TYPE_CHECKING:
    from voyageai_rest.models import (
        ContextualizedEmbeddingsResponse,
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

T = TypeVar("T")


def told(read: Callable[[], T]) -> T | None:
    """Return a field that answers may leave out, or None of a response made without it."""
    try:
        return read()
    except AttributeError:
        return None


def counted(count: int, noun: str) -> str:
    """Return a number of things, such as `1 document` or `2 documents`."""
    return f"{count} {noun}{'s' * (count != 1)}"


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
