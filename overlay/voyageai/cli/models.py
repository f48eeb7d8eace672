"""`voyageai models`: the catalogue, without a key or a network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from .options import common_options, output_options
from .output import choose_format, shown, write_object, write_rows

if TYPE_CHECKING:
    from voyageai_rest.catalogue import Model

FORMATS = ("json", "jsonl", "csv", "table")
HEADING = ("model", "endpoint", "context", "dimensions", "$/1M tokens", "space", "lifecycle")


@click.command()
@click.argument("name", required=False)
@click.option("--all", "every", is_flag=True, help="Show models that are no longer active too.")
@click.option("--endpoint", metavar="WORD", help="Only models of this endpoint, such as rerank.")
@output_options(*FORMATS)
@common_options
def models(
    name: str | None, every: bool, endpoint: str | None, out: str | None, path: str | None
) -> None:
    """List the models: limits, dimensions, prices.

    With NAME, show everything known about that model. The catalogue is part of this release:
    nothing is sent, and newer models work too. The default dimension comes first.

    \b
    Example:
      voyageai models --endpoint rerank
    """
    from attrs import asdict
    from voyageai_rest.catalogue import MODELS, UnknownModelError, find

    format = choose_format(out, path, FORMATS)
    if name is not None:
        try:
            write_object(asdict(find(name)), format, path)
        except UnknownModelError as unknown:
            raise click.UsageError(f"{unknown}; `voyageai models` lists them") from None
        return
    found = [
        model
        for model in MODELS.values()
        if (every or model.lifecycle == "active") and (endpoint or "") in (model.endpoint or "")
    ]
    if not found:
        known = ", ".join(sorted({model.endpoint for model in MODELS.values() if model.endpoint}))
        raise click.UsageError(f"--endpoint must be in one of {known}, not {endpoint!r}")
    if format == "table":
        write_rows([_row(model) for model in found], format, path, columns=HEADING)
        return
    write_rows(map(asdict, found), format, path)


def _row(model: Model) -> Mapping[str, Any]:
    dimensions: list[int] = []
    if model.dimensions is not None:
        others = [each for each in model.dimensions.allowed if each != model.dimensions.default]
        dimensions = [model.dimensions.default, *others]
    price = None if model.price is None else model.price.usd_per_million_tokens
    values = (
        model.name,
        model.endpoint or "-",
        model.context_length,
        " ".join(map(str, dimensions)) or "-",
        "-" if price is None else f"{price:.2f}" if price * 100 % 1 == 0 else shown(price),
        model.embedding_space or "-",
        model.lifecycle,
    )
    return dict(zip(HEADING, values, strict=True))
