"""The prompts that the server prepends to a text, by `input_type`.

    >>> render("Where are the keys?", "query")
    'Represent the query for retrieving supporting documents: Where are the keys?'

Source: https://docs.voyageai.com/docs/embeddings and `spec/catalogue.yaml`.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sized
from typing import TYPE_CHECKING, Final, Protocol

from voyageai_rest.catalogue import PROMPTS, find

from ._utils import stacklevel
from .argument_checks import catalogue_entry
from .error import ArgumentError

if TYPE_CHECKING:
    from voyageai_rest.models import InputType

DEFAULT: Final = "retrieval"
"""The set of prompts shared by all hosted embedding models whose prompts are known."""


class DoublePromptWarning(UserWarning):
    """A text already starts with the prompt that the server will prepend."""


class MissingInputTypeWarning(UserWarning):
    """A model that has prompts is used without `input_type`, which makes retrieval worse.

    Shown once per calling line. To make it an error, or with "ignore" to silence it where vectors
    are not for retrieval:

        warnings.filterwarnings("error", category=voyageai.prompts.MissingInputTypeWarning)
    """


def prompt(input_type: InputType | str | None, model: str | None = None) -> str:
    """Return the prompt of an input type.

    Args:
        input_type: `query`, `document` or None.
        model: Name of the model; None for the prompts that the hosted models share.

    Returns:
        The prompt with its trailing space; an empty string for None.

    Raises:
        LookupError: The prompts of the model are not known, or it takes no input type.
        ValueError: `input_type` is not `query`, `document` or None.
    """
    if input_type is None:
        return ""
    name = DEFAULT if model is None else find(model).prompts
    if name is None:
        raise LookupError(f"the prompts of {model} are not known")
    found = getattr(PROMPTS[name], str(input_type), None)
    if not isinstance(found, str):
        raise ValueError(f"input_type must be 'query', 'document' or None, not {input_type!r}")
    return found


def render(text: str, input_type: InputType | str | None, model: str | None = None) -> str:
    """Return a text with its prompt, as the model sees it; arguments and errors as for `prompt`."""
    return prompt(input_type, model) + text


class Tokenizer(Protocol):
    """An object that encodes texts, such as the result of `Client.tokenizer`."""

    def encode(self, sequence: str) -> Sized:
        """Return the tokens of a text."""
        ...


def count(
    texts: Iterable[str],
    input_type: InputType | str | None,
    model: str | None,
    tokenizer: Tokenizer,
) -> int:
    """Count the tokens of texts with their prompts, as the model sees them.

    Args:
        texts: The texts.
        input_type, model: As in `prompt`.
        tokenizer: The tokenizer of the model, such as `vo.tokenizer(model)`.

    Raises:
        ArgumentError: `texts` is a single string, whose characters would be counted as texts.
        LookupError: The prompts of the model are not known, or it takes no input type.
        ValueError: `input_type` is not `query`, `document` or None.
    """
    if isinstance(texts, str):
        raise ArgumentError("texts must be a list of strings; wrap it in a list: [texts]", "texts")
    before = prompt(input_type, model)
    return sum(len(tokenizer.encode(before + text)) for text in texts)


def guard(texts: Iterable[str], input_type: InputType | str | None, model: str) -> None:
    """Warn of a call whose vectors will be worse for retrieval than they could be.

    Warns:
        MissingInputTypeWarning: The model has prompts, and `input_type` is None.
        DoublePromptWarning: A text already starts with the prompt that its input type adds.
    """
    entry = catalogue_entry(model)
    prompts = DEFAULT if entry is None else entry.prompts
    if prompts is None:
        return
    if input_type is None:
        starts = (PROMPTS[prompts].query.rstrip(), PROMPTS[prompts].document.rstrip())
        if entry is not None and not any(text.startswith(starts) for text in texts):
            warnings.warn(
                f"input_type is left out, so {model} puts no prompt before the texts. For "
                "retrieval use embed_query and embed_documents, or input_type='query' and "
                "input_type='document'; otherwise ignore "
                "voyageai.prompts.MissingInputTypeWarning.",
                MissingInputTypeWarning,
                stacklevel=stacklevel(),
            )
        return
    start = getattr(PROMPTS[prompts], input_type).rstrip()
    for place, text in enumerate(texts):
        if text.startswith(start):
            warnings.warn(
                f"Text {place} already starts with the prompt that input_type={input_type!r} "
                "adds, and would carry it twice. Leave the prompt out of the text, or pass "
                "input_type=None.",
                DoublePromptWarning,
                stacklevel=stacklevel(),
            )
            return
