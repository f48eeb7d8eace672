"""Turn rows into inputs and requests for `embed`, and bound what they cost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from voyageai_rest.catalogue import MODELS

from ..error import ArgumentError, VoyageError
from ..limits import constraint, known
from ..prices import MaxCostError, cost, dollars, list_price
from ..ratelimit.tokens import estimate_tokens
from ..tables.estimate import TableEstimate, most_tokens
from .output import counted
from .rows import Row, RowReader, check_readable
from .stream import Answer, Ceiling, Packing

if TYPE_CHECKING:
    from ..client import Client

__all__ = ["Items", "Sender", "ceiling", "items_of", "most_of", "packing_of", "scan", "total"]

REQUESTS = {
    "embed": ("EmbeddingsRequest", "input"),
    "contextualized_embed": ("ContextualizedEmbeddingsRequest", "inputs"),
    "multimodal_embed": ("MultimodalEmbeddingsRequest", "inputs"),
}
"""Schema and property of the contract that limit the inputs of a method's request."""
MARGIN = 2
"""Factor by which an estimate of tokens may be exceeded before a request has too many."""
LEAST_TOKENS = min(
    model.max_request_tokens for model in MODELS.values() if model.max_request_tokens
)
"""Tokens of a request of a model that is not in the catalogue."""
REFUSED = (400, 413, 422)
HOPELESS = 12
"""Refusals of the first requests, and of their halves, after which all is refused: enough to come
from a full request down to a single row that is at fault."""
Item = Sequence[Row]
"""Rows that are one input: one, or the chunks of a document."""


class Items:
    """The inputs that the arguments name; each is a row, or the chunks of a document."""

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


def items_of(method: str, given: dict[str, Any]) -> Items:
    """Return the inputs that the arguments of the command name.

    Raises:
        click.UsageError: They contradict each other, or name nothing.
    """
    texts: Sequence[str] = given["texts"]
    media = [*given["images"], *given["videos"]]
    if media or given["together"]:
        if given["files"]:
            raise click.UsageError("--image, --video and --together go with texts, not with -f")
        for option, paths in (("--image", given["images"]), ("--video", given["videos"])):
            for path in paths:
                check_readable(path, option)
        named = [*texts, *media]
        if given["together"]:
            return Items([Row(0, None, " ".join(named), {}, None)], grouped=False)
        rows = [
            Row(place, name if place >= len(texts) else None, name, {}, None)
            for place, name in enumerate(named)
        ]
        return Items(rows, grouped=False)
    reader = RowReader(
        texts,
        given["files"],
        given["in_"],
        given["column"],
        given["id_column"],
        keep=given["keep"],
    )
    return Items(reader, grouped=method == "contextualized_embed")


def packing_of(method: str, model: str) -> Packing[Item]:
    """Return how much a request holds: as the contract and the catalogue say."""
    request, field = REQUESTS[method]
    entry = known(model)
    tokens = (entry.max_request_tokens if entry is not None else None) or LEAST_TOKENS
    # Media are not weighed, so they go alone.
    items = 1 if method == "multimodal_embed" else constraint(request, field).max_items or 1
    return Packing(items, tokens // MARGIN, _weigh)


def _weigh(item: Item) -> int:
    return estimate_tokens([row.text for row in item])


def most_of(method: str, model: str, fields: dict[str, Any]) -> Callable[[Item], int]:
    """Return what says the tokens that an input can be billed for, at most."""
    count = most_tokens(method, model, fields)
    return lambda item: count([[row.text for row in item if row.error is None]])


def scan(
    items: Items, packing: Packing[Item], most: Callable[[Item], int], model: str
) -> tuple[Any, int]:
    """Read all of it without sending it: return an estimate, and how many requests it takes."""
    rows = tokens = bound = failing = requests = held = weight = 0
    for item in items:
        more = packing.weigh(item)
        if not requests or not packing.fits(held, weight, more):
            requests, held, weight = requests + 1, 0, 0
        held, weight = held + 1, weight + more
        rows, tokens, bound = rows + len(item), tokens + more, bound + most(item)
        failing += sum(row.error is not None for row in item)
    found = TableEstimate(model=model, rows=rows, tokens=tokens, most_tokens=bound, failing=failing)
    return found, requests


def total(rows: int, tokens: int, model: str) -> str:
    """Return in words what was done, and what it cost."""
    spent = cost(list_price(model), tokens)
    money = "" if spent is None else f", {dollars(spent)}"
    return f"{counted(rows, 'row')}, {tokens:,} tokens of {model}{money}"


def ceiling(
    method: str,
    items: Items,
    packing: Packing[Item],
    fields: dict[str, Any],
    given: dict[str, Any],
) -> Any:
    """Return what keeps to `--max-cost`.

    Raises:
        MaxCostError: The estimate is above it, where all can be read before anything is sent.
    """
    limit, model = given["max_cost"], given["model"]
    if limit is None:
        return None
    if not limit >= 0:
        raise click.UsageError(f"--max-cost must be a number of US dollars from 0, not {limit}")
    if method == "multimodal_embed":
        raise click.UsageError("--max-cost is for texts; pictures and videos are not weighed here")
    price = list_price(model)
    if price is None:
        raise MaxCostError(
            f"max_cost is {dollars(limit)}, but the price of {model} is not known", "max_cost"
        )
    most = most_of(method, model, fields)
    if items.can_repeat:
        found, _ = scan(items, packing, most, model)
        if found.cost is not None and found.cost > limit:
            raise MaxCostError(
                f"max_cost is {dollars(limit)}, but this would cost about {dollars(found.cost)}; "
                "nothing was sent",
                "max_cost",
            )
    return Ceiling(limit, price, most)


class Sender:
    """Sends requests. A row that is refused does not fail the others."""

    def __init__(
        self,
        client: Client,
        method: str,
        model: str,
        fields: dict[str, Any],
        given: dict[str, Any],
    ) -> None:
        self._client, self._method, self._model, self._fields = client, method, model, fields
        self._media = (len(given["images"]), len(given["videos"]))
        self._given = given
        self._succeeded = False
        self._refusals = 0

    def send(self, items: list[Item]) -> Answer:
        """Send some inputs."""
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
            if failure.http_status not in REFUSED and not isinstance(failure, ArgumentError):
                raise
            self._refusals += 1
            if not self._succeeded and self._refusals >= HOPELESS:
                raise
            if len(items) == 1:
                if not self._succeeded and self._is_alone(items):
                    raise
                return [str(failure)] * len(items[0]), 0
        else:
            self._succeeded = True
            return found
        middle = len(items) // 2
        first, some = self._vectors(items[:middle])
        second, more = self._vectors(items[middle:])
        return first + second, some + more

    def _is_alone(self, items: list[Item]) -> bool:
        """Return whether a refusal of an input is that of the whole command."""
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
        """Return the parts of an input with pictures or videos."""
        images: Sequence[str] = self._given["images"]
        videos: Sequence[str] = self._given["videos"]
        texts: Sequence[str] = self._given["texts"]
        if self._given["together"]:
            return [*texts, *map(Path, images), *map(self._video, videos)]
        if row.id is None or not (images or videos):
            return [row.text]
        place = row.index - len(texts)
        return [Path(row.text)] if place < len(images) else [self._video(row.text)]

    def _video(self, path: str) -> Any:
        from ..media import Video

        return Video.from_path(path, model=self._model)
