"""Compare answers with the contract."""

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend

from ... import contract
from ...spec import Document
from ..bodies import JSON
from ..catalogues import CATALOGUE
from ..differences import Difference, Place
from .findings import catalogue_difference, live_difference, truncated
from .host import FREE, HostContract, headers_of, json_schema, values_at
from .plan import PlannedRequest, ProbeTable, parse_number
from .probe import FILE_CONTENT, Answer
from .vectors import check_vectors


class AnswerComparison:
    """Compares answers with the contract.

    Args:
        table: The probes, with expectations beyond the contract.
        contract: The contract of the host.
    """

    def __init__(self, table: ProbeTable, contract: HostContract) -> None:
        self._table = table
        self._contract = contract
        self._shapes = StrictSchemas(contract.document, table.always)
        headers = [*contract.headers()]
        self._headers = frozenset[str]().union(*headers)
        self._common_headers = frozenset[str].intersection(*headers)

    def check(self, planned: PlannedRequest, answer: Answer) -> Iterator[Difference]:
        """Yield all differences in one answer."""
        operation = planned.operation
        place = Place(operation.name, f"response.{answer.status}")
        documented = operation.response(answer.status)
        if operation.id and documented is None:
            status = str(answer.status)
            kind = "error-added" if answer.status >= 400 else "status-added"
            yield live_difference(kind, place, None, status, subject=status)
        if answer.status >= 500:
            return  # may be the answer of a proxy
        yield from self._check_headers(documented, answer, operation.name)
        if documented is not None:
            yield from self._check_body(documented, answer, place)
        if answer.status == 429 and self._table.rate_limited:
            yield from self._check_rate_limit(answer, place)
        elif answer.status not in (planned.probe.status, planned.probe.or_status):
            yield self._unexpected(planned, answer)
        elif answer.status != 200:
            yield from self._check_message(planned, answer, place)
        elif documented is not None and not _schema(documented):
            if answer.text != FILE_CONTENT.decode():
                yield live_difference(
                    "answer-changed", place, FILE_CONTENT.decode(), truncated(answer.text)
                )
        elif isinstance(answer.body, dict):
            yield from self._check_values(planned, answer.body, place)

    def _check_headers(
        self, documented: Document | None, answer: Answer, operation: str
    ) -> Iterator[Difference]:
        due = self._common_headers if documented is None else headers_of(documented)
        for name in sorted(answer.headers - self._headers - self._table.ordinary_headers):
            yield live_difference("header-added", Place(operation, "response.header", name))
        for name in sorted(due - answer.headers):
            yield live_difference("header-removed", Place(operation, "response.header", name))

    def _check_body(
        self, documented: Document, answer: Answer, place: Place
    ) -> Iterator[Difference]:
        schema = _schema(documented)
        if schema and answer.body is None:
            yield live_difference("media-type-removed", place, JSON)
        elif schema:
            yield from self._shapes.check(schema, answer.body, place)

    def _unexpected(self, planned: PlannedRequest, answer: Answer) -> Difference:
        """Return the difference for an unexpected status."""
        probe, expected = planned.probe, planned.probe.status
        if probe.over is not None and answer.status == 200:
            return self._limit(planned, probe.over, None)
        if probe.model == "each" and planned.model and "model" in answer.detail.lower():
            recorded = self._table.read("supported_models", answer.detail) is not None
            if recorded or answer.status in (404, 410):
                return _model("model-removed", planned.model)
        if answer.status < 400:
            kind = "no-longer-refused"
        else:
            kind = "refused" if expected < 400 else "refused-otherwise"
        place = Place(planned.operation.name, "request")
        return live_difference(
            kind,
            place,
            expected,
            answer.status,
            name=f"`{planned.subject}`",
            subject=planned.subject,
            words=answer.detail,
        )

    def _check_message(
        self, planned: PlannedRequest, answer: Answer, place: Place
    ) -> Iterator[Difference]:
        if (name := planned.probe.message) is None:
            return
        groups = self._table.read(name, answer.detail)
        if groups is None:
            yield live_difference(
                "words-changed", place, name=f"`{name}`", subject=name, words=answer.detail
            )
            return
        if "models" in groups:
            yield from self._check_models(planned.operation.path, groups.pop("models"))
        for limit, text in groups.items():
            if parse_number(text) != planned.limits[limit]:
                yield self._limit(planned, limit, parse_number(text))

    def _check_models(self, path: str, listed: str) -> Iterator[Difference]:
        seen = {name.strip(" '\"") for name in listed.split(",")} - {""}
        known = set(self._contract.models(path))
        for name in sorted(seen - known - set(self._table.not_catalogued)):
            yield _model("model-added", name)
        for name in sorted(known - seen):
            yield _model("model-removed", name)

    def _limit(self, planned: PlannedRequest, limit: str, seen: int | None) -> Difference:
        """Return the difference for a changed limit; None means above the known limit."""
        expected = planned.limits[limit]
        is_higher = seen is None or seen > expected
        after = f"more than {expected}" if seen is None else seen
        if limit != "max_items":
            kind = "limit-raised" if is_higher else "limit-lowered"
            return catalogue_difference(kind, planned.model or "", limit, expected, after)
        kind = "limit-loosened" if is_higher else "limit-tightened"
        field = self._table.takes[planned.operation.id]["field"]
        place = Place(planned.operation.name, "request", field)
        return live_difference(kind, place, expected, after, keyword="maxItems")

    def _check_rate_limit(self, answer: Answer, place: Place) -> Iterator[Difference]:
        read = (self._table.read(name, answer.detail) for name in self._table.rate_limited)
        limits = next((groups for groups in read if groups is not None), None)
        if limits is None:
            yield live_difference("words-changed", place, name="rate limits", words=answer.detail)
            return
        free = self._contract.free()
        for limit, text in limits.items():
            seen, expected = parse_number(text), free[limit]
            if seen != expected:
                kind = "limit-raised" if seen > expected else "limit-lowered"
                fact = f"tiers.{FREE}.{limit}"
                yield live_difference(
                    kind, Place(CATALOGUE, "", fact), expected, seen, name=f"`{fact}`"
                )

    def _check_values(
        self, planned: PlannedRequest, body: Document, place: Place
    ) -> Iterator[Difference]:
        for field in planned.probe.has:
            if None in values_at(body, field):
                yield live_difference("field-removed", place.field(field))
        model = next(values_at(body, "model"))
        if planned.model is not None and isinstance(model, str) and model != planned.model:
            yield live_difference("answer-changed", place.field("model"), planned.model, model)
        if planned.operation.request == "RerankRequest":
            scores = [
                n for n in values_at(body, "data[].relevance_score") if isinstance(n, int | float)
            ]
            if scores != sorted(scores, reverse=True):
                yield live_difference("order-changed", place.field("data"))
        elif planned.operation.id in self._table.takes and isinstance(planned.body, dict):
            catalogued = self._contract.catalogue["models"][planned.model or ""]
            memory = contract.dtypes(self._contract.document)
            yield from check_vectors(planned.body, body, catalogued, memory, place)


