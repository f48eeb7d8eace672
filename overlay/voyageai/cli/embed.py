"""`voyageai embed`: rows in, rows with vectors out; or a whole table, which can be resumed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from .options import Connect, client_options, model_option, output_options, vector_options
from .output import VECTOR_FORMATS, Console, choose_format, pass_console, write_estimate
from .rows import input_options

if TYPE_CHECKING:
    from .sending import Items

__all__ = ["embed", "method_of"]

METHODS = {
    "contextualizedembeddings": "contextualized_embed",
    "multimodalembeddings": "multimodal_embed",
}
"""Methods of models that `embed` does not take, by their endpoint."""
SHOWN = 10
"""Failures that are named one by one."""


@click.command()
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@input_options
@model_option
@vector_options
@click.option(
    "--no-truncation", is_flag=True, help="Texts over the context length fail; else they are cut."
)
@click.option("--image", "images", multiple=True, metavar="FILE", help="Embed a picture.")
@click.option("--video", "videos", multiple=True, metavar="FILE", help="Embed a video.")
@click.option(
    "--together", is_flag=True, help="Texts, pictures and videos are one input, in this order."
)
@click.option(
    "--contextualized",
    is_flag=True,
    help="Adjacent rows of one id are the chunks of one document.",
)
@click.option("--keep", is_flag=True, help="Keep the other columns of the input.")
@click.option(
    "-j",
    "--concurrency",
    type=click.IntRange(1, 256),
    help="Requests in flight: 4 by default, 64 with --into.",
)
@click.option(
    "--estimate", "--dry-run", is_flag=True, help="Only say how many tokens it is, and the cost."
)
@click.option("--max-cost", type=float, metavar="DOLLARS", help="The most that it may cost.")
@click.option(
    "--into",
    metavar="DIR",
    help="Write a table of any size into a directory. The same command goes on where it ended.",
)
@click.option(
    "--via", type=click.Choice(("live", "batch")), help="With --into: batch is slower and cheaper."
)
@click.option(
    "--poll", type=float, metavar="SECONDS", help="With --via batch: time between two looks."
)
@click.option("--share", type=float, help="With --into: part of --rate-limit that this may use.")
@click.option("--retry-failed", is_flag=True, help="With --into: send rows that failed once more.")
@output_options(*VECTOR_FORMATS)
@client_options
@pass_console
def embed(
    console: Console,
    /,
    connect: Connect,
    texts: tuple[str, ...],
    **given: Any,
) -> None:
    """Embed texts, pictures or videos, or files of any size.

    Rows in, rows out, in their order, of any number: they are packed into requests, and written
    as the answers come. Without TEXT and -f, the lines of standard input are read. With --into,
    the arguments are files, and the table is a directory of Parquet that can be resumed.

    \b
    Examples:
      printf 'It rains.\\nIt snows.\\n' | voyageai embed -m voyage-4 > vectors.jsonl
      voyageai embed -m voyage-4 -t query "Where are the keys?" -O query.npy
      voyageai embed -m voyage-4 --into vectors --max-cost 5 documents/*.parquet
    """
    from ..limits import check_model, check_output
    from .sending import items_of

    fields: dict[str, Any] = {
        "input_type": given["input_type"],
        "output_dtype": given["output_dtype"],
        "output_dimension": given["output_dimension"],
        "truncation": not given["no_truncation"],
    }
    method = method_of(
        given["model"],
        contextualized=given["contextualized"],
        media=bool(given["images"] or given["videos"] or given["together"]),
    )
    if method == "contextualized_embed":
        if given["no_truncation"]:
            raise click.UsageError("--no-truncation is not for contextualized models")
        del fields["truncation"]
    check_model(given["model"])
    check_output(given["model"], given["output_dimension"], given["output_dtype"])
    if given["into"] is not None:
        from .tables import embed_table

        embed_table(console, connect, method, texts, fields, given)
        return
    for name in ("via", "poll", "share", "retry_failed"):
        if given[name] is not None and given[name] is not False:
            raise click.UsageError(f"--{name.replace('_', '-')} goes with --into DIR")
    given["texts"] = texts
    items = items_of(method, given)
    if given["estimate"]:
        _estimate(method, items, fields, given)
        return
    _embed(console, connect, method, items, fields, given)


def method_of(model: str, *, contextualized: bool = False, media: bool = False) -> str:
    """Return the method of the client that a model's inputs need.

    Raises:
        click.UsageError: The model is a reranker.
    """
    from ..limits import known

    entry = known(model)
    endpoint = "" if entry is None else entry.endpoint or ""
    if contextualized or media:
        return "contextualized_embed" if contextualized else "multimodal_embed"
    if endpoint == "rerank":
        raise click.UsageError(f"{model} is a reranker: voyageai rerank takes it")
    return METHODS.get(endpoint, "embed")


def _estimate(method: str, items: Items, fields: dict[str, Any], given: dict[str, Any]) -> None:
    if method == "multimodal_embed":
        raise click.UsageError("--estimate is for texts; pictures and videos are not weighed here")
    from .sending import most_of, packing_of, scan

    model = given["model"]
    most = most_of(method, model, fields)
    found, requests = scan(items, packing_of(method, model), most, model)
    write_estimate(found, given["out"], given["path"], failing=found.failing, requests=requests)


def _embed(
    console: Console,
    connect: Connect,
    method: str,
    items: Items,
    fields: dict[str, Any],
    given: dict[str, Any],
) -> None:
    from .program import Partly
    from .sending import Sender, ceiling, packing_of, total
    from .stream import answered
    from .vectors import about, open_writer

    format = choose_format(given["out"], given["path"], VECTOR_FORMATS)
    model = given["model"]
    packing = packing_of(method, model)
    limit = ceiling(method, items, packing, fields, given)
    made = about(model, fields["input_type"], given["output_dtype"])
    done = tokens = failed = 0
    with connect() as client:
        sender = Sender(client, method, model, fields, given)
        answers = answered(
            items,
            sender.send,
            packing,
            concurrency=given["concurrency"] or 4,
            ceiling=limit,
        )
        try:
            with open_writer(format, given["path"], made) as write:
                for request, answer in answers:
                    rows = [row for item in request for row in item]
                    write(rows, answer.rows)
                    done += len(rows)
                    tokens += answer.tokens
                    for row, found in zip(rows, answer.rows, strict=True):
                        if isinstance(found, str):
                            failed += 1
                            if failed <= SHOWN:
                                console.note(f"voyageai: row {row.index}: {found}")
        except Exception as failure:
            if given["path"] not in (None, "-") and done:
                failure.add_note(
                    f"{done:,} rows were answered, and {given['path']} is not written: it is "
                    "complete or not there. With --into DIR the same command goes on."
                )
            raise
    console.note(total(done, tokens, model))
    if failed:
        raise Partly(f"{failed:,} of {done:,} rows failed")
