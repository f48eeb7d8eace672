"""Tokens of requests before they are sent: estimates, how answers correct them, what fits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import ceil

from voyageai_rest.catalogue import MODELS, TOKENIZATION

from ..limits import constraint, known

MEMORY = 16
"""About so many answers count."""
FIRST_SPREAD = 1 / 3
MAX_RATIO = 32.0
"""Up to so many times the estimate is believed: short words after a long prompt, say."""
LEAST_TOKENS = min(model.max_request_tokens or 1_000_000 for model in MODELS.values())
"""Tokens of a request of a model that is not in the catalogue."""
MARGIN = 2
"""Factor by which an estimate of tokens may be exceeded before a request has too many."""


def estimate_tokens(texts: Iterable[str]) -> int:
    """Estimate the tokens of texts from their characters.

    Letters outside ASCII make more tokens, about as the bytes of UTF-8 grow: a letter of two
    bytes counts as three characters, a Chinese or Japanese one, of three bytes, as five.

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
    # Each text has its last, incomplete token.
    return int(characters / TOKENIZATION.characters_per_token) + count


def estimate_rerank_tokens(query: str, documents: Sequence[str]) -> int:
    """Estimate the tokens of a reranking, in which the query counts once for each document."""
    return estimate_tokens([query]) * len(documents) + estimate_tokens(documents)


def estimate_media_tokens(model: str, images: int, videos: int) -> int:
    """Return the most tokens that pictures and videos can be, without a look at them.

    Args:
        model: The model, as its tokens have their own sizes.
        images: Number of images.
        videos: Number of videos; each can fill the context.
    """
    entry = known(model)
    pixels = entry and entry.pixels
    context = (entry and entry.context_length) or 0
    image = context
    if pixels and pixels.image_max and pixels.image_per_token:
        image = ceil(pixels.image_max / pixels.image_per_token)
    return images * image + videos * context


def packed(texts: Iterable[str], model: str) -> Iterator[list[str]]:
    """Yield texts, in order, in lists that each fit a request.

    A text that is too long by itself has a request of its own: the server cuts it.

    Args:
        texts: The texts.
        model: The model that they are for.
    """
    entry = known(model)
    most_tokens = ((entry and entry.max_request_tokens) or LEAST_TOKENS) // MARGIN
    most = constraint("EmbeddingsRequest", "input").max_items
    request: list[str] = []
    tokens = 0
    for text in texts:
        size = estimate_tokens([text])
        if request and (len(request) == most or tokens + size > most_tokens):
            yield request
            request, tokens = [], 0
        request.append(text)
        tokens += size
    if request:
        yield request


class TokenRatio:
    """Tokens that were used per token estimated, on average, and how far off that is.

    Later answers count for more than earlier ones, and large requests for more than small ones.
    An answer that says something odd is taken for the nearest thing that is not.
    """

    def __init__(self) -> None:
        # Estimated, used, and how far off. One tuple, so that no exception leaves half a change.
        self._sums = (0.0, 0.0, 0.0)

    @property
    def mean(self) -> float:
        """The factor for estimates."""
        estimated, used, _ = self._sums
        return used / estimated if estimated else 1.0

    @property
    def bound(self) -> float:
        """The factor that makes estimates rather too high; 2 before any answer."""
        estimated, _, errors = self._sums
        spread = errors / estimated if estimated else FIRST_SPREAD
        return self.mean + 3 * spread

    def learn(self, estimated: int, used: int) -> None:
        """Learn how many tokens a request used."""
        estimated = max(estimated, 1)
        learned = min(max(used, estimated / MAX_RATIO), estimated * MAX_RATIO)
        first = (float(estimated), float(estimated), estimated * FIRST_SPREAD)
        before = self._sums if self._sums[0] else first
        error = abs(learned - self.mean * estimated)
        keep = 1 - 1 / MEMORY
        self._sums = (
            keep * before[0] + estimated,
            keep * before[1] + learned,
            keep * before[2] + error,
        )
