"""The contract as the emulator uses it: operations, and bodies read by their schemas.

Everything comes from the OpenAPI document, so an operation or a field that is added there is
known here without an edit.
"""

from __future__ import annotations

import functools
import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, cast
from urllib.parse import quote, unquote, urlsplit

from jsonschema_rs import Draft202012Validator

from .wording import malformed, refusal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Contract", "Operation", "no_constant"]

PARAMETER = re.compile(r"\{[^}]*\}")
METHODS = ("get", "put", "post", "delete", "patch")


class Operation(NamedTuple):
    """An operation of the contract."""

    id: str
    method: str
    path: str
    """Path below the base URL."""
    schema: str | None
    """Where in the document the schema of its JSON body stands, as a URI fragment."""


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
                schema = where + "/content/application~1json/schema"
                yield Operation(
                    id=item[method]["operationId"],
                    method=method.upper(),
                    path=path,
                    schema=schema if "application/json" in body.get("content", {}) else None,
                )

    def read_query(self, operation: Operation, given: Mapping[str, str]) -> dict[str, Any]:
        """Check a query's parameters, and fill in the defaults of those it leaves out.

        Raises:
            Refused: One is not what its schema says.
        """
        return dict(given)

    def read(self, schema: str, raw: bytes) -> Any:
        """Decode a JSON body, check it, and fill in the defaults of what it leaves out.

        Raises:
            Refused: It is not JSON, or not what the schema says.
        """
        body = _decode(raw)
        validator = self._validator(schema)
        if not validator.is_valid(body):
            raise refusal(validator.iter_errors(body), body)
        if not isinstance(body, dict):
            return body
        fields = cast("dict[str, Any]", body)
        given = {name: value for name, value in fields.items() if value is not None}
        return {**fields, **self._defaults(schema), **given}

    @functools.cache  # noqa: B019  # a contract lives as long as its server
    def _validator(self, schema: str) -> Draft202012Validator:
        dialect = "https://json-schema.org/draft/2020-12/schema"
        return Draft202012Validator({**self._document, "$schema": dialect, "$ref": schema})

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


def _decode(raw: bytes) -> Any:
    try:
        return json.loads(raw, parse_constant=no_constant)
    except json.JSONDecodeError as error:
        raise malformed(error.pos) from None
    except UnicodeDecodeError as error:
        raise malformed(error.start) from None
    except (ValueError, RecursionError):
        # Numbers JSON does not have, numbers and nesting Python does not take.
        raise malformed(0) from None


def no_constant(name: str) -> NoReturn:
    """Refuse a number that Python's JSON has and JSON does not."""
    raise ValueError(name)


def _escape(step: str) -> str:
    return quote(step.replace("~", "~0").replace("/", "~1"), safe="~")


def _unescape(step: str) -> str:
    return unquote(step).replace("~1", "/").replace("~0", "~")
