"""What requests, responses and models are made of."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Mapping
from typing import IO, Any, Final, Generic, Literal, Protocol, TypeVar, final

from attrs import Factory, fields, frozen

from .errors import REQUEST_ID, MalformedResponse, ShapeError

T = TypeVar("T")


@final
class Unset:
    """The type of `UNSET`, the value of a field that is not sent or was not received."""

    __slots__ = ()

    def __bool__(self) -> Literal[False]:
        return False

    def __repr__(self) -> str:
        return "UNSET"

    def __reduce__(self) -> str:
        # One object per process, so that `is UNSET` holds after pickle and deepcopy.
        return "UNSET"


UNSET: Final = Unset()


@frozen
class File:
    """A file to upload.

    Attributes:
        content: Its bytes, or a binary file open for reading.
        name: Its name.
        media_type: Its media type; guessed from the name without it.
    """

    content: IO[bytes] | bytes
    name: str
    media_type: str | None = None


Part = tuple[str, tuple[str | None, IO[bytes] | bytes] | tuple[str | None, IO[bytes] | bytes, str]]
"""One part of a multipart body, as `httpx` takes it."""


def file_part(name: str, value: File) -> Part:
    """The part of a multipart body that holds a file."""
    if value.media_type is None:
        return name, (value.name, value.content)
    return name, (value.name, value.content, value.media_type)


def text_part(name: str, value: object) -> Part:
    """The part of a multipart body that holds a plain value."""
    return name, (None, str(value).encode())


@frozen(kw_only=True)
class Request:
    """A request, before it meets a server or a key.

    Attributes:
        operation: Id of the operation in the contract.
        method: HTTP method.
        path: Path below the base URL, percent-encoded.
        params: Query parameters.
        json: Body to be sent as JSON; `UNSET` for none.
        parts: Parts of a multipart body. The boundary is left to the HTTP library, which makes a
            random one: a fixed one could be forged by the content of a file.
    """

    operation: str
    method: str
    path: str
    params: Mapping[str, Any] = Factory(dict[str, Any])
    json: Any = UNSET
    parts: list[Part] = Factory(list[Part])


class RawResponse(Protocol):
    """What is read of a response; `httpx.Response` has it."""

    @property
    def status_code(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]: ...

    @property
    def content(self) -> bytes: ...


@frozen(kw_only=True)
class Response(Generic[T]):
    """An answer that was understood.

    Attributes:
        status_code: HTTP status.
        headers: Headers of the response.
        parsed: The body, as the operation's model.
    """

    status_code: int
    headers: Mapping[str, str]
    parsed: T

    @property
    def request_id(self) -> str | None:
        """What the server calls this request, for support cases."""
        return self.headers.get(REQUEST_ID)


class Model:
    """What all models share."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Fields that are set. Long lists and strings, such as vectors, are cut short."""
        own = fields(type(self))  # type: ignore[arg-type]  # every subclass is an attrs class
        values = ((field.name, getattr(self, field.name)) for field in own)
        shown = (
            f"{name}={short_repr(value)}"
            for name, value in values
            if value is not UNSET and not (name == "additional_properties" and not value)
        )
        return f"{type(self).__name__}({', '.join(shown)})"


def short_repr(value: object) -> str:
    """`repr`, with long lists and strings cut to their beginning and their length."""
    if isinstance(value, str) and len(value) > 100:
        return f"<{value[:20]!r}... of {len(value)} characters>"
    if isinstance(value, list) and len(value) > 6:  # pyright: ignore[reportUnknownArgumentType]  # any list
        return f"<{short_repr(value[:3])[:-1]}, ...] of {len(value)} items>"  # pyright: ignore[reportUnknownArgumentType]  # any list
    if isinstance(value, list):
        return f"[{', '.join(map(short_repr, value))}]"  # pyright: ignore[reportUnknownArgumentType]  # any list
    return repr(value)


# Readers: each turns a piece of decoded JSON into what a model holds, or raises ShapeError.
# Lists of numbers are taken as they are: looking at every number of a vector would cost more
# than decoding the whole answer.

Reader = Callable[[Any], T]


