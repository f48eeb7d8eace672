"""Limits of responses: what exceeds them is not read, parsed or believed.

Each is several times what a right response has: they guard against broken and hostile servers.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen
from voyageai_rest.errors import ShapeError

from .limits import known

ERROR_SIZE = 1 << 20
"""Bytes of the body of an error that are read; the rest is left."""
SLACK = 1 << 16
ENTRY = 1024
"""Bytes of an entry of an answer, beside its numbers and texts."""
NUMBER = 28
"""Bytes of a number in JSON, of a gateway that does not write vectors in base64."""
CHARACTER = 12
"""Bytes of a character of a text in JSON, at most: two escapes of six."""
UNKNOWN_DIMENSION = 1 << 14
"""Numbers of a vector of a model that the catalogue does not know."""
UNKNOWN_TOKENS = 1 << 20
"""Tokens of an input of such a model, or of one whose context length is unknown."""
BYTES_PER_CHARACTER = 4
PROMPT = 256
"""Tokens that a model puts around a text, at most: its prompt and its special tokens."""
REPEATED = 1024
"""The most often that a text of a line counts: a query does with each of its documents."""
BYTES_PER_COMMA = 8
PARSED_AT_ONCE = 1 << 18
"""Bytes of JSON that make no trouble, whatever they hold."""


@frozen(kw_only=True)
class ResponseLimits:
    """The limits of a right response to a call.

    Attributes:
        size: Bytes of its body, decompressed or not.
        values: Objects and lists in its JSON; None for any number.
        commas: Commas in its JSON, each of which may stand before a number or a string.
        tokens: Tokens it can be billed for; None where an answer is not billed.
    """

    size: int = 1 << 24
    values: int | None = 1 << 19
    commas: int = 1 << 20
    tokens: int | None = None

    def check(self, content: bytes) -> None:
        """Refuse JSON that would take much longer to parse than a right answer does.

        Raises:
            ShapeError: It holds more objects, lists or numbers than an answer can have.
        """
        if self.values is None or len(content) <= PARSED_AT_ONCE:
            return
        # Vectors in base64 are shorter than this, and need not be looked through.
        if len(content) > BYTES_PER_COMMA * self.commas and content.count(b",") > self.commas:
            raise ShapeError(
                f"more than {self.commas:,} numbers or strings, the most that a right answer to "
                "this request has"
            )
        for mark in (b"{", b"["):
            place = -1
            # Much quicker than bytes.count where there are few, and never more steps than allowed.
            for _ in range(self.values + 1):
                place = content.find(mark, place + 1)
                if place < 0:
                    break
            else:
                raise ShapeError(
                    f"more than {self.values:,} objects or lists, the most that a right answer to "
                    "this request has"
                )

    def check_tokens(self, tokens: int) -> None:
        """Refuse a count of tokens that the request can't have cost.

        Raises:
            ShapeError: It is below 0, or more than the request can have.
        """
        if self.tokens is not None and not 0 <= tokens <= self.tokens:
            shown = f"{tokens:,}" if abs(tokens) < 10**18 else "a number of more than 18 digits"
            raise ShapeError(
                f"expected from 0 to {self.tokens:,} tokens, the most that this request can have, "
                f"found {shown}",
                "usage.total_tokens",
            )


def of_line(rows: Sequence[object]) -> ResponseLimits:
    """Return the limits of what the response to a line of a batch can be billed for.

    Args:
        rows: Its rows, as JSON.
    """
    characters = sum(len(str(row)) for row in rows)
    return ResponseLimits(tokens=(BYTES_PER_CHARACTER * characters + PROMPT) * REPEATED)


def of_vectors(
    model: str,
    dimension: int | None,
    rows: int,
    texts: Sequence[str],
    *,
    media: bool = False,
    echoed: int = 0,
) -> ResponseLimits:
    """Return the limits of a response that holds vectors.

    Args:
        model: The model.
        dimension: The dimension that was asked for, if one was.
        rows: How many vectors there can be.
        texts: All texts of the request.
        media: Whether inputs hold pictures or videos, which texts don't bound.
        echoed: How often a text may stand in the answer.
    """
    entry = known(model)
    dimensions = entry.dimensions if entry else None
    numbers = dimension or (max(dimensions.allowed) if dimensions else UNKNOWN_DIMENSION)
    characters = sum(map(len, texts))
    tokens = BYTES_PER_CHARACTER * characters + PROMPT * (rows + 4)
    if media:
        tokens += rows * 2 * ((entry and entry.context_length) or UNKNOWN_TOKENS)
    return ResponseLimits(
        size=SLACK + rows * (ENTRY + numbers * NUMBER) + echoed * CHARACTER * characters,
        values=ENTRY + 8 * rows,
        commas=ENTRY + rows * (numbers + 16) + echoed * characters,
        tokens=tokens,
    )


def of_scores(query: str, documents: Sequence[str]) -> ResponseLimits:
    """Return the limits of a response that ranks documents, with or without their texts.

    Args:
        query: The query, whose tokens count with each document.
        documents: The documents.
    """
    characters = sum(map(len, documents))
    return ResponseLimits(
        size=SLACK + len(documents) * ENTRY + CHARACTER * characters,
        values=ENTRY + 8 * len(documents),
        commas=ENTRY + 16 * len(documents) + characters,
        tokens=BYTES_PER_CHARACTER * (characters + len(query) * (len(documents) + 1))
        + PROMPT * (len(documents) + 4),
    )
