"""The contract of the emulator: its operations, and validation of bodies by their schemas.

Everything is read from the OpenAPI document, so an operation or a field that is added there needs
no change here.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from urllib.parse import quote, unquote, urlsplit

from jsonschema_rs import Draft202012Validator

from .bodies import decode
from .error_messages import excerpt, invalid_body, invalid_json, problems

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from jsonschema_rs import ValidationError

__all__ = ["Contract", "Operation", "example_of"]

PARAMETER = re.compile(r"\{[^}]*\}")
METHODS = ("get", "put", "post", "delete", "patch")
INTEGER = re.compile(r"-?[0-9]{1,20}")
EMPTY: Mapping[str, Any] = {
    "string": "",
    "integer": 0,
    "number": 0.0,
    "boolean": False,
    "null": None,
    "object": {},
}
"""The example of a schema that has none, by its type."""


class Operation(NamedTuple):
    """An operation of the contract."""

    id: str
    method: str
    path: str
    """Path below the base URL."""
    schema: str | None
    """Schema of its JSON body, as a URI fragment of the document."""
    form: str | None = None
    """Schema of its multipart body, as a URI fragment of the document."""
    media_type: str = "application/json"
    """Media type of its successful response."""


class Contract:
    """An OpenAPI document, compiled to check requests.

    Attributes:
        base: Path of the base URL, such as ``/v1``.
        operations: The operations, in the document's order.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        url: str = document["servers"][0]["url"]
        self.base = urlsplit(url).path.rstrip("/")
        self.operations = tuple(self._find_operations())
        self._patterns = [
            (one.method, re.compile("[^/]+".join(map(re.escape, parts))), one)
            for one in self.operations
            for parts in [PARAMETER.split(self.base + one.path)]
        ]

    def find(self, method: str, path: str) -> Operation | None:
        """Return the operation of a method and a path below the host; None if there is none."""
        for known, pattern, operation in self._patterns:
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
                    schema=schemas.get(_json_type(schemas)),
                    form=schemas.get("multipart/form-data"),
                    media_type=_json_type(self._success(item[method])[1].get("content", {})),
                )

    def example(self, operation: Operation) -> tuple[int, Any]:
        """Return the status of an operation's first success, and an example of its body.

        The body is None if the success has no JSON body.
        """
        item = self._document["paths"][operation.path][operation.method.lower()]
        status, answer = self._success(item)
        content = answer.get("content", {}).get(operation.media_type, {})
        body = example_of(content["schema"], self._resolved) if "schema" in content else None
        return int(status.replace("X", "0")), body

    def _success(self, item: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """Return the status of an operation's first success, and its response object."""
        successes = (status for status in item["responses"] if status.startswith("2"))
        status = next(successes, "204")
        return status, self._resolved(item["responses"].get(status, {}))

    def read_query(self, operation: Operation, given: Mapping[str, str]) -> dict[str, Any]:
        """Check a query's parameters, and add the defaults of missing ones.

        Raises:
            ApiError: A parameter does not match its schema.
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
            raise invalid_body(_errors(validator, query), query)
        return {**defaults, **query}

    def read(self, schema: str, raw: bytes, server: str | None = None) -> Any:
        """Decode a JSON body, check it, and add the defaults of missing fields.

        Args:
            schema: Schema of the body, as a URI fragment of the document.
            raw: The encoded body.
            server: Name of the API's host, as hosts differ in the fields that may be null.

        Raises:
            ApiError: The body is not JSON, or does not match the schema.
        """
        return self.check(schema, decode(raw), server)

    def check(self, schema: str, body: Any, server: str | None = None) -> Any:
        """Check a decoded body, and add the defaults of missing fields.

        Args:
            schema: Schema of the body, as a URI fragment of the document.
            body: The decoded body.
            server: Name of the API's host, as hosts differ in the fields that may be null.

        Raises:
            ApiError: The body does not match the schema.
        """
        validator = self._validator_at(schema, server) if server else self._validator(schema)
        if not validator.is_valid(body):
            raise invalid_body(_errors(validator, body), body)
        if not isinstance(body, dict):
            return body
        fields = cast("dict[str, Any]", body)
        given = {name: value for name, value in fields.items() if value is not None}
        return {**fields, **self._defaults(schema), **given}

    def problems(
        self, schema: str, body: Any, narrowed: Mapping[str, str]
    ) -> list[tuple[str, str]]:
        """Return the problems of a decoded body, each as an argument and a sentence about it.

        Args:
            schema: Schema of the body, as a URI fragment of the document.
            body: The decoded body.
            narrowed: Schemas, as URI fragments, that replace those of some of its properties.

        Raises:
            ApiError: The body is nested too deeply.
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
        """Return the validator for a host, which may refuse nulls that others accept."""
        whole = self._resolved(self._at(schema))
        refused = {
            name: {**node, "type": self._non_null_type(node)}
            for name, node in whole.get("properties", {}).items()
            if server not in node.get("x-null", [server])
        }
        if not refused:
            return self._validator(schema)
        return self._compiled({**whole, "properties": {**whole["properties"], **refused}})

    def _non_null_type(self, node: Mapping[str, Any]) -> str:
        """Return the type of a nullable property other than null."""
        options = node.get("oneOf") or [{"type": kind} for kind in node["type"]]
        types: list[str] = [self._resolved(option)["type"] for option in options]
        return next(kind for kind in types if kind != "null")

    @functools.cache  # noqa: B019  # a contract lives as long as its server
    def _query_validator(self, operation: Operation) -> Draft202012Validator:
        return self._compiled({"properties": self._query(operation)})

    @functools.cache  # noqa: B019  # a contract lives as long as its server
    def _query(self, operation: Operation) -> dict[str, dict[str, Any]]:
        """Return the schemas of an operation's query parameters, by name."""
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
        """Return a schema with its `$ref` replaced by the fields of the schema it refers to."""
        if "$ref" not in schema:
            return dict(schema)
        return {**self._resolved(self._at(schema["$ref"])), **schema}

    def _at(self, pointer: str) -> Any:
        found: Any = self._document
        for step in pointer.removeprefix("#/").split("/"):
            found = found[_unescape(step)]
        return found


def example_of(
    schema: Mapping[str, Any], resolve: Callable[[Mapping[str, Any]], dict[str, Any]]
) -> Any:
    """Return a value of a schema: its example if it has one, else the smallest valid value.

    Args:
        schema: The schema.
        resolve: Returns a schema with its `$ref` resolved.

    Example:
        >>> item = {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}
        >>> example_of({"type": "array", "items": item}, dict)
        [{'id': ''}]
    """
    schema = resolve(schema)
    for key in ("examples", "enum"):
        if schema.get(key):
            return schema[key][0]
    for key in ("example", "const", "default"):
        if key in schema:
            return schema[key]
    for key in ("oneOf", "anyOf"):
        if key in schema:
            return example_of(schema[key][0], resolve)
    kinds = schema.get("type", "object")
    kind = kinds if isinstance(kinds, str) else kinds[0]
    if kind == "array":
        return [example_of(schema["items"], resolve)] if "items" in schema else []
    if kind == "object":
        properties = schema.get("properties", {})
        return {name: example_of(properties[name], resolve) for name in schema.get("required", ())}
    return schema.get("minimum", EMPTY[kind])


def _errors(validator: Draft202012Validator, body: object) -> list[ValidationError]:
    """Validate an invalid body, or an excerpt of it, and return the errors."""
    try:
        return list(validator.iter_errors(excerpt(body)))
    except (ValueError, RecursionError):
        # Nesting beyond the validator's limit.
        raise invalid_json(0) from None


def _json_type(types: Iterable[str]) -> str:
    """Return the first JSON media type, such as ``application/vnd.atlas.2025-03-12+json``."""
    found = (kind for kind in types if kind == "application/json" or kind.endswith("+json"))
    return next(found, "application/json")


def _escape(step: str) -> str:
    return quote(step.replace("~", "~0").replace("/", "~1"), safe="~")


def _unescape(step: str) -> str:
    return unquote(step).replace("~1", "/").replace("~0", "~")