def _model(kind: str, name: str) -> Difference:
    """Return the difference for a new or removed model."""
    return live_difference(kind, Place(CATALOGUE, "", f"models.{name}"), name=name, subject=name)


def _schema(documented: Document) -> Document:
    """Return the schema of a JSON body; an empty one for other media types."""
    return json_schema(documented) or {}


ALTERNATIVES = ("anyOf", "oneOf")
NUMBER = {"type": "number"}


def _items(validator: Any, items: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """Validate the items of a list, except for vectors of numbers, which would take long."""
    is_vector = items == NUMBER and isinstance(instance, list)
    if not (is_vector and all(type(number) in (int, float) for number in instance)):
        yield from Draft202012Validator.VALIDATORS["items"](validator, items, instance, schema)


# jsonschema has no type annotations for this function.
VALIDATOR: Any = extend(Draft202012Validator, {"items": _items})  # type: ignore[no-untyped-call]


class StrictSchemas:
    """Stricter schemas of answers: closed, and with more required fields.

    Args:
        document: The OpenAPI document.
        always: Optional fields that every answer is expected to have, by schema.
    """

    def __init__(self, document: Document, always: dict[str, list[str]]) -> None:
        self._components = deepcopy(document["components"])
        schemas = self._components["schemas"]
        for schema in schemas.values():
            if "properties" in schema:
                schema.setdefault("additionalProperties", False)
        for name, fields in always.items():
            schemas[name]["required"] = [*schemas[name].get("required", ()), *fields]

    def check(self, schema: Document, body: Any, place: Place) -> Iterator[Difference]:
        """Yield the differences in a body.

        Args:
            schema: Schema of the contract.
            body: Body of the answer.
            place: Place of the body.
        """
        validator = VALIDATOR({**schema, "components": self._components})
        for error in validator.iter_errors(body):
            for inner in _innermost(error):
                yield from _differences(inner, place)


def _innermost(error: ValidationError) -> Iterator[ValidationError]:
    """Yield the errors within the alternative that was probably meant, or the error itself."""
    branches: dict[Any, list[ValidationError]] = {}
    for inner in error.context or ():
        branches.setdefault(inner.schema_path[0], []).append(inner)
    meant = [
        errors
        for errors in branches.values()
        if not any(each.validator == "type" and not each.relative_path for each in errors)
    ]
    if error.validator not in ALTERNATIVES or not meant:
        yield error
        return
    for inner in min(meant, key=len):
        yield from _innermost(inner)


def _differences(error: ValidationError, body: Place) -> Iterator[Difference]:
    place = body
    for part in error.absolute_path:
        place = place.part("[]") if isinstance(part, int) else place.field(part)
    value: Any = error.instance
    expected: Any = error.validator_value
    if error.validator == "additionalProperties":
        known: Any = error.schema
        for name in sorted(set(value) - set(known["properties"])):
            yield live_difference("field-added", place.field(name), None, _type(value[name]))
    elif error.validator == "required":
        for name in expected:
            if name not in value:
                yield live_difference("field-removed", place.field(name))
    elif error.validator == "type" or error.context:
        yield live_difference("type-changed", place, _expected(error), _type(value))
    else:
        seen = truncated(json.dumps(value, ensure_ascii=False))
        yield live_difference("value-outside", place, f"{error.validator} {expected}", seen)


def _expected(error: ValidationError) -> str:
    """Return the allowed types."""
    if error.validator != "type":
        inner = [each for each in error.context or () if each.validator == "type"]
        return " or ".join(dict.fromkeys(map(_expected, inner)))
    types: Any = error.validator_value
    return types if isinstance(types, str) else " or ".join(types)


def _type(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return "null" if value is None else "boolean"
    names = {int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return names[type(value)]
