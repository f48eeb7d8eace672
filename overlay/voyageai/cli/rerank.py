"""`voyageai rerank`: sort documents by their relevance to a query."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from .options import Connect, client_options, model_option, output_options
from .output import Console, choose_format, pass_console, write_rows
from .program import Partly
from .rows import Row, RowReader, input_options

FORMATS = ("jsonl", "json", "csv", "table")
HEADING = ("rank", "score", "id", "document")


@click.command()
@click.argument("query")
@click.argument("documents", nargs=-1, metavar="[DOCUMENT]...")
@input_options
@model_option
@click.option("-k", "top_k", type=click.IntRange(min=1), help="Only this many, the best.")
@click.option("--min-score", type=float, help="Only documents with this score or more.")
@click.option("--no-truncation", is_flag=True, help="Fail for texts that are too long.")
@output_options(*FORMATS)
@client_options
@pass_console
def rerank(
    console: Console,
    /,
    connect: Connect,
    query: str,
    documents: tuple[str, ...],
    files: tuple[str, ...],
    in_: str | None,
    column: str | None,
    id_column: str | None,
    model: str,
    top_k: int | None,
    min_score: float | None,
    no_truncation: bool,
    out: str | None,
    path: str | None,
) -> None:
    """Sort documents by their relevance to a query.

    The documents are arguments, rows of files, or the lines of standard input: at most 1,000. Empty
    ones are left out, with a note.

    \b
    Example:
      ls | voyageai rerank -m rerank-2.5 -k 3 "Where is the licence?"
    """
    from ..argument_checks import constraint

    format = choose_format(out, path, FORMATS)
    max_documents = constraint("RerankRequest", "documents").max_items or 1000
    rows: list[Row] = []
    left_out = 0
    for row in RowReader(documents, files, in_, column, id_column):
        if row.error is not None:
            left_out += 1
            console.note(f"voyageai: row {row.index} is left out: {row.error}")
            continue
        rows.append(row)
        if len(rows) > max_documents:
            raise click.UsageError(
                f"there are more than {max_documents:,} documents, the limit of a request; first "
                "search for the likely ones, with embed and similarity or with search"
            )
    if not rows:
        raise click.UsageError("there are no documents to rank")
    with connect() as client:
        ranking = client.rerank(
            query,
            [row.text for row in rows],
            model,
            top_k=top_k,
            truncation=not no_truncation,
        )
    ranked: list[Mapping[str, Any]] = [
        {
            "index": rows[result.index].index,
            "id": rows[result.index].id,
            "score": result.relevance_score,
            "document": result.document,
        }
        for result in ranking.results
        if min_score is None or result.relevance_score >= min_score
    ]
    if format == "table":
        lines = [
            {**row, "rank": place, "score": f"{row['score']:.4f}"}
            for place, row in enumerate(ranked, 1)
        ]
        write_rows(lines, format, path, columns=HEADING)
    else:
        write_rows(ranked, format, path)
    console.note(f"{len(rows):,} documents, {ranking.total_tokens:,} tokens of {model}")
    if left_out:
        raise Partly(f"{left_out:,} of {left_out + len(rows):,} documents were left out")
