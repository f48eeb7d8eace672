"""Texts packed into as few requests as the contract allows."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from voyageai_rest import catalogue
from voyageai_rest.constraints import CONSTRAINTS


@dataclass(frozen=True, slots=True)
class Limits:
    """Capacity of one request; None where no limit is known."""

    texts: int | None
    tokens: int | None

    @classmethod
    def of(cls, model: str) -> "Limits":
        """Return the limits of a request to embed texts with `model`."""
        return cls(
            texts=CONSTRAINTS["EmbeddingsRequest"]["input"].max_items,
            tokens=catalogue.find(model).max_request_tokens,
        )

    def allow(self, texts: int, tokens: int) -> bool:
        """Return whether these numbers of texts and tokens fit in a request."""
        return (self.texts is None or texts <= self.texts) and (
            self.tokens is None or tokens <= self.tokens
        )


def estimated_tokens(text: str) -> int:
    """Return more tokens than `text` is likely to have: one for every two bytes.

    English has four or five bytes per token, code and tables about three. A tokenizer would count
    exactly, but needs an extra, and an additional request costs nothing.
    """
    return len(text.encode()) // 2 + 1


def packed(texts: Iterable[str], limits: Limits) -> Iterator[list[str]]:
    """Yield `texts`, in order, as lists that each fit one request.

    A text that is too long gets a separate request: the server truncates it to the context length.
    """
    request: list[str] = []
    tokens = 0
    for text in texts:
        size = estimated_tokens(text)
        if request and not limits.allow(len(request) + 1, tokens + size):
            yield request
            request, tokens = [], 0
        request.append(text)
        tokens += size
    if request:
        yield request
