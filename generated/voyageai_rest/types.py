"""What requests, responses and models are made of."""

from __future__ import annotations

import datetime
import functools
import io
import json
from collections.abc import Callable, Mapping
from types import NoneType
from typing import (
    IO,
    Any,
    ClassVar,
    Final,
    Generic,
    Literal,
    NamedTuple,
    Protocol,
    Self,
    TypeVar,
    cast,
    final,
)
from urllib.parse import quote

from attrs import Factory, field, fields, frozen

from .errors import REQUEST_ID, MalformedResponse, ShapeError

T = TypeVar("T")


def short_repr(value: object, depth: int = 9) -> str:
    """`repr`, with long lists, strings and bytes cut to their beginning and their length.

    Args:
        value: Anything.
        depth: How many levels of lists and objects to show.
    """
    if isinstance(value, (str, bytes)) and len(value) > 100:
        unit = "characters" if isinstance(value, str) else "bytes"
        return f"<{value[:20]!r}... of {len(value)} {unit}>"
    if not isinstance(value, (list, dict)):
        return repr(value)
    if not depth:
        return "..."
    if isinstance(value, dict):
        pairs = cast("dict[object, object]", value).items()
        shown = [f"{key!r}: {short_repr(item, depth - 1)}" for key, item in pairs]
        return "{" + ", ".join(shown) + "}"
    items = cast("list[object]", value)
    shown = [short_repr(item, depth - 1) for item in items[: 3 if len(items) > 6 else 6]]
    if len(items) > 6:
        return f"<[{', '.join(shown)}, ...] of {len(items)} items>"
    return f"[{', '.join(shown)}]"


@final
class Unset:
    """The type of `UNSET`, the value of a field that is not sent or was not received."""

    __slots__ = ()
    _only: ClassVar[Unset | None] = None

    def __new__(cls) -> Unset:
        if cls._only is None:
            cls._only = super().__new__(cls)
        return cls._only

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
        content: Its bytes, or a binary file open for reading, which need not be seekable.
        name: Its name.
        media_type: Its media type; guessed from the name without it.
    """

    content: IO[bytes] | bytes = field(repr=short_repr)
    name: str
    media_type: str | None = None


Part = tuple[str, tuple[str | None, IO[bytes] | bytes] | tuple[str | None, IO[bytes] | bytes, str]]
"""One part of a multipart body, as `httpx2` takes it."""


class _Readable:
    """A binary file without its descriptor.

    The HTTP library would ask the descriptor for the size, which is 0 for a pipe and that of the
    compressed data for a file of `gzip`. So it seeks, or sends in chunks what can't be sought.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self.read = file.read
        if file.seekable():
            self.seek, self.tell = file.seek, file.tell


def file_part(name: str, value: File) -> Part:
    """The part of a multipart body that holds a file."""
    content = value.content
    if not isinstance(content, (bytes, io.TextIOBase)) and hasattr(content, "fileno"):
        content = cast("IO[bytes]", _Readable(content))
    if value.media_type is None:
        return name, (value.name, content)
    return name, (value.name, content, value.media_type)


def text_part(name: str, value: object) -> Part:
    """The part of a multipart body that holds a plain value."""
    return name, (None, str(value).encode())


def segment(value: object) -> str:
    """A value as one segment of a path, percent-encoded.

    Raises:
        ValueError: It is empty or a dot segment, so the path would be that of something else.
    """
    text = str(value)
    if text in ("", ".", ".."):
        raise ValueError(f"{text!r} can't be a part of a path")
    return quote(text, safe="")


