"""What an answer does otherwise than the contract says."""

from collections.abc import Iterator
from typing import Any

from .. import contract
from ..drift.bodies import JSON
from ..drift.catalogues import CATALOGUE
from ..drift.differences import Difference, Place
from ..spec import Document
from .asking import LINE, Answer
from .contract import FREE, Contract, at
from .findings import bounded, found, of_catalogue
from .planning import Planned
from .shapes import Shapes
from .table import Table, number
from .vectors import check_vectors


class Comparison:
    """Compares answers with the contract.

    Args:
        table: What is expected beyond it.
        contract: The contract.
    """

    def __init__(self, table: Table, contract: Contract) -> None:
        self._table = table
        self._contract = contract
        self._shapes = Shapes(contract.document, table.always)
        self._headers = frozenset(contract.headers())

    def check(self, planned: Planned, answer: Answer) -> Iterator[Difference]:
        """All that differs in one answer."""
        operation = planned.operation
        place = Place(operation.name, f"response.{answer.status}")
        documented = operation.response(answer.status)
        if operation.id and documented is None:
            status = str(answer.status)
            kind = "error-added" if answer.status >= 400 else "status-added"
            yield found(kind, place, None, status, subject=status)
        if answer.status >= 500:
            return  # what a proxy says then, and how, is no part of the contract
        yield from self._check_headers(answer, operation.name)
        if documented is not None:
            yield from self._check_body(documented, answer, place)
        if answer.status == 429:
            yield from self._check_rate_limit(answer, place)
        elif answer.status not in (planned.probe.status, planned.probe.or_status):
            yield self._unexpected(planned, answer)
        elif answer.status != 200:
            yield from self._check_message(planned, answer, place)
        elif documented is not None and not _schema(documented):
            if answer.text != LINE.decode():
                yield found("answer-changed", place, LINE.decode(), bounded(answer.text))
        elif isinstance(answer.body, dict):
            yield from self._check_values(planned, answer.body, place)

    def _check_headers(self, answer: Answer, operation: str) -> Iterator[Difference]:
        for name in sorted(answer.headers - self._headers - self._table.ordinary_headers):
            yield found("header-added", Place(operation, "response.header", name))
        for name in sorted(self._headers - answer.headers):
            yield found("header-removed", Place(operation, "response.header", name))

    def _check_body(
        self, documented: Document, answer: Answer, place: Place
    ) -> Iterator[Difference]:
        schema = _schema(documented)
        if schema and answer.body is None:
            yield found("media-type-removed", place, JSON)
        elif schema:
            yield from self._shapes.check(schema, answer.body, place)

    def _unexpected(self, planned: Planned, answer: Answer) -> Difference:
        """What another status than the expected one means."""
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
        return found(
            kind,
            place,
            expected,
            answer.status,
            name=f"`{planned.subject}`",
            subject=planned.subject,
            words=answer.detail,
        )

    def _check_message(
        self, planned: Planned, answer: Answer, place: Place
    ) -> Iterator[Difference]:
        if (name := planned.probe.message) is None:
            return
        said = self._table.read(name, answer.detail)
        if said is None:
            yield found("words-changed", place, name=f"`{name}`", subject=name, words=answer.detail)
            return
        if "models" in said:
            yield from self._check_models(planned.operation.path, said.pop("models"))
        for limit, text in said.items():
            if number(text) != planned.limits[limit]:
                yield self._limit(planned, limit, number(text))

    def _check_models(self, path: str, listed: str) -> Iterator[Difference]:
        seen = {name.strip(" '\"") for name in listed.split(",")} - {""}
        known = set(self._contract.models(path))
        for name in sorted(seen - known - set(self._table.not_catalogued)):
            yield _model("model-added", name)
        for name in sorted(known - seen):
            yield _model("model-removed", name)

    def _limit(self, planned: Planned, limit: str, seen: int | None) -> Difference:
        """A limit that is another; one that was not met, where nothing was seen of it."""
        expected = planned.limits[limit]
        is_higher = seen is None or seen > expected
        after = f"more than {expected}" if seen is None else seen
        if limit != "max_items":
            kind = "limit-raised" if is_higher else "limit-lowered"
            return of_catalogue(kind, planned.model or "", limit, expected, after)
        kind = "limit-loosened" if is_higher else "limit-tightened"
        field = self._table.takes[planned.operation.id]["field"]
        place = Place(planned.operation.name, "request", field)
        return found(kind, place, expected, after, keyword="maxItems")

    def _check_rate_limit(self, answer: Answer, place: Place) -> Iterator[Difference]:
        read = (self._table.read(name, answer.detail) for name in self._table.rate_limited)
        said = next((groups for groups in read if groups is not None), None)
        if said is None:
            yield found("words-changed", place, name="rate limits", words=answer.detail)
            return
        free = self._contract.free()
        for limit, text in said.items():
            seen, expected = number(text), free[limit]
            if seen != expected:
                kind = "limit-raised" if seen > expected else "limit-lowered"
                fact = f"tiers.{FREE}.{limit}"
                yield found(kind, Place(CATALOGUE, "", fact), expected, seen, name=f"`{fact}`")

    def _check_values(self, planned: Planned, body: Document, place: Place) -> Iterator[Difference]:
        for field in planned.probe.has:
            if None in at(body, field):
                yield found("field-removed", place.field(field))
        model: Any = body.get("model")
        if planned.model is not None and isinstance(model, str) and model != planned.model:
            yield found("answer-changed", place.field("model"), planned.model, model)
        if planned.operation.request == "RerankRequest":
            scores = [n for n in at(body, "data[].relevance_score") if isinstance(n, int | float)]
            if scores != sorted(scores, reverse=True):
                yield found("order-changed", place.field("data"))
        elif planned.operation.id in self._table.takes and isinstance(planned.body, dict):
            catalogued = self._contract.catalogue["models"][planned.model or ""]
            memory = contract.dtypes(self._contract.document)
            yield from check_vectors(planned.body, body, catalogued, memory, place)


def _model(kind: str, name: str) -> Difference:
    """A model that is new, or gone."""
    return found(kind, Place(CATALOGUE, "", f"models.{name}"), name=name, subject=name)


def _schema(documented: Document) -> Document:
    """The schema of a JSON body; an empty one where another kind of body is due."""
    content = documented.get("content", {}).get(JSON, {})
    schema: Document = content.get("schema", {})
    return schema
