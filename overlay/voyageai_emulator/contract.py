"""The contract as the emulator uses it: operations, and bodies read by their schemas.

Everything comes from the OpenAPI document, so an operation or a field that is added there is
known here without an edit.
"""

from __future__ import annotations

import functools
import json
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, cast
from urllib.parse import quote, unquote, urlsplit

from jsonschema_rs import Draft202012Validator
from voyageai_rest.catalogue import MODELS

from .error_messages import invalid_json, problems, refusal
from .example import build
from .excerpt import excerpt
from .responses import ApiError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from jsonschema_rs import ValidationError

__all__ = ["Contract", "Operation", "decode", "is_crowded", "no_constant"]

PARAMETER = re.compile(r"\{[^}]*\}")
METHODS = ("get", "put", "post", "delete", "patch")
INTEGER = re.compile(r"-?[0-9]{1,20}")
MOST = max(model.max_request_tokens or 0 for model in MODELS.values())
"""Values of a body: even of the shortest texts, none takes more of them, as each has a token."""


class Operation(NamedTuple):
    """An operation of the contract."""

    id: str
    method: str
    path: str
    """Path below the base URL."""
    schema: str | None
    """Where in the document the schema of its JSON body stands, as a URI fragment."""
    form: str | None = None
    """The same of its multipart body."""