@frozen(kw_only=True)
class Request:
    """A request, before it meets a server or a key.

    Attributes:
        operation: Name of the operation's module, such as `create_embeddings`.
        method: HTTP method.
        path: Path below the base URL, percent-encoded.
        params: Query parameters.
        json: Body to be sent as JSON; `UNSET` for none.
        accept: Media type of the answer that is asked for.
        content_type: Media type of a body that is JSON.
        parts: Parts of a multipart body. The boundary is left to the HTTP library, which makes a
            random one: a fixed one could be forged by the content of a file.
    """

    operation: str
    method: str
    path: str
    params: Mapping[str, Any] = Factory(dict[str, Any])
    json: Any = field(default=UNSET, repr=short_repr)
    accept: str = field(default="application/json", repr=False)
    content_type: str = field(default="application/json", repr=False)
    parts: list[Part] = field(factory=list[Part], repr=False)


class RawResponse(Protocol):
    """A response as far as it is read; `httpx2.Response` is one."""

    @property
    def status_code(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]: ...

    @property
    def content(self) -> bytes: ...


@frozen(kw_only=True)
class DecodedResponse:
    """A response whose body was decoded, and may have been changed, before it is read.

    Attributes:
        status_code: HTTP status.
        headers: Headers of the response.
        content: Its body as it came.
        value: What is read in its place, as decoded JSON.
    """

    status_code: int
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=short_repr)
    value: Any = field(repr=short_repr)


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
    parsed: T = field(repr=short_repr)

    @property
    def request_id(self) -> str | None:
        """The server's name of this request, for support cases."""
        return self.headers.get(REQUEST_ID)


class Model:
    """Base of all models."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Fields that are set, but for secrets. Long lists and strings, such as vectors, are cut."""
        own = fields(type(self))  # type: ignore[arg-type]  # every subclass is an attrs class
        values = ((each.name, getattr(self, each.name), each.repr) for each in own)
        shown = (
            f"{name}={short_repr(value) if is_shown else '<secret>'}"
            for name, value, is_shown in values
            if value is not UNSET and not (name == "additional_properties" and not value)
        )
        return f"{type(self).__name__}({', '.join(shown)})"


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
        if isinstance(response, DecodedResponse):
            return read(response.value)
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


class Field(NamedTuple):
    """How a model reads one of its fields.

    Attributes:
        name: The field's name in JSON.
        types: A value of one of these types is taken as it is; most are.
        read: Reads any other value.
        is_required: Whether it must be there.
    """

    name: str
    types: tuple[type, ...]
    read: Reader[Any]
    is_required: bool = True


def plain(name: str, *types: type) -> Field:
    """A field of one of some plain types: those that JSON is decoded to."""
    return Field(name, types, functools.partial(_read_unusual, types))


def parsed(name: str, read: Reader[Any], *types: type) -> Field:
    """A field with a reader of its own, for values that are of none of some plain types."""
    return Field(name, types, read)


def optional(field: Field) -> Field:
    """The same field, which may be missing."""
    return field._replace(is_required=False)


class Shape(NamedTuple):
    """How a model is read.

    Attributes:
        fields: Each attribute with its field.
        others: Reads the values of fields that the contract does not name; None refuses them.
    """

    fields: tuple[tuple[str, Field], ...]
    others: Reader[Any] | None


def shape(others: Reader[Any] | None, /, **fields: Field) -> Shape:
    """Return the shape of a model with these fields, each by its attribute."""
    return Shape(tuple(fields.items()), others)


class JsonModel(Model):
    """Base of the models that JSON is read as."""

    __slots__ = ()
    _known_shape: ClassVar[Shape | None] = None

    @classmethod
    def _shape(cls) -> Shape:
        """Return how it is read; called once, as it imports the models of its fields."""
        raise NotImplementedError("each model has its own")

    @classmethod
    def from_dict(cls, data: Any) -> Self:
        """Read the model from decoded JSON.

        Raises:
            ShapeError: It does not have the model's shape.
        """
        rest: dict[str, Any]
        if type(data) is dict:  # by far the most common, and a copy of itself is the quickest
            rest = data.copy()  # pyright: ignore[reportUnknownVariableType]  # keys of decoded JSON are strings
        elif isinstance(data, Mapping):
            rest = dict(cast("Mapping[str, Any]", data))
        else:
            raise ShapeError(_mismatch("an object", data))
        found = cls._known_shape
        if found is None:
            found = cls._known_shape = cls._shape()
        values: dict[str, Any] = {}
        for attribute, (name, types, read, is_required) in found.fields:
            value = rest.pop(name, UNSET)
            if type(value) not in types:
                if value is not UNSET:
                    value = _read_field(name, read, value)
                elif is_required:
                    raise ShapeError("missing", name)
            values[attribute] = value
        if found.others is None:
            if rest:  # they would be lost
                raise ShapeError(f"unknown keys: {', '.join(map(str, rest))}")
        elif found.others is as_is:
            values["additional_properties"] = rest
        else:
            values["additional_properties"] = {
                name: _read_field(name, found.others, value) for name, value in rest.items()
            }
        make: Any = cls  # its attributes are the shape's
        model: Self = make(**values)
        return model