def parse_json(response: RawResponse, read: Reader[T]) -> T:
    """Read the body of a response as JSON and then as a model.

    Raises:
        MalformedResponse: It is not JSON, or not of the model's shape.
    """
    try:
        return read(json.loads(response.content))
    except ShapeError as error:
        reason, cause = str(error), error
    except (ValueError, RecursionError) as error:
        reason, cause = f"the body is not JSON ({error})", None
    raise MalformedResponse(
        status_code=response.status_code,
        headers=response.headers,
        content=response.content,
        reason=reason,
    ) from cause


def as_fields(data: Any) -> dict[str, Any]:
    """A copy of a JSON object, from which a model takes its fields."""
    if not isinstance(data, Mapping):
        raise ShapeError(_mismatch("an object", data))
    return dict(data)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]  # keys of decoded JSON are strings


def required(data: dict[str, Any], name: str, read: Reader[T]) -> T:
    """Take a field that must be there."""
    if name not in data:
        raise ShapeError("missing", name)
    try:
        return read(data.pop(name))
    except ShapeError as error:
        raise error.within(name) from None


def optional(data: dict[str, Any], name: str, read: Reader[T]) -> T | Unset:
    """Take a field that may be missing."""
    return required(data, name, read) if name in data else UNSET


def as_is(data: Any) -> Any:
    """Anything."""
    return data


def as_none(data: Any) -> None:
    """Null."""
    if data is not None:
        raise ShapeError(_mismatch("null", data))


def as_str(data: Any) -> Any:
    """A string; of type Any, because the values of enums are open."""
    if not isinstance(data, str):
        raise ShapeError(_mismatch("a string", data))
    return data


def as_bool(data: Any) -> bool:
    """A boolean."""
    if not isinstance(data, bool):
        raise ShapeError(_mismatch("a boolean", data))
    return data


def as_int(data: Any) -> int:
    """An integer."""
    if not isinstance(data, int) or isinstance(data, bool):
        raise ShapeError(_mismatch("an integer", data))
    return data


def as_float(data: Any) -> float:
    """A number."""
    if not isinstance(data, (int, float)) or isinstance(data, bool):
        raise ShapeError(_mismatch("a number", data))
    return data


def as_datetime(data: Any) -> datetime.datetime:
    """A time in RFC 3339 form."""
    try:
        return datetime.datetime.fromisoformat(as_str(data))
    except ValueError as error:
        if isinstance(error, ShapeError):
            raise
        raise ShapeError(f"expected a time, found {short_repr(data)}") from None


def as_list(data: Any) -> list[Any]:
    """A list, its items not looked at."""
    if not isinstance(data, list):
        raise ShapeError(_mismatch("a list", data))
    return data  # pyright: ignore[reportUnknownVariableType]  # items are not looked at


def list_of(read: Reader[T]) -> Reader[list[T]]:
    """A list whose items are all read."""

    def read_list(data: Any) -> list[T]:
        items = as_list(data)
        try:
            return [read(item) for item in items]
        except ShapeError:
            # Only now find out which, to keep the loop above as fast as it can be.
            for place, item in enumerate(items):
                try:
                    read(item)
                except ShapeError as error:
                    raise error.within(f"[{place}]") from None
            raise

    return read_list


def one_of(*readers: Reader[Any]) -> Reader[Any]:
    """The first of several that fits."""

    def read_one(data: Any) -> Any:
        reasons: list[str] = []
        for read in readers:
            try:
                return read(data)
            except ShapeError as error:
                reasons.append(str(error) if error.path else error.reason)
        raise ShapeError("; or ".join(dict.fromkeys(reasons)))

    return read_one


def to_json(value: Any) -> Any:
    """A field's value as JSON has it."""
    if isinstance(value, list):
        return [to_json(item) for item in value]  # pyright: ignore[reportUnknownVariableType]  # any list
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    return value.to_dict() if hasattr(value, "to_dict") else value


def _mismatch(expected: str, data: object) -> str:
    names: dict[type, str] = {dict: "an object", list: "a list", str: "a string", bool: "a boolean"}
    found = "null" if data is None else names.get(type(data), "a number")
    return f"expected {expected}, found {found}"
