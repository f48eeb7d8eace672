"""`voyageai cost`: what each model would charge for some texts, live and in batches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from .options import Connect, client_options, output_options
from .output import choose_format, write_rows
from .rows import RowReader, input_options

if TYPE_CHECKING:
    from voyageai_rest.catalogue import Model

FORMATS = ("jsonl", "json", "csv", "table")
BATCH_TEXTS = 500
UNITS = {"k": 1_000, "m": 1_000_000, "b": 1_000_000_000}


@click.command()
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@input_options
@click.option(
    "-m", "--model", "models", multiple=True, metavar="NAME", help="Only this model. Repeatable."
)
@click.option("--tokens", metavar="NUMBER", help="Number of tokens, such as 10M, instead of texts.")
@click.option("--exact", is_flag=True, help="Count with each model's tokenizer, not by characters.")
@output_options(*FORMATS)
@client_options
def cost(
    connect: Connect,
    texts: tuple[str, ...],
    files: tuple[str, ...],
    in_: str | None,
    column: str | None,
    id_column: str | None,
    models: tuple[str, ...],
    tokens: str | None,
    exact: bool,
    out: str | None,
    path: str | None,
) -> None:
    """Compare what models would cost for texts.

    Costs are at list prices. Hours are the least time that the tokens take at the rate limit of
    usage tier 1. Nothing is sent; --exact may download tokenizers.

    \b
    Examples:
      voyageai cost -f documents.jsonl
      voyageai cost --tokens 10M -m voyage-4 -m voyage-4-lite
    """
    from voyageai_rest.catalogue import MODELS, UnknownModelError, find

    format = choose_format(out, path, FORMATS)
    try:
        chosen = [find(name) for name in models]
    except UnknownModelError as unknown:
        raise click.UsageError(f"{unknown}; `voyageai models` lists them") from None
    chosen = chosen or [
        model
        for model in MODELS.values()
        if model.lifecycle == "active"
        and model.modalities == ("text",)
        and model.embedding_space is not None
    ]
    if tokens is not None:
        if texts or files or exact:
            raise click.UsageError("--tokens can't be combined with texts, files or --exact")
        counts = dict.fromkeys((model.name for model in chosen), _number(tokens))
    else:
        reader = RowReader(texts, files, in_, column, id_column)
        counts = _count(reader, chosen, connect if exact else None)
    write_rows([_row(model, counts[model.name], format) for model in chosen], format, path)


def _count(reader: RowReader, models: list[Model], connect: Connect | None) -> dict[str, int]:
    """Return the tokens of all rows by model: counted, or one estimate for all models."""
    from ..ratelimit.tokens import estimate_tokens
    from ..tokenization import count, repository

    counts = dict.fromkeys((model.name for model in models), 0)
    if connect is None:
        total = sum(estimate_tokens([row.text]) for row in reader if row.error is None)
        return dict.fromkeys(counts, total)
    with connect() as client:
        tokenizers: dict[str, Any] = {}  # some models share one
        for model in models:
            repo = repository(model.name)
            if repo not in tokenizers:
                tokenizers[repo] = client.tokenizer(model.name)
        rows: Iterator[str] = (row.text for row in reader if row.error is None)
        while batch := list(islice(rows, BATCH_TEXTS)):
            tokens = {repo: count(each, batch) for repo, each in tokenizers.items()}
            for model in models:
                counts[model.name] += tokens[repository(model.name)]
    return counts


def _row(model: Model, tokens: int, format: str) -> Mapping[str, Any]:
    from voyageai_rest.catalogue import BATCH

    from ..prices import cost as cost_of
    from ..prices import dollars

    price = None if model.price is None else model.price.usd_per_million_tokens
    live = cost_of(price, tokens)
    batch = live * (1 - BATCH.discount) if live is not None and model.batch else None
    hours = None if model.tpm is None else tokens / model.tpm / 60
    if format != "table":
        return {
            "model": model.name,
            "tokens": tokens,
            "live_usd": live,
            "batch_usd": batch,
            "hours": hours,
        }
    return {
        "model": model.name,
        "tokens": tokens,
        "live": "-" if live is None else dollars(live),
        "batch": "-" if batch is None else dollars(batch),
        "hours": "-" if hours is None else f"{hours:.2f}",
    }


def _number(value: str) -> int:
    """Parse a number such as 10M, 2.5k or 1,000."""
    text = value.replace(",", "").replace("_", "").lower()
    factor = UNITS.get(text[-1:], 1)
    try:
        found = float(text[:-1] if factor > 1 else text) * factor
    except ValueError:
        found = -1
    if not 0 <= found < 1e18:
        raise click.UsageError(f"--tokens must be a number such as 10M or 25000, not {value!r}")
    return int(found)
