"""Turn rows into inputs and requests for `embed`, and limit their cost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from voyageai_rest.catalogue import MODELS

from ..argument_checks import catalogue_entry, constraint
from ..error import ArgumentError, VoyageError
from ..prices import MaxCostError, cost, dollars, list_price
from ..ratelimit.tokens import estimate_tokens
from ..tables.estimate import TableEstimate, most_tokens
from .output import quantity
from .rows import Row, RowReader, check_readable
from .stream import Answer, Ceiling, Packing

if TYPE_CHECKING:
    from ..client import Client

__all__ = [
    "Items",
    "Sender",
    "ceiling",
    "items_of",
    "max_billable_of",
    "packing_of",
    "scan",
    "total",
]

REQUESTS = {
    "embed": ("EmbeddingsRequest", "input"),
    "contextualized_embed": ("ContextualizedEmbeddingsRequest", "inputs"),
    "multimodal_embed": ("MultimodalEmbeddingsRequest", "inputs"),
}
"""Schema and property of the contract that limit the inputs of a request, by method."""
MARGIN = 2
"""Factor by which an estimate of tokens may be too low before a request has too many."""
MIN_REQUEST_TOKENS = min(
    model.max_request_tokens for model in MODELS.values() if model.max_request_tokens
)
"""Limit of the tokens of a request, for a model that is not in the catalogue."""
REFUSED_STATUSES = (400, 413, 422)
MAX_REFUSALS = 12
"""Refusals, with none answered yet, after which all rows count as refused: enough to halve a full
request down to one bad row."""
Item = Sequence[Row]
"""Rows that are one input: a single row, or the chunks of a document."""


class Items:
    """The inputs of a command; each is a row, or the chunks of a document."""

    def __init__(self, rows: RowReader | Sequence[Row], *, grouped: bool) -> None:
        self._rows, self._grouped = rows, grouped
        self.can_repeat = not isinstance(rows, RowReader) or rows.can_repeat

    def __iter__(self) -> Iterator[Item]:
        if not self._grouped:
            for row in self._rows:
                yield (row,)
            return
        chunks: list[Row] = []
        for row in self._rows:
            if chunks and (row.id is None or row.id != chunks[0].id):
                yield chunks
                chunks = []
            chunks.append(row)
        if chunks:
            yield chunks


def items_of(method: str, values: dict[str, Any]) -> Items:
    """Return the inputs that the arguments of the command give.

    Raises:
        click.UsageError: Options contradict each other, or there is no input.
    """
    texts: Sequence[str] = values["texts"]
    media = [*values["images"], *values["videos"]]
    if media or values["together"]:
        if values["files"]:
            raise click.UsageError("--image, --video and --together can't be combined with -f")
        for option, paths in (("--image", values["images"]), ("--video", values["videos"])):
            for path in paths:
                check_readable(path, option)
        contents = [*texts, *media]
        if values["together"]:
            return Items([Row(0, None, " ".join(contents), {}, None)], grouped=False)
        rows = [
            Row(place, name if place >= len(texts) else None, name, {}, None)
            for place, name in enumerate(contents)
        ]
        return Items(rows, grouped=False)
    reader = RowReader(
        texts,
        values["files"],
        values["in_"],
        values["column"],
        values["id_column"],
        keep=values["keep"],
    )
    return Items(reader, grouped=method == "contextualized_embed")


def packing_of(method: str, model: str) -> Packing[Item]:
    """Return the limits of a request, from the contract and the catalogue."""
    request, field = REQUESTS[method]
    entry = catalogue_entry(model)
    tokens = (entry.max_request_tokens if entry is not None else None) or MIN_REQUEST_TOKENS
    # The tokens of media are not estimated, so each is sent alone.
    items = 1 if method == "multimodal_embed" else constraint(request, field).max_items or 1
    return Packing(items, tokens // MARGIN, _weigh)


def _weigh(item: Item) -> int:
    return estimate_tokens([row.text for row in item])


def max_billable_of(method: str, model: str, fields: dict[str, Any]) -> Callable[[Item], int]:
    """Return a function that returns the most tokens that an input can be billed for."""
    count = most_tokens(method, model, fields)
    return lambda item: count([[row.text for row in item if row.error is None]])


def scan(
    items: Items, packing: Packing[Item], max_billable: Callable[[Item], int], model: str
) -> tuple[Any, int]:
    """Read all inputs without sending any; return an estimate, and the number of requests."""
    rows = tokens = bound = failing = requests = held = weight = 0
    for item in items:
        added = packing.weigh(item)
        if not requests or not packing.fits(held, weight, added):
            requests, held, weight = requests + 1, 0, 0
        held, weight = held + 1, weight + added
        rows, tokens, bound = rows + len(item), tokens + added, bound + max_billable(item)
        failing += sum(row.error is not None for row in item)
    found = TableEstimate(model=model, rows=rows, tokens=tokens, most_tokens=bound, failing=failing)
    return found, requests


def total(rows: int, tokens: int, model: str) -> str:
    """Describe in words how many rows were sent, and their cost."""
    spent = cost(list_price(model), tokens)
    money = "" if spent is None else f", {dollars(spent)}"
    return f"{quantity(rows, 'row')}, {tokens:,} tokens of {model}{money}"


def ceiling(
    method: str,
    items: Items,
    packing: Packing[Item],
    fields: dict[str, Any],
    values: dict[str, Any],
) -> Any:
    """Return the limit for `--max-cost`; None without one.

    Raises:
        click.UsageError: The limit is negative, or the inputs are media.
        MaxCostError: The price is not known; or the estimate is above the limit, if all rows can be
            read before anything is sent.
    """
    limit, model = values["max_cost"], values["model"]
    if limit is None:
        return None
    if not limit >= 0:
        raise click.UsageError(f"--max-cost must be at least 0 US dollars, not {limit}")
    if method == "multimodal_embed":
        raise click.UsageError(
            "--max-cost is for texts; pictures and videos can't be estimated here"
        )
    price = list_price(model)
    if price is None:
        raise MaxCostError(
            f"max_cost is {dollars(limit)}, but the price of {model} is not known", "max_cost"
        )
    max_billable = max_billable_of(method, model, fields)
    if items.can_repeat:
        found, _ = scan(items, packing, max_billable, model)
        if found.cost is not None and found.cost > limit:
            raise MaxCostError(
                f"max_cost is {dollars(limit)}, but this would cost about {dollars(found.cost)}; "
                "nothing was sent",
                "max_cost",
            )
    return Ceiling(limit, price, max_billable)


class Sender:
    """Sends requests; a refused row does not fail the others."""

    def __init__(
        self,
        client: Client,
        method: str,
        model: str,
        fields: dict[str, Any],
        values: dict[str, Any],
    ) -> None:
        self._client, self._method, self._model, self._fields = client, method, model, fields
        self._media = (len(values["images"]), len(values["videos"]))
        self._values = values
        self._succeeded = False
        self._refusals = 0

    def send(self, items: list[Item]) -> Answer:
        """Send some inputs as one request, or as smaller ones if it is refused."""
        good = [item for item in items if all(row.error is None for row in item)]
        vectors, tokens = self._vectors(good) if good else ([], 0)
        found = iter(vectors)
        rows: list[bytes | str] = []
        for item in items:
            error = next((row.error for row in item if row.error is not None), None)
            rows += [next(found) if error is None else row.error or error for row in item]
        return Answer(rows, tokens)

    def _vectors(self, items: list[Item]) -> tuple[list[bytes | str], int]:
        try:
            found = self._call(items)
        except VoyageError as failure:
            if failure.http_status not in REFUSED_STATUSES and not isinstance(
                failure, ArgumentError
            ):
                raise
            self._refusals += 1
            if not self._succeeded and self._refusals >= MAX_REFUSALS:
                raise
            if len(items) == 1:
                if not self._succeeded and self._is_alone(items):
                    raise
                return [str(failure)] * len(items[0]), 0
        else:
            self._succeeded = True
            return found
        middle = len(items) // 2
        first, first_tokens = self._vectors(items[:middle])
        second, second_tokens = self._vectors(items[middle:])
        return first + second, first_tokens + second_tokens

    def _is_alone(self, items: list[Item]) -> bool:
        """Return True if the only input so far was refused, which fails the whole command."""
        return items[0][0].index == 0 and self._refusals == 1

    def _call(self, items: list[Item]) -> tuple[list[bytes | str], int]:
        if self._method == "contextualized_embed":
            result = self._client.contextualized_embed(
                [[row.text for row in item] for item in items], self._model, **self._fields
            )
            vectors = [vector for each in result.results for vector in each.to_bytes()]
            return [*vectors], result.total_tokens
        if self._method == "multimodal_embed":
            media = self._client.multimodal_embed(
                [self._content(item[0]) for item in items], self._model, **self._fields
            )
            return [*media.to_bytes()], media.total_tokens
        texts = [row.text for item in items for row in item]
        found = self._client.embed(texts, self._model, **self._fields)
        return [*found.to_bytes()], found.total_tokens

    def _content(self, row: Row) -> list[Any]:
        """Return the parts of a multimodal input."""
        images: Sequence[str] = self._values["images"]
        videos: Sequence[str] = self._values["videos"]
        texts: Sequence[str] = self._values["texts"]
        if self._values["together"]:
            return [*texts, *map(Path, images), *map(self._video, videos)]
        if row.id is None or not (images or videos):
            return [row.text]
        place = row.index - len(texts)
        return [Path(row.text)] if place < len(images) else [self._video(row.text)]

    def _video(self, path: str) -> Any:
        from ..media import Video

        return Video.from_path(path, model=self._model)