class Contract:
    """An OpenAPI document, ready to check requests.

    Attributes:
        base: Path of the base URL, such as ``/v1``.
        operations: The operations, in the document's order.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        url: str = document["servers"][0]["url"]
        self.base = urlsplit(url).path.rstrip("/")
        self.operations = tuple(self._find_operations())
        self._places = [
            (one.method, re.compile("[^/]+".join(map(re.escape, parts))), one)
            for one in self.operations
            for parts in [PARAMETER.split(self.base + one.path)]
        ]

    def find(self, method: str, path: str) -> Operation | None:
        """The operation of a request to this server, if it is to one."""
        for known, pattern, operation in self._places:
            if known == method and pattern.fullmatch(path):
                return operation
        return None

    def _find_operations(self) -> Iterator[Operation]:
        for path, item in self._document["paths"].items():
            for method in METHODS:
                if method not in item:
                    continue
                where = f"#/paths/{_escape(path)}/{method}/requestBody"
                body = item[method].get("requestBody", {})
                if "$ref" in body:
                    where, body = body["$ref"], self._at(body["$ref"])
                schemas = {
                    kind: f"{where}/content/{_escape(kind)}/schema"
                    for kind in body.get("content", {})
                }
                yield Operation(
                    id=item[method]["operationId"],
                    method=method.upper(),
                    path=path,
                    schema=schemas.get("application/json"),
                    form=schemas.get("multipart/form-data"),
                )

    def example(self, operation: Operation) -> tuple[int, Any]:
        """An answer to an operation: its first success, and an example of what that holds.

        None where the success holds no JSON.
        """
        item = self._document["paths"][operation.path][operation.method.lower()]
        successes = (status for status in item["responses"] if status.startswith("2"))
        status = next(successes, "204")
        answer = self._resolved(item["responses"].get(status, {}))
        content = answer.get("content", {}).get("application/json", {})
        body = build(content["schema"], self._resolved) if "schema" in content else None
        return int(status.replace("X", "0")), body

    def read_query(self, operation: Operation, given: Mapping[str, str]) -> dict[str, Any]:
        """Check a query's parameters, and fill in the defaults of those it leaves out.

        Raises:
            ApiError: One is not what its schema says.
        """
        schemas = self._query(operation)
        query: dict[str, Any] = {
            name: int(value)
            if schemas[name].get("type") == "integer" and INTEGER.fullmatch(value)
            else value
            for name, value in given.items()
            if name in schemas
        }
        defaults = {
            name: schema["default"] for name, schema in schemas.items() if "default" in schema
        }
        validator = self._query_validator(operation)
        if not validator.is_valid(query):
            raise refusal(_errors(validator, query), query)
        return {**defaults, **query}

    def read(self, schema: str, raw: bytes, server: str | None = None) -> Any:
        """Decode a JSON body, check it, and fill in the defaults of what it leaves out.

        Args:
            schema: Where in the document its schema stands, as a URI fragment.
            raw: The body.
            server: Name of the host that is asked, which may take fewer nulls than others.

        Raises:
            ApiError: It is not JSON, or not what the schema says.
        """
        return self.check(schema, decode(raw), server)

    def check(self, schema: str, body: Any, server: str | None = None) -> Any:
        """Check a decoded body, and fill in the defaults of what it leaves out.

        Args:
            schema: As in `read`.
            body: The body.
            server: As in `read`.

        Raises:
            ApiError: It is not what the schema says.
        """
        validator = self._validator_at(schema, server) if server else self._validator(schema)
        if not validator.is_valid(body):
            raise refusal(_errors(validator, body), body)
        if not isinstance(body, dict):
            return body
        fields = cast("dict[str, Any]", body)
        given = {name: value for name, value in fields.items() if value is not None}
        return {**fields, **self._defaults(schema), **given}

    def problems(
        self, schema: str, body: Any, narrowed: Mapping[str, str]
    ) -> list[tuple[str, str]]:
        """What is wrong with a decoded body: arguments, and a sentence about each.

        Args:
            schema: As in `check`.
            body: The body.
            narrowed: Schemas of some of its properties, instead of those that the schema has.

        Raises:
            ApiError: It is nested too deeply.
        """
        validator = self._validator(schema, tuple(narrowed.items()))
        return [] if validator.is_valid(body) else list(problems(_errors(validator, body)))

    @functools.cache  # noqa: B019  # a contract lives as long as its server
    def _validator(
        self, schema: str, narrowed: tuple[tuple[str, str], ...] = ()
    ) -> Draft202012Validator:
        if not narrowed:
            return self._compiled({"$ref": schema})
        whole = self._resolved(self._at(schema))
        own = {name: {"$ref": pointer} for name, pointer in narrowed}
        return self._compiled({**whole, "properties": {**whole["properties"], **own}})

    @functools.cache  # noqa: B019  # a contract lives as long as its server
    def _validator_at(self, schema: str, server: str) -> Draft202012Validator:
        """That of a host, which may refuse null where others take it."""
        whole = self._resolved(self._at(schema))
        refused = {
            name: {**node, "type": self._type_beside_null(node)}
            for name, node in whole.get("properties", {}).items()
            if server not in node.get("x-null", [server])
        }
        if not refused:
            return self._validator(schema)
        return self._compiled({**whole, "properties": {**whole["properties"], **refused}})

    def _type_beside_null(self, node: Mapping[str, Any]) -> str:
        """What a property that may be null is otherwise."""
        options = node.get("oneOf") or [{"type": kind} for kind in node["type"]]
        types: list[str] = [self._resolved(option)["type"] for option in options]
        return next(kind for kind in types if kind != "null")

    @functools.cache  # noqa: B019  # a contract lives as long as its server
    def _query_validator(self, operation: Operation) -> Draft202012Validator:
        return self._compiled({"properties": self._query(operation)})

    @functools.cache  # noqa: B019  # a contract lives as long as its server
    def _query(self, operation: Operation) -> dict[str, dict[str, Any]]:
        """The schemas of an operation's query parameters, by name."""
        item = self._document["paths"][operation.path]
        listed = [
            *item.get("parameters", ()),
            *item[operation.method.lower()].get("parameters", ()),
        ]
        parameters = [self._resolved(each) for each in listed]
        return {
            each["name"]: self._resolved(each["schema"])
            for each in parameters
            if each["in"] == "query"
        }

    def _compiled(self, schema: Mapping[str, Any]) -> Draft202012Validator:
        dialect = "https://json-schema.org/draft/2020-12/schema"
        return Draft202012Validator({**self._document, "$schema": dialect, **schema})

    @functools.cache  # noqa: B019  # a contract lives as long as its server
    def _defaults(self, schema: str) -> dict[str, Any]:
        properties = self._resolved(self._at(schema)).get("properties", {})
        found = {name: self._resolved(value).get("default") for name, value in properties.items()}
        return {name: value for name, value in found.items() if value is not None}

    def _resolved(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """A schema with what its reference says, its own words first."""
        if "$ref" not in schema:
            return dict(schema)
        return {**self._resolved(self._at(schema["$ref"])), **schema}

    def _at(self, pointer: str) -> Any:
        found: Any = self._document
        for step in pointer.removeprefix("#/").split("/"):
            found = found[_unescape(step)]
        return found


def decode(raw: bytes) -> Any:
    """Decode JSON.

    Raises:
        ApiError: It is none, or has too many values.
    """
    if is_crowded(raw):
        raise ApiError(
            f"The request is too large: the emulator takes up to {MOST} values.",
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        )
    try:
        return json.loads(raw, parse_constant=no_constant, parse_float=_number)
    except json.JSONDecodeError as error:
        raise invalid_json(error.pos) from None
    except UnicodeDecodeError as error:
        raise invalid_json(error.start) from None
    except (ValueError, RecursionError):
        # Numbers JSON does not have, numbers and nesting Python does not take.
        raise invalid_json(0) from None


def is_crowded(raw: bytes) -> bool:
    """Whether JSON has so many values that decoding it would stop everything else for seconds.

    Python decodes 32 MB of texts in a tenth of a second and as much of empty lists in three, in
    which no other thread runs. What separates values is counted, within texts only if need be.
    """
    if len(raw) <= MOST or _separators(raw) <= MOST:
        return False
    bare = raw.replace(b"\\\\", b"").replace(b'\\"', b"")
    if bare.count(b'"') > 2 * MOST:
        return True
    return _separators(b"".join(bare.split(b'"')[::2])) > MOST


def _separators(raw: bytes) -> int:
    return raw.count(b",") + raw.count(b"[") + raw.count(b"{")


def _errors(validator: Draft202012Validator, body: object) -> list[ValidationError]:
    """What is wrong with a body that is not valid, as far as it is looked at."""
    try:
        return list(validator.iter_errors(excerpt(body)))
    except (ValueError, RecursionError):
        # Nesting that the validator does not take.
        raise invalid_json(0) from None


def _number(literal: str) -> int | float:
    """A number; one such as 512.0 is an integer to JSON Schema, and must be one from here on."""
    number = float(literal)
    return int(number) if number.is_integer() else number


def no_constant(name: str) -> NoReturn:
    """Refuse a number that Python's JSON has and JSON does not."""
    raise ValueError(name)


def _escape(step: str) -> str:
    return quote(step.replace("~", "~0").replace("/", "~1"), safe="~")


def _unescape(step: str) -> str:
    return unquote(step).replace("~1", "/").replace("~0", "~")
