"""Types of requests, responses and models, and the readers of models."""

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
    """Return a `repr` that shows only the beginning and the length of long values.

    Args:
        value: Any value; long lists, strings and bytes are cut.
        depth: Levels of lists and objects to show.
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
        content: The bytes, or a binary file open for reading, seekable or not.
        name: File name.
        media_type: Media type; None to guess it from the name.
    """

    content: IO[bytes] | bytes = field(repr=short_repr)
    name: str
    media_type: str | None = None


Part = tuple[str, tuple[str | None, IO[bytes] | bytes] | tuple[str | None, IO[bytes] | bytes, str]]
"""One part of a multipart body, in the form that `httpx2` expects."""


class _Readable:
    """A binary file without its descriptor.

    The HTTP library would take the size from the descriptor, which gives 0 for a pipe and the
    compressed size for a `gzip` file. Without one it seeks, or sends chunks if it can't seek.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self.read = file.read
        if file.seekable():
            self.seek, self.tell = file.seek, file.tell


def file_part(name: str, value: File) -> Part:
    """Return the part of a multipart body for a file."""
    content = value.content
    if not isinstance(content, (bytes, io.TextIOBase)) and hasattr(content, "fileno"):
        content = cast("IO[bytes]", _Readable(content))
    if value.media_type is None:
        return name, (value.name, content)
    return name, (value.name, content, value.media_type)


def text_part(name: str, value: object) -> Part:
    """Return the part of a multipart body for a plain value."""
    return name, (None, str(value).encode())


def segment(value: object) -> str:
    """Return a value as one percent-encoded segment of a path.

    Raises:
        ValueError: The value is empty or a dot segment, which would address another resource.
    """
    text = str(value)
    if text in ("", ".", ".."):
        raise ValueError(f"{text!r} can't be a segment of a path")
    return quote(text, safe="")


@frozen(kw_only=True)
class Request:
    """A request, independent of the host and the credentials.

    Attributes:
        operation: Name of the module of the operation, such as `create_embeddings`.
        method: HTTP method.
        path: Path below the base URL, percent-encoded.
        params: Query parameters.
        json: JSON body; `UNSET` for none.
        accept: Media type to accept in the response.
        content_type: Media type of the JSON body.
        parts: Parts of a multipart body. The HTTP library chooses a random boundary: the content
            of a file could forge a fixed one.
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
    """The attributes of a response that are read; `httpx2.Response` has them."""

    @property
    def status_code(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]: ...

    @property
    def content(self) -> bytes: ...


@frozen(kw_only=True)
class DecodedResponse:
    """A response whose body is already decoded, and perhaps changed.

    Attributes:
        status_code: HTTP status.
        headers: Headers of the response.
        content: Body, as received.
        value: Decoded JSON that is read instead of the body.
    """

    status_code: int
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=short_repr)
    value: Any = field(repr=short_repr)


@frozen(kw_only=True)
class Response(Generic[T]):
    """A successful response.

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
        """Id that the server gave to the request, for support cases."""
        return self.headers.get(REQUEST_ID)


class Model:
    """Base of all models."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Show the fields that are set, but no secrets; long lists and strings are cut."""
        declared = fields(type(self))  # type: ignore[arg-type]  # every subclass is an attrs class
        values = ((each.name, getattr(self, each.name), each.repr) for each in declared)
        shown = (
            f"{name}={short_repr(value) if is_shown else '<secret>'}"
            for name, value, is_shown in values
            if value is not UNSET and not (name == "additional_properties" and not value)
        )
        return f"{type(self).__name__}({', '.join(shown)})"


# A reader converts decoded JSON to the value of a model, or raises ShapeError. Lists of numbers
# are not checked: to look at every number of a vector would cost more than decoding the response.

Reader = Callable[[Any], T]


