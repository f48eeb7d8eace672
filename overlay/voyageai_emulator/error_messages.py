"""What is wrong with a request body, in the words of the API.

The sentences for unknown, missing and empty arguments, for values outside an enum, for null in
place of a string (which we use for any other value, too), for lists that are too long and for
bodies that are not JSON are the API's own. Nobody has recorded the others; they are written in the
same style.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from jsonschema_rs import ValidationErrorKind as Kind

from .responses import ApiError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jsonschema_rs import ValidationError

__all__ = ["invalid_argument", "invalid_json", "problems", "refusal"]

PREAMBLE = (
    "The request body is not valid JSON, or some arguments were not specified properly. "
    "In particular, "
)
MISSING = "Your request body was missing one or more required arguments."
EMPTY = "Value error, Input cannot contain empty strings or empty lists"
TYPES = {
    "array": "list",
    "boolean": "boolean",
    "integer": "integer",
    "number": "number",
    "object": "dictionary",
    "string": "string",
}
MOST = 10
"""Sentences that one answer holds at most."""
LONGEST = 300
"""Characters that are quoted of what was given, or of what a validator says of it."""
FURTHER_ON = "Value error, one of many values is not allowed"
"""Said where what is wrong is beyond what was looked at."""


def invalid_json(position: int) -> ApiError:
    """The refusal of a body that is not JSON from some character on."""
    return ApiError(f"{PREAMBLE}Error for argument '{position}': JSON decode error")


def invalid_argument(argument: str, reason: str) -> ApiError:
    """The refusal of one argument for a reason that its schema does not hold."""
    return ApiError(f"{PREAMBLE}Error for argument '{argument}': Value error, {reason}")


def refusal(errors: Iterable[ValidationError], body: object) -> ApiError:
    """The refusal of a body for what a validator found."""
    found = [error for outer in errors for error in _innermost(outer)]
    for error in found:
        if isinstance(error.kind, Kind.MaxItems) and isinstance(error.instance, list):
            fields = cast("dict[str, object]", body) if isinstance(body, dict) else {}
            return ApiError(
                f"Request to model '{fields.get('model')}' failed. "
                f"The batch size limit is {error.kind.limit}. "
                f"Your batch size is {_length(fields, error.instance_path)}."
            )
    said: list[str] = []
    for sentence in (sentence for error in found for _, sentence in _sentences(error)):
        if len(said) == MOST:
            break
        if sentence == MISSING or sentence not in said:
            said.append(sentence)
    return ApiError(PREAMBLE + "; ".join(said or [FURTHER_ON]))


def problems(errors: Iterable[ValidationError]) -> Iterator[tuple[str, str]]:
    """The arguments that are at fault, and for each what is, in a sentence."""
    sentence = None
    for outer in errors:
        for error in _innermost(outer):
            for sentence in _sentences(error):
                yield sentence
    if sentence is None:
        yield "body", FURTHER_ON


def _length(body: object, path: Iterable[str | int]) -> int:
    """How long the list at a place in a body is, of which an error may have seen the beginning."""
    for step in path:
        body = cast("dict[str | int, object]", body)[step]
    return len(cast("list[object]", body))


def _innermost(error: ValidationError) -> Iterator[ValidationError]:
    """The errors of the alternative that was most likely meant, or the error itself."""
    if not isinstance(error.kind, Kind.OneOfNotValid | Kind.AnyOf):
        yield error
        return
    depth = len(error.instance_path)
    meant = [branch for branch in error.kind.context if not any(_apart(e, depth) for e in branch)]
    inside = (
        # All may fit but for arguments that only one of them knows.
        min(meant, key=_unknown)
        if meant
        else [inner for branch in error.kind.context for inner in branch]
    )
    for inner in inside:
        if meant or _apart(inner, depth):
            yield from _innermost(inner)


def _apart(error: ValidationError, depth: int) -> bool:
    """Whether an error says that the value is of another kind altogether."""
    below = len(error.instance_path) - depth
    return (below == 0 and isinstance(error.kind, Kind.Type)) or (
        below == 1 and isinstance(error.kind, Kind.Constant)
    )


def _unknown(branch: Iterable[ValidationError]) -> int:
    """How many arguments an alternative does not know."""
    kinds = (error.kind for error in branch)
    return sum(
        len(kind.unexpected) for kind in kinds if isinstance(kind, Kind.AdditionalProperties)
    )


def _sentences(error: ValidationError) -> Iterator[tuple[str, str]]:
    place = _place(error.instance_path) or "body"
    match error.kind:
        case Kind.AdditionalProperties(names):
            for name in names:
                yield (
                    _place((*error.instance_path, name)),
                    f"Argument '{name[:LONGEST]}' is not supported by our API",
                )
        case Kind.Required(name):
            yield _place((*error.instance_path, name)), MISSING
        case Kind.Enum() | Kind.Constant():
            value = str(error.instance)[:LONGEST]
            yield place, f"Value '{value}' supplied for {place} is not allowed"
        case Kind.Type(types) if {"string"} == set(types) - {
            "null"
        } and place in error.instance_path:
            value = str(error.instance)[:LONGEST]
            yield place, f"Value '{value}' supplied for argument '{place}' is not a valid string"
        case Kind.MinItems() | Kind.MinLength():
            yield place, f"Error for argument '{place.partition('.')[0]}': {EMPTY}"
        case _:
            yield place, f"Error for argument '{place}': {_reason(error)}"


def _reason(error: ValidationError) -> str:
    match error.kind:
        case Kind.Minimum(limit):
            return f"Input should be greater than or equal to {limit}"
        case Kind.Maximum(limit):
            return f"Input should be less than or equal to {limit}"
        case Kind.MaxItems(limit):
            return f"List should have at most {limit} items"
        case Kind.MaxLength(limit):
            return f"String should have at most {limit} characters"
        case Kind.MaxProperties(limit):
            return f"Dictionary should have at most {limit} items"
        case Kind.Type(types):
            kinds = " or ".join(TYPES[kind] for kind in types if kind in TYPES)
            return f"Input should be a valid {kinds}"
        case _:
            return f"Value error, {error.message[:LONGEST]}"


def _place(path: Iterable[str | int]) -> str:
    return ".".join(map(str, path))[:LONGEST]
