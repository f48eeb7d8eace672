"""Tokens of a request before it is sent: estimates, and what answers teach about them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import ceil

from voyageai_rest.catalogue import TOKENIZATION

from ..limits import known

MEMORY = 16  # about as many answers count
FIRST_SPREAD = 1 / 3


def estimate_tokens(texts: Iterable[str]) -> int:
    """Tokens of texts, from their characters.

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
    """Tokens of a reranking: the query counts once for each document."""
    return estimate_tokens([query]) * len(documents) + estimate_tokens(documents)


def estimate_media_tokens(model: str, images: int, videos: int) -> int:
    """Tokens of pictures that nobody looked at: the most that they can be.

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


class Ratio:
    """Tokens that were used per token estimated, on average, and how far off that is.

    Later answers count for more than earlier ones, and large requests for more than small ones.
    """

    def __init__(self) -> None:
        self._estimated = 0.0
        self._used = 0.0
        self._errors = 0.0

    @property
    def mean(self) -> float:
        """What estimates are multiplied by."""
        return self._used / self._estimated if self._estimated else 1.0

    @property
    def bound(self) -> float:
        """What estimates are multiplied by to be rather too high; twice, before any answer."""
        spread = self._errors / self._estimated if self._estimated else FIRST_SPREAD
        return self.mean + 3 * spread

    def learn(self, estimated: int, used: int) -> None:
        """An answer says how many tokens a request used."""
        estimated = max(estimated, 1)
        if not self._estimated:
            self._estimated = self._used = float(estimated)
            self._errors = estimated * FIRST_SPREAD
        error = abs(used - self.mean * estimated)
        keep = 1 - 1 / MEMORY
        self._estimated = keep * self._estimated + estimated
        self._used = keep * self._used + used
        self._errors = keep * self._errors + error
