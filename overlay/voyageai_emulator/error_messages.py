"""Messages for invalid request bodies, in the API's words.

The API's own sentences were recorded for unknown, missing and empty arguments, for values outside
an enum, for null instead of a string (used here for other wrong types too), for lists that are too
long, and for bodies that are not JSON. The others are written in the same style.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, cast

from jsonschema_rs import ValidationErrorKind as Kind

from .responses import ApiError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jsonschema_rs import ValidationError

__all__ = ["excerpt", "invalid_argument", "invalid_body", "invalid_json", "problems"]

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
MAX_SENTENCES = 10
"""Maximum of sentences in a message."""
MAX_QUOTED = 300
"""Maximum of characters quoted from a value, or from a validator's message."""
BEYOND_EXCERPT = "Value error, one of many values is not allowed"
"""The message if the error is in a part of the body that is not in its `excerpt`."""

LARGE = 20_000
"""Number of values from which on only an excerpt of a body is validated."""
MAX_OUTER = 2_000
"""Items of a list in an excerpt: more than the contract allows for any list with a limit."""
MAX_INNER = 10
"""Items of a list within a list in an excerpt."""


def invalid_json(position: int) -> ApiError:
    """Return the error for a body that is not JSON, with the position of the first error."""
    return ApiError(f"{PREAMBLE}Error for argument '{position}': JSON decode error")


def invalid_argument(argument: str, reason: str) -> ApiError:
    """Return the error for an argument that is invalid for a reason beyond its schema."""
    return ApiError(f"{PREAMBLE}Error for argument '{argument}': Value error, {reason}")


def invalid_body(errors: Iterable[ValidationError], body: object) -> ApiError:
    """Return the error for a body with these validation errors."""
    found = [error for outer in errors for error in _innermost(outer)]
    for error in found:
        if isinstance(error.kind, Kind.MaxItems) and isinstance(error.instance, list):
            fields = cast("dict[str, object]", body) if isinstance(body, dict) else {}
            return ApiError(
                f"Request to model '{fields.get('model')}' failed. "
                f"The batch size limit is {error.kind.limit}. "
                f"Your batch size is {_length(fields, error.instance_path)}."
            )
    sentences: list[str] = []
    for sentence in (sentence for error in found for _, sentence in _sentences(error)):
        if len(sentences) == MAX_SENTENCES:
            break
        if sentence == MISSING or sentence not in sentences:
            sentences.append(sentence)
    return ApiError(PREAMBLE + "; ".join(sentences or [BEYOND_EXCERPT]))


def problems(errors: Iterable[ValidationError]) -> Iterator[tuple[str, str]]:
    """Yield each invalid argument, with a sentence about it, from validation errors."""
    sentence = None
    for outer in errors:
        for error in _innermost(outer):
            for sentence in _sentences(error):
                yield sentence
    if sentence is None:
        yield "body", BEYOND_EXCERPT


def excerpt(body: object) -> Any:
    """Return a body; if it is large, only the first items of its lists and objects.

    A body can have millions of invalid values, each of which a validator describes in hundreds of
    bytes.

    Raises:
        RecursionError: The body is nested too deeply.

    Example:
        >>> excerpt(["a", "b"])
        ['a', 'b']
        >>> len(excerpt(["a"] * 100_000))
        2000
    """
    return body if _is_small(body) else _cut(body, MAX_OUTER)


def _is_small(body: object) -> bool:
    left, pending = LARGE, [body]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            inner = list(cast("dict[str, object]", value).values())
        elif isinstance(value, list):
            inner = cast("list[object]", value)
        else:
            continue
        left -= len(inner)
        if left < 0:
            return False
        pending.extend(inner)
    return True


def _cut(value: object, limit: int) -> object:
    """Return a value with the first `limit` items of its list or object."""
    if isinstance(value, dict):
        fields = cast("dict[str, object]", value)
        return {name: _cut(inner, limit) for name, inner in islice(fields.items(), limit)}
    if isinstance(value, list):
        return [_cut(inner, MAX_INNER) for inner in islice(cast("list[object]", value), limit)]
    return value


