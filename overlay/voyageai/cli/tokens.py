"""`voyageai tokens`: count texts in tokens, cut them, or show their tokens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import click

from .options import Connect, client_options, model_option, output_options
from .output import Console, beginning, choose_format, open_destination, pass_console, write_rows
from .program import Partly
from .rows import EMPTY, Row, RowReader, input_options

FORMATS = ("jsonl", "json", "csv", "table")
BATCH_TEXTS = 500


@click.command()
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@input_options
@model_option
@click.option("--ids", is_flag=True, help="Show the ids of the tokens too.")
@click.option("--pieces", is_flag=True, help="Show the texts of the tokens too.")
@click.option(
    "--truncate",
    type=click.IntRange(min=1),
    metavar="N",
    help="Print the texts instead, one a line, cut to at most N tokens.",
)
@click.option(
    "--with-prompt", is_flag=True, help="Count the prompt of the input type too, which is billed."
)
@click.option(
    "-t",
    "--input-type",
    type=click.Choice(("document", "query")),
    default="document",
    show_default=True,
    help="Input type of the prompt.",
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
    """Count tokens, or cut texts to a number of them.

    The model's tokenizer is downloaded once and kept. No key is needed, and no network after that.

    \b
    Examples:
      voyageai tokens -m voyage-4 "Where are the keys?"
      voyageai tokens -m voyage-4 --truncate 400 -f pages.txt > short.txt
    """
    from ..prompts import render

    format = "table" if truncate else choose_format(out, path, FORMATS)
    reader = RowReader(texts, files, in_, column, id_column)
    total = failed = 0
    with connect() as client:
        tokenizer = client.tokenizer(model)

        def encoded_rows() -> Iterator[tuple[Row, str, Any]]:
            """Yield rows, each with its text behind its prompt, and the tokens of that."""
            nonlocal failed
            rows = iter(reader)
            while batch := list(islice(rows, BATCH_TEXTS)):
                sent: list[str] = []
                for row in batch:
                    text = row.text
                    if row.error not in (None, EMPTY):
                        console.note(f"voyageai: row {row.index}: {row.error}")
                        failed, text = failed + 1, ""
                    sent.append(render(text, input_type, model) if with_prompt else text)
                yield from zip(batch, sent, tokenizer.encode_batch(sent), strict=True)

        if truncate is not None:
            with open_destination(path) as destination:
                for row, text, encoding in encoded_rows():
                    end = encoding.offsets[:truncate][-1][1] if len(encoding) else 0
                    start = len(text) - len(row.text) if with_prompt else 0
                    line = " ".join(text[start:end].splitlines())
                    destination.write(line.encode() + b"\n")
            _check(failed)
            return

        def objects() -> Iterator[Mapping[str, Any]]:
            nonlocal total
            for row, _, encoding in encoded_rows():
                count = len(encoding) if row.error in (None, EMPTY) else None
                total += count or 0
                found: dict[str, Any] = {"index": row.index, "id": row.id, "tokens": count}
                if count is None:
                    found["error"] = row.error
                if ids:
                    found["ids"] = encoding.ids
                if pieces:
                    found["pieces"] = encoding.tokens
                if format == "table":
                    found["text"] = beginning(row.text)
                yield found

        write_rows(objects(), format, path)
    console.note(f"{total:,} tokens of {model}")
    _check(failed)


def _check(failed: int) -> None:
    if failed:
        raise Partly(f"{failed:,} rows are no text")
