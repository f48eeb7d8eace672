"""What `input_type` does to a text: the prompts that the server puts before it.

    >>> render("Where are the keys?", "query")
    'Represent the query for retrieving supporting documents: Where are the keys?'

Source: https://docs.voyageai.com/docs/embeddings and `spec/catalogue.yaml`.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from voyageai_rest.catalogue import PROMPTS, UnknownModelError, find

if TYPE_CHECKING:
    from voyageai_rest.models import InputType

DEFAULT: Final = "retrieval"
"""The set of prompts that all hosted embedding models with known prompts share."""


class DoublePromptWarning(UserWarning):
    """A text already starts with the prompt that the server will put before it."""


def prompt(input_type: InputType | None, model: str | None = None) -> str:
    """The prompt for an input type.

    Args:
        input_type: `query`, `document` or None.
        model: Name of the model; without it, or for one that is newer than this release, the
            prompts that the hosted models share.

    Returns:
        The prompt with its trailing space; empty for None.

    Raises:
        LookupError: The model's prompts are not known, or it takes no input type.
        ValueError: There is no such input type.
    """
    if input_type is None:
        return ""
    name: str | None = DEFAULT
    if model is not None:
        try:
            name = find(model).prompts
        except UnknownModelError:
            name = DEFAULT
    if name is None:
        raise LookupError(f"the prompts of {model} are not known")
    found = getattr(PROMPTS[name], input_type, None)
    if not isinstance(found, str):
        raise ValueError(f"input_type must be 'query', 'document' or None, not {input_type!r}")
    return found


def render(text: str, input_type: InputType | None, model: str | None = None) -> str:
    """The text as the model sees it. See `prompt` for arguments and errors."""
    return prompt(input_type, model) + text


def warn_if_prompted(
    texts: Iterable[str], input_type: InputType | None, model: str, stacklevel: int
) -> None:
    """Warn when a text already starts with the prompt that the server will put before it."""
    try:
        found = prompt(input_type, model)
    except LookupError:
        return
    if found:
        start = found.rstrip()
        for place, text in enumerate(texts):
            if text.startswith(start):
                warnings.warn(
                    f"Text {place} already starts with the prompt that input_type={input_type!r} "
                    "adds, and would carry it twice. Leave the prompt out of the text, or pass "
                    "input_type=None.",
                    DoublePromptWarning,
                    stacklevel=stacklevel,
                )
                return
