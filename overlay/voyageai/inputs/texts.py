"""Checks of lists of texts, and their place in a request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from voyageai_rest.catalogue import MODELS
from voyageai_rest.constraints import Constraint

from ..error import ArgumentError
from ..limits import constraint, known
from ..ratelimit.tokens import estimate_tokens

LEAST_TOKENS = min(model.max_request_tokens or 1_000_000 for model in MODELS.values())
"""Tokens of a request of a model that is not in the catalogue."""
MARGIN = 2
"""Factor by which an estimate of tokens may be exceeded before a request has too many."""


def check_text(value: object, argument: str, bounds: Constraint) -> str:
    """Return a text as it is.

    Raises:
        ArgumentError: It is not a string, or it is empty where that is refused.
    """
    if not isinstance(value, str):
        raise ArgumentError(f"{argument} must be a string, not {_kind(value)}", argument)
    if bounds.min_length and len(value) < bounds.min_length:
        raise ArgumentError(f"{argument} is empty; leave it out or give it a text", argument)
    return value


def check_texts(values: object, argument: str, bounds: Constraint) -> list[str]:
    """Return a list of texts.

    Args:
        values: A list, tuple or other sequence of strings.
        argument: Name of the argument, for errors.
        bounds: The contract's bounds.

    Raises:
        ArgumentError: It is something else, too short or too long, or one of its items is not a
            usable text; says which.
    """
    items = check_list(values, argument, bounds, "strings")
    item_bounds = bounds.item or Constraint()
    shortest = item_bounds.min_length or 0
    for place, item in enumerate(items):
        if type(item) is not str or len(item) < shortest:
            check_text(item, f"{argument}[{place}]", item_bounds)
    return items


def check_list(values: object, argument: str, bounds: Constraint, what: str) -> list[Any]:
    """Return a sequence as a list, if the contract allows its length.

    Raises:
        ArgumentError: It is not a list, or too short or too long.
    """
    if not isinstance(values, Sequence) or isinstance(values, (str, bytes, bytearray)):
        hint = f"; wrap it in a list: [{argument}]" if isinstance(values, str) else ""
        if hasattr(values, "__iter__") and not hint:
            hint = f"; make it one: list({argument})"
        raise ArgumentError(
            f"{argument} must be a list of {what}, not {_kind(values)}{hint}", argument
        )
    count = len(values)  # pyright: ignore[reportUnknownArgumentType]  # items are looked at later
    if bounds.min_items and count < bounds.min_items:
        raise ArgumentError(f"{argument} is empty; it needs at least {bounds.min_items}", argument)
    if bounds.max_items and count > bounds.max_items:
        raise ArgumentError(
            f"{argument} has {count:,} items, but a request takes at most {bounds.max_items:,}; "
            "split it into several calls",
            argument,
        )
    return list(values)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]  # as above


def _kind(value: object) -> str:
    return "None" if value is None else f"of type {type(value).__name__}"


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