def _read_field(name: str, read: Reader[T], value: Any) -> T:
    try:
        return read(value)
    except ShapeError as error:
        raise error.within(name) from None


def _read_unusual(types: tuple[type, ...], value: Any) -> Any:
    """Read a value of a subclass of a type; any other is of the wrong one."""
    readers = {str: as_str, bool: as_bool, int: as_int, float: as_float, list: as_list}
    if float in types:
        readers[int] = as_float
    return one_of(*dict.fromkeys(readers[kind] for kind in types if kind is not NoneType))(value)


def as_is(data: Any) -> Any:
    """Read any value."""
    return data


def as_none(data: Any) -> None:
    """Read null."""
    if data is not None:
        raise ShapeError(_mismatch("null", data))


def as_str(data: Any) -> Any:
    """Read a string; of type Any, because the values of enums are open."""
    if not isinstance(data, str):
        raise ShapeError(_mismatch("a string", data))
    return data


def as_bool(data: Any) -> bool:
    """Read a boolean."""
    if not isinstance(data, bool):
        raise ShapeError(_mismatch("a boolean", data))
    return data


def as_int(data: Any) -> int:
    """Read an integer."""
    if not isinstance(data, int) or isinstance(data, bool):
        raise ShapeError(_mismatch("an integer", data))
    return data


def as_float(data: Any) -> float:
    """Read a number."""
    if not isinstance(data, (int, float)) or isinstance(data, bool):
        raise ShapeError(_mismatch("a number", data))
    return data


def as_datetime(data: Any) -> datetime.datetime:
    """Read a time in RFC 3339 form."""
    if not isinstance(data, str):
        raise ShapeError(_mismatch("a string", data))
    try:
        return datetime.datetime.fromisoformat(data)
    except ValueError:
        raise ShapeError(f"expected a time, found {short_repr(data)}") from None


def as_list(data: Any) -> list[Any]:
    """Read a list, but not its items."""
    if not isinstance(data, list):
        raise ShapeError(_mismatch("a list", data))
    return data  # pyright: ignore[reportUnknownVariableType]  # items are not looked at


def list_of(read: Reader[T]) -> Reader[list[T]]:
    """Read a list and all its items."""

    def read_list(data: Any) -> list[T]:
        if not isinstance(data, list):
            raise ShapeError(_mismatch("a list", data))
        items: list[Any] = data  # pyright: ignore[reportUnknownVariableType]  # items are read below
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


def nullable(read: Reader[Any]) -> Reader[Any]:
    """Null, or what a reader takes."""

    def read_nullable(data: Any) -> Any:
        return None if data is None else read(data)

    return read_nullable


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
    if isinstance(value, (list, tuple)):
        return [to_json(item) for item in value]  # pyright: ignore[reportUnknownVariableType]  # any list
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    return value.to_dict() if hasattr(value, "to_dict") else value


def _mismatch(expected: str, data: object) -> str:
    names: dict[type, str] = {dict: "an object", list: "a list", str: "a string", bool: "a boolean"}
    found = "null" if data is None else names.get(type(data), "a number")
    return f"expected {expected}, found {found}"
