"""`voyageai tokens`: texts counted, cut, or shown as their tokens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import click

from .options import Connect, client_options, model_option, output_options
from .output import Console, choose_format, open_destination, pass_console, shown, write_rows
from .rows import Row, RowReader, input_options

FORMATS = ("jsonl", "json", "csv", "table")
AT_ONCE = 500
TEXT_SHOWN = 60


@click.command()
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@input_options
@model_option
@click.option("--ids", is_flag=True, help="The numbers of the tokens too.")
@click.option("--pieces", is_flag=True, help="The tokens as text too.")
@click.option(
    "--truncate",
    type=click.IntRange(min=1),
    metavar="N",
    help="Print the texts instead, a line each, cut to at most N tokens.",
)
@click.option(
    "--with-prompt", is_flag=True, help="Count the prompt of the input type too, as is billed."
)
@click.option(
    "-t",
    "--input-type",
    type=click.Choice(("document", "query")),
    default="document",
    show_default=True,
    help="Which prompt.",
)
@output_options(*FORMATS)
@client_options
@pass_console
def tokens(
    console: Console,
    /,
    connect: Connect,
    texts: tuple[str, ...],
    files: tuple[str, ...],
    in_: str | None,
    column: str | None,
    id_column: str | None,
    model: str,
    ids: bool,
    pieces: bool,
    truncate: int | None,
    with_prompt: bool,
    input_type: str,
    out: str | None,
    path: str | None,
) -> None:
    r"""Count tokens, or cut texts to a number of them.

    The model's tokenizer is fetched once and kept; then no network is needed, and never a key.

    \b
    Examples:
      voyageai tokens -m voyage-4 "Where are the keys?"
      voyageai tokens -m voyage-4 --truncate 400 -f pages.txt > short.txt
    """
    from ..prompts import render

    format = "table" if truncate else choose_format(out, path, FORMATS)
    reader = RowReader(texts, files, in_, column, id_column)
    total = 0
    with connect() as client:
        tokenizer = client.tokenizer(model)

        def counted() -> Iterator[tuple[Row, Any]]:
            rows = iter(reader)
            while some := list(islice(rows, AT_ONCE)):
                sent = [
                    render(row.text, input_type, model) if with_prompt else row.text for row in some
                ]
                yield from zip(some, tokenizer.encode_batch(sent), strict=True)

        if truncate is not None:
            with open_destination(path) as destination:
                for row, encoding in counted():
                    end = len(row.text)
                    if len(encoding) > truncate:
                        end = encoding.offsets[truncate - 1][1]
                    line = " ".join(row.text[:end].splitlines())
                    destination.write(line.encode() + b"\n")
            return

        def objects() -> Iterator[Mapping[str, Any]]:
            nonlocal total
            for row, encoding in counted():
                total += len(encoding)
                found: dict[str, Any] = {"index": row.index, "id": row.id, "tokens": len(encoding)}
                if ids:
                    found["ids"] = encoding.ids
                if pieces:
                    found["pieces"] = encoding.tokens
                if format == "table":
                    text = shown(row.text)
                    found["text"] = text if len(text) <= TEXT_SHOWN else f"{text[:TEXT_SHOWN]}…"
                yield found

        write_rows(objects(), format, path)
    console.note(f"{total:,} tokens of {model}")
