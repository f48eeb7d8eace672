"""Checks of arguments against the contract and the catalogue of models."""

from __future__ import annotations

from collections.abc import Sequence
from inspect import iscoroutinefunction
from typing import Any

from voyageai_rest.catalogue import MODELS, Model
from voyageai_rest.constraints import CONSTRAINTS, Constraint

from .error import ArgumentError

NONE = Constraint()


def constraint(request: str, field: str) -> Constraint:
    """Return the contract's constraint on a field of a request; an empty one for other fields."""
    return CONSTRAINTS.get(request, {}).get(field, NONE)


def catalogue_entry(model: str) -> Model | None:
    """Return the catalogue's entry of a model; None for models newer than this release."""
    try:
        return MODELS.get(model)
    except TypeError:  # not hashable, so not a name
        return None


def check_model(model: object) -> str:
    """Return the name of a model.

    Raises:
        ArgumentError: `model` is not a string, or blank.
    """
    if not isinstance(model, str) or not model.strip():
        raise ArgumentError(f"model must be the name of a model, not {model!r}", "model")
    return model


def check_output(model: str, dimension: object, dtype: object) -> None:
    """Raise if a model does not have a dimension or a dtype; models not in the catalogue pass.

    Raises:
        ArgumentError: The model does not have the dimension or the dtype, or it is none.
    """
    if dimension is None and dtype is None:
        return
    entry = catalogue_entry(model)
    if dimension is not None:
        if not isinstance(dimension, int) or isinstance(dimension, bool) or dimension < 1:
            raise ArgumentError(
                f"output_dimension must be a positive integer or None, not {dimension!r}",
                "output_dimension",
            )
        if entry and entry.dimensions and dimension not in entry.dimensions.allowed:
            raise ArgumentError(
                f"output_dimension={dimension} is not a dimension of {model}; "
                f"it has {_joined(entry.dimensions.allowed)}",
                "output_dimension",
            )
    if dtype is not None:
        check_value("EmbeddingsRequest", "output_dtype", dtype)
        if entry and entry.dtypes and dtype not in entry.dtypes:
            raise ArgumentError(
                f"output_dtype={dtype!r} is not a dtype of {model}; it has {_joined(entry.dtypes)}",
                "output_dtype",
            )


def check_value(request: str, field: str, value: object) -> None:
    """Raise if a value is not one that the contract lists for the field; None passes."""
    values = constraint(request, field).values
    if value is not None and values and value not in values:
        raise ArgumentError(
            f"{field} must be one of {_joined(values)} or None, not {value!r}", field
        )


def check_number(request: str, field: str, value: object) -> None:
    """Raise if a value is no integer within the contract's bounds for the field; None passes."""
    if value is None:
        return
    if not isinstance(value, int) or isinstance(value, bool):
        raise ArgumentError(f"{field} must be an integer or None, not {value!r}", field)
    bounds = constraint(request, field)
    if bounds.minimum is not None and value < bounds.minimum:
        raise ArgumentError(
            f"{field} must be greater than or equal to {bounds.minimum}, not {value}", field
        )
    if bounds.maximum is not None and value > bounds.maximum:
        raise ArgumentError(
            f"{field} must be less than or equal to {bounds.maximum}, not {value}", field
        )


def check_text(value: object, argument: str, bounds: Constraint) -> str:
    """Return a text unchanged.

    Raises:
        ArgumentError: The value is not a string, or is shorter than the contract allows.
    """
    if not isinstance(value, str):
        raise ArgumentError(f"{argument} must be a string, not {_kind(value)}", argument)
    if bounds.min_length and len(value) < bounds.min_length:
        raise ArgumentError(f"{argument} is empty; leave it out or give it a text", argument)
    return value


def check_texts(values: object, argument: str, bounds: Constraint) -> list[str]:
    """Return a sequence of texts as a list.

    Args:
        values: A list, tuple or other sequence of strings.
        argument: Name of the argument, for errors.
        bounds: The contract's bounds on the list and its items.

    Raises:
        ArgumentError: `values` is not a sequence, or too short or too long, or one of its items is
            no string or too short; the message says which.
    """
    items = check_list(values, argument, bounds, "strings")
    item_bounds = bounds.item or Constraint()
    shortest = item_bounds.min_length or 0
    for place, item in enumerate(items):
        if type(item) is not str or len(item) < shortest:
            check_text(item, f"{argument}[{place}]", item_bounds)
    return items


def check_list(values: object, argument: str, bounds: Constraint, items: str) -> list[Any]:
    """Return a sequence as a list.

    Args:
        values: A list, tuple or other sequence.
        argument: Name of the argument, for errors.
        bounds: The contract's bounds on the length.
        items: Plural noun for the items, for errors.

    Raises:
        ArgumentError: `values` is not a sequence, or too short or too long.
    """
    if not isinstance(values, Sequence) or isinstance(values, (str, bytes, bytearray)):
        hint = f"; wrap it in a list: [{argument}]" if isinstance(values, str) else ""
        if hasattr(values, "__iter__") and not hint:
            hint = f"; make it one: list({argument})"
        raise ArgumentError(
            f"{argument} must be a list of {items}, not {_kind(values)}{hint}", argument
        )
    count = len(values)  # pyright: ignore[reportUnknownArgumentType]  # items are checked later
    if bounds.min_items and count < bounds.min_items:
        raise ArgumentError(f"{argument} is empty; it needs at least {bounds.min_items}", argument)
    if bounds.max_items and count > bounds.max_items:
        raise ArgumentError(
            f"{argument} has {count:,} items, but a request takes at most {bounds.max_items:,}; "
            "split it into several calls",
            argument,
        )
    return list(values)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]  # as above


def check_flag(field: str, value: object) -> None:
    """Raise if a value is not True or False; None passes."""
    if value is not None and not isinstance(value, bool):
        raise ArgumentError(f"{field} must be True, False or None, not {value!r}", field)


def check_blocking(client: Any) -> None:
    """Raise if the methods of a client have to be awaited."""
    if iscoroutinefunction(getattr(client, "embed", None)):
        raise ArgumentError(
            f"client must be a voyageai.Client, not {type(client).__name__}, which is asynchronous",
            "client",
        )


def _kind(value: object) -> str:
    return "None" if value is None else f"of type {type(value).__name__}"


def _joined(values: tuple[object, ...]) -> str:
    return ", ".join(map(repr, values))
