"""Estimates of the tokens of requests, their correction by responses, and packing into requests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import ceil

from voyageai_rest.catalogue import MODELS, TOKENIZATION

from ..argument_checks import catalogue_entry, constraint

MEMORY = 16
"""Number of recent responses that the ratio remembers, roughly."""
FIRST_SPREAD = 1 / 3
MAX_RATIO = 32.0
"""Largest ratio of used to estimated tokens that is believed, such as of short, rare words."""
MIN_REQUEST_TOKENS = min(model.max_request_tokens or 1_000_000 for model in MODELS.values())
"""Tokens of a request that any model of the catalogue takes; the limit of unknown models."""
MARGIN = 2
"""Factor by which tokens may exceed their estimate before a request has too many."""


def estimate_tokens(texts: Iterable[str]) -> int:
    """Estimate the tokens of texts from their characters.

    Characters outside ASCII make more tokens, roughly in proportion to their bytes in UTF-8: one of
    two bytes counts as three characters, a Chinese or Japanese one, of three bytes, as five.

    Args:
        texts: The texts.

    Example:
        >>> estimate_tokens(["What is a vector?", "向量是什么"])
        10
    """
    characters = count = 0
    for text in texts:
        count += 1
        if text.isascii():
            characters += len(text)
        else:
            characters += 2 * len(text.encode("utf-8", "surrogatepass")) - len(text)
    # One more for the incomplete last token of each text.
    return int(characters / TOKENIZATION.characters_per_token) + count


def estimate_rerank_tokens(query: str, documents: Sequence[str]) -> int:
    """Estimate the tokens of a reranking, in which the query counts once per document."""
    return estimate_tokens([query]) * len(documents) + estimate_tokens(documents)


def estimate_media_tokens(model: str, images: int, videos: int) -> int:
    """Return the most tokens that images and videos can have, without reading them.

    Args:
        model: Name of the model, which decides the pixels per token.
        images: Number of images.
        videos: Number of videos, each of which can fill the context.
    """
    entry = catalogue_entry(model)
    pixels = entry and entry.pixels
    context = (entry and entry.context_length) or 0
    image = context
    if pixels and pixels.image_max and pixels.image_per_token:
        image = ceil(pixels.image_max / pixels.image_per_token)
    return images * image + videos * context


def packed(texts: Iterable[str], model: str) -> Iterator[list[str]]:
    """Yield the texts, in order, in lists that each fit a request.

    A text that is too long by itself is yielded alone: the server truncates it.

    Args:
        texts: The texts.
        model: Name of the model.
    """
    entry = catalogue_entry(model)
    max_tokens = ((entry and entry.max_request_tokens) or MIN_REQUEST_TOKENS) // MARGIN
    max_texts = constraint("EmbeddingsRequest", "input").max_items
    request: list[str] = []
    tokens = 0
    for text in texts:
        size = estimate_tokens([text])
        if request and (len(request) == max_texts or tokens + size > max_tokens):
            yield request
            request, tokens = [], 0
        request.append(text)
        tokens += size
    if request:
        yield request


class TokenRatio:
    """The average ratio of used to estimated tokens, and its spread.

    Later responses weigh more than earlier ones, and large requests more than small ones. An
    implausible ratio is clamped to `MAX_RATIO` or its inverse.
    """

    def __init__(self) -> None:
        # Estimated tokens, used tokens, absolute errors. One tuple, so that changes are atomic.
        self._sums = (0.0, 0.0, 0.0)

    @property
    def mean(self) -> float:
        """The factor from estimated to expected tokens."""
        estimated, used, _ = self._sums
        return used / estimated if estimated else 1.0

    @property
    def bound(self) -> float:
        """The factor from estimated tokens to an upper bound; 2 before the first response."""
        estimated, _, errors = self._sums
        spread = errors / estimated if estimated else FIRST_SPREAD
        return self.mean + 3 * spread

    def learn(self, estimated: int, used: int) -> None:
        """Take the tokens that a request used into account."""
        estimated = max(estimated, 1)
        clamped = min(max(used, estimated / MAX_RATIO), estimated * MAX_RATIO)
        initial = (float(estimated), float(estimated), estimated * FIRST_SPREAD)
        before = self._sums if self._sums[0] else initial
        error = abs(clamped - self.mean * estimated)
        keep = 1 - 1 / MEMORY
        self._sums = (
            keep * before[0] + estimated,
            keep * before[1] + clamped,
            keep * before[2] + error,
        )