def _length(body: object, path: Iterable[str | int]) -> int:
    """Return the length of the list at a path in the complete body."""
    for step in path:
        body = cast("dict[str | int, object]", body)[step]
    return len(cast("list[object]", body))


def _innermost(error: ValidationError) -> Iterator[ValidationError]:
    """Yield the errors within the `oneOf` or `anyOf` branch that was most likely meant.

    Any other error is yielded itself.
    """
    if not isinstance(error.kind, Kind.OneOfNotValid | Kind.AnyOf):
        yield error
        return
    depth = len(error.instance_path)
    meant = [
        branch
        for branch in error.kind.context
        if not any(_is_other_type(inner, depth) for inner in branch)
    ]
    inside = (
        # The branches may differ only in the arguments that they know.
        min(meant, key=_count_unknown)
        if meant
        else [inner for branch in error.kind.context for inner in branch]
    )
    for inner in inside:
        if meant or _is_other_type(inner, depth):
            yield from _innermost(inner)


def _is_other_type(error: ValidationError, depth: int) -> bool:
    """Return whether the value at a depth has another type or `type` field than expected."""
    below = len(error.instance_path) - depth
    return (below == 0 and isinstance(error.kind, Kind.Type)) or (
        below == 1 and isinstance(error.kind, Kind.Constant)
    )


def _count_unknown(branch: Iterable[ValidationError]) -> int:
    """Return the number of arguments that a branch does not know."""
    kinds = (error.kind for error in branch)
    return sum(
        len(kind.unexpected) for kind in kinds if isinstance(kind, Kind.AdditionalProperties)
    )


def _sentences(error: ValidationError) -> Iterator[tuple[str, str]]:
    """Yield the arguments of a validation error, each with a sentence."""
    argument = _argument(error.instance_path) or "body"
    match error.kind:
        case Kind.AdditionalProperties(names):
            for name in names:
                yield (
                    _argument((*error.instance_path, name)),
                    f"Argument '{name[:MAX_QUOTED]}' is not supported by our API",
                )
        case Kind.Required(name):
            yield _argument((*error.instance_path, name)), MISSING
        case Kind.Enum() | Kind.Constant():
            value = str(error.instance)[:MAX_QUOTED]
            yield argument, f"Value '{value}' supplied for {argument} is not allowed"
        case Kind.Type(types) if {"string"} == set(types) - {
            "null"
        } and argument in error.instance_path:
            value = str(error.instance)[:MAX_QUOTED]
            yield (
                argument,
                f"Value '{value}' supplied for argument '{argument}' is not a valid string",
            )
        case Kind.MinItems() | Kind.MinLength() if not error.instance:
            yield argument, f"Error for argument '{argument.partition('.')[0]}': {EMPTY}"
        case _:
            yield argument, f"Error for argument '{argument}': {_reason(error)}"


def _reason(error: ValidationError) -> str:
    match error.kind:
        case Kind.Minimum(limit):
            return f"Input should be greater than or equal to {limit}"
        case Kind.Maximum(limit):
            return f"Input should be less than or equal to {limit}"
        case Kind.MinItems(limit):
            return f"List should have at least {limit} items"
        case Kind.MaxItems(limit):
            return f"List should have at most {limit} items"
        case Kind.MinLength(limit):
            return f"String should have at least {limit} characters"
        case Kind.MaxLength(limit):
            return f"String should have at most {limit} characters"
        case Kind.MaxProperties(limit):
            return f"Dictionary should have at most {limit} items"
        case Kind.Type(types):
            kinds = " or ".join(TYPES[kind] for kind in types if kind in TYPES)
            return f"Input should be a valid {kinds}"
        case _:
            return f"Value error, {error.message[:MAX_QUOTED]}"


def _argument(path: Iterable[str | int]) -> str:
    """Return the name of the argument at a path, such as ``inputs.0.content``."""
    return ".".join(map(str, path))[:MAX_QUOTED]
