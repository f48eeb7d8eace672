"""Limits of responses, beyond which a body is not read, parsed or believed.

They are several times as large as any correct response and guard against broken and hostile
servers.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen
from voyageai_rest.errors import ShapeError

from .argument_checks import catalogue_entry

ERROR_SIZE = 1 << 20
"""Bytes of an error's body that are read; the rest is discarded."""
SLACK = 1 << 16
"""Bytes of a response in addition to its entries."""
ENTRY = 1024
"""Bytes of an entry of a response, without its numbers and texts."""
NUMBER = 28
"""Bytes of a number in JSON, for gateways that do not write vectors in base64."""
CHARACTER = 12
"""Most bytes of a character in a JSON string: two `\\uXXXX` escapes."""
UNKNOWN_DIMENSION = 1 << 14
"""Most numbers in a vector of a model that is not in the catalogue."""
UNKNOWN_TOKENS = 1 << 20
"""Most tokens in an input of such a model, or of one whose context length is unknown."""
BYTES_PER_CHARACTER = 4
PROMPT = 256
"""Most tokens that a model adds to a text: its prompt and its special tokens."""
REPEATED = 1024
"""Most times that a text of a batch line is billed: a query is, once for each document."""
BYTES_PER_COMMA = 8
PARSED_AT_ONCE = 1 << 18
"""Bytes of JSON that parse quickly, whatever they hold."""


@frozen(kw_only=True)
class ResponseLimits:
    """The limits of a correct response to a call.

    Attributes:
        size: Bytes of the body, before and after decompression.
        values: Objects and lists in the JSON; None for no limit.
        commas: Commas in the JSON, as an upper bound of its numbers and strings.
        tokens: Tokens that can be billed; None where the call is not billed.
    """

    size: int = 1 << 24
    values: int | None = 1 << 19
    commas: int = 1 << 20
    tokens: int | None = None

    def check(self, content: bytes) -> None:
        """Raise if JSON would take much longer to parse than a correct response.

        Raises:
            ShapeError: `content` holds more objects, lists, numbers or strings than the limits.
        """
        if self.values is None or len(content) <= PARSED_AT_ONCE:
            return
        # Each vector in base64 has few commas and many bytes: such a body is not searched.
        if len(content) > BYTES_PER_COMMA * self.commas and content.count(b",") > self.commas:
            raise ShapeError(
                f"more than {self.commas:,} numbers or strings, the most that a right answer to "
                "this request has"
            )
        for mark in (b"{", b"["):
            place = -1
            # Much faster than bytes.count where there are few; stops as soon as there are too many.
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
        """Raise if the request can't have used a number of tokens.

        Raises:
            ShapeError: `tokens` is below 0 or above the limit.
        """
        if self.tokens is not None and not 0 <= tokens <= self.tokens:
            shown = f"{tokens:,}" if abs(tokens) < 10**18 else "a number of more than 18 digits"
            raise ShapeError(
                f"expected from 0 to {self.tokens:,} tokens, the most that this request can have, "
                f"found {shown}",
                "usage.total_tokens",
            )


def response_limits_for_line(rows: Sequence[object]) -> ResponseLimits:
    """Return the limits of the response to one line of a batch, as far as tokens go.

    Args:
        rows: The rows of the line, as JSON values.
    """
    characters = sum(len(str(row)) for row in rows)
    return ResponseLimits(tokens=(BYTES_PER_CHARACTER * characters + PROMPT) * REPEATED)


def response_limits_for_vectors(
    model: str,
    dimension: int | None,
    rows: int,
    texts: Sequence[str],
    *,
    media: bool = False,
    echoed: int = 0,
) -> ResponseLimits:
    """Return the limits of a response with vectors.

    Args:
        model: Name of the model.
        dimension: The dimension of the request; None for the model's largest.
        rows: Most vectors in the response.
        texts: All texts of the request.
        media: True if inputs hold images or videos, whose tokens texts do not bound.
        echoed: Most times that a text may appear in the response.
    """
    entry = catalogue_entry(model)
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


def response_limits_for_scores(query: str, documents: Sequence[str]) -> ResponseLimits:
    """Return the limits of a reranking, with or without the texts of the documents.

    Args:
        query: The query, which is billed once for each document.
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