def parse_json(response: RawResponse, read: Reader[T]) -> T:
    """Decode the body of a response and read the model.

    Raises:
        MalformedResponse: The body is not JSON, or does not match the model.
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
    """A field of a model, with its reader.

    Attributes:
        name: Name in JSON.
        types: Types whose values are used as decoded; most values have one of them.
        read: Reader of values of other types.
        is_required: False if the field may be missing.
    """

    name: str
    types: tuple[type, ...]
    read: Reader[Any]
    is_required: bool = True


def plain(name: str, *types: type) -> Field:
    """Return a field whose values are used as decoded, if they have one of the types."""
    return Field(name, types, functools.partial(_read_unusual, types))


def parsed(name: str, read: Reader[Any], *types: type) -> Field:
    """Return a field with a reader; values of the types, if any, do not need it."""
    return Field(name, types, read)


def optional(field: Field) -> Field:
    """Return the field as one that may be missing."""
    return field._replace(is_required=False)


class Shape(NamedTuple):
    """The fields of a model.

    Attributes:
        fields: Names of attributes, each with its field.
        others: Reader of fields that the contract does not name; None to refuse them.
    """

    fields: tuple[tuple[str, Field], ...]
    others: Reader[Any] | None


def shape(others: Reader[Any] | None, /, **fields: Field) -> Shape:
    """Return the shape of a model; fields are given by the names of their attributes."""
    return Shape(tuple(fields.items()), others)


class JsonModel(Model):
    """Base of the models of JSON objects."""

    __slots__ = ()
    _known_shape: ClassVar[Shape | None] = None

    @classmethod
    def _shape(cls) -> Shape:
        """Return the shape; called once per model, as it imports the models of the fields."""
        raise NotImplementedError(f"{cls.__name__} has no _shape()")

    @classmethod
    def from_dict(cls, data: Any) -> Self:
        """Read the model from decoded JSON.

        Raises:
            ShapeError: The data does not match the model.
        """
        rest: dict[str, Any]
        if type(data) is dict:  # by far the most common; dict.copy is the fastest copy
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
            if rest:  # silently dropped otherwise
                raise ShapeError(f"unknown keys: {', '.join(map(str, rest))}")
        elif found.others is as_is:
            values["additional_properties"] = rest
        else:
            values["additional_properties"] = {
                name: _read_field(name, found.others, value) for name, value in rest.items()
            }
        make: Any = cls  # the shape names the attributes
        model: Self = make(**values)
        return model


def _read_field(name: str, read: Reader[T], value: Any) -> T:
    try:
        return read(value)
    except ShapeError as error:
        raise error.within(name) from None


def _read_unusual(types: tuple[type, ...], value: Any) -> Any:
    """Read a value of a subclass of one of the types, and refuse any other."""
    readers = {str: as_str, bool: as_bool, int: as_int, float: as_float, list: as_list}
    if float in types:
        readers[int] = as_float
    return one_of(*dict.fromkeys(readers[kind] for kind in types if kind is not NoneType))(value)


def as_is(data: Any) -> Any:
    """Return any value unchanged."""
    return data


def as_none(data: Any) -> None:
    """Read null."""
    if data is not None:
        raise ShapeError(_mismatch("null", data))


def as_str(data: Any) -> Any:
    """Read a string. The type is Any, because enums may get new values."""
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
    """Read a time in the format of RFC 3339."""
    if not isinstance(data, str):
        raise ShapeError(_mismatch("a string", data))
    try:
        return datetime.datetime.fromisoformat(data)
    except ValueError:
        raise ShapeError(f"expected a time, found {short_repr(data)}") from None


def as_list(data: Any) -> list[Any]:
    """Read a list without checking its items."""
    if not isinstance(data, list):
        raise ShapeError(_mismatch("a list", data))
    return data  # pyright: ignore[reportUnknownVariableType]  # items are not checked


def list_of(read: Reader[T]) -> Reader[list[T]]:
    """Return a reader of lists that reads each item with `read`."""

    def read_list(data: Any) -> list[T]:
        if not isinstance(data, list):
            raise ShapeError(_mismatch("a list", data))
        items: list[Any] = data  # pyright: ignore[reportUnknownVariableType]  # items are read below
        try:
            return [read(item) for item in items]
        except ShapeError:
            # The index is searched only now, to keep the loop above fast.
            for index, item in enumerate(items):
                try:
                    read(item)
                except ShapeError as error:
                    raise error.within(f"[{index}]") from None
            raise

    return read_list


def nullable(read: Reader[Any]) -> Reader[Any]:
    """Return a reader that also accepts null."""

    def read_nullable(data: Any) -> Any:
        return None if data is None else read(data)

    return read_nullable


def one_of(*readers: Reader[Any]) -> Reader[Any]:
    """Return a reader that tries several readers in order."""

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
    """Return a field's value as decoded JSON."""
    if isinstance(value, (list, tuple)):
        return [to_json(item) for item in value]  # pyright: ignore[reportUnknownVariableType]  # any list
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    return value.to_dict() if hasattr(value, "to_dict") else value


def _mismatch(expected: str, data: object) -> str:
    names: dict[type, str] = {dict: "an object", list: "a list", str: "a string", bool: "a boolean"}
    found = "null" if data is None else names.get(type(data), "a number")
    return f"expected {expected}, found {found}"
