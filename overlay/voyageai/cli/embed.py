"""`voyageai embed`: rows in, rows with vectors out; or a resumable job for a whole table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from .options import Connect, client_options, model_option, output_options, vector_options
from .output import VECTOR_FORMATS, Console, choose_format, pass_console, write_estimate
from .rows import input_options

if TYPE_CHECKING:
    from .sending import Items

__all__ = ["embed", "method_for"]

METHODS = {
    "contextualizedembeddings": "contextualized_embed",
    "multimodalembeddings": "multimodal_embed",
}
"""Client methods of embedding models that `embed` does not take, by endpoint."""
MAX_LISTED = 10
"""Failures to list one by one."""


@click.command()
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@input_options
@model_option
@vector_options
@click.option(
    "--no-truncation",
    is_flag=True,
    help="Fail for texts over the context length, instead of cutting.",
)
@click.option("--image", "images", multiple=True, metavar="FILE", help="Embed a picture.")
@click.option("--video", "videos", multiple=True, metavar="FILE", help="Embed a video.")
@click.option(
    "--together", is_flag=True, help="Make texts, pictures and videos one input, in this order."
)
@click.option(
    "--contextualized",
    is_flag=True,
    help="Adjacent rows with the same id are one document's chunks.",
)
@click.option("--keep", is_flag=True, help="Keep the other columns of the input.")
@click.option(
    "-j",
    "--concurrency",
    type=click.IntRange(1, 256),
    help="Requests in flight: 4 by default, 64 with --into.",
)
@click.option(
    "--estimate", "--dry-run", is_flag=True, help="Only show the expected tokens and cost."
)
@click.option("--max-cost", type=float, metavar="DOLLARS", help="Upper limit of the cost.")
@click.option(
    "--into",
    metavar="DIR",
    help="Write a table of any size into a directory. The same command resumes it.",
)
@click.option(
    "--via", type=click.Choice(("live", "batch")), help="With --into: batch is slower and cheaper."
)
@click.option(
    "--poll",
    type=float,
    metavar="SECONDS",
    help="With --via batch: time between two status checks.",
)
@click.option("--share", type=float, help="With --into: fraction of --rate-limit to use.")
@click.option("--retry-failed", is_flag=True, help="With --into: send rows that failed once more.")
@output_options(*VECTOR_FORMATS)
@client_options
@pass_console
def embed(
    console: Console,
    /,
    connect: Connect,
    texts: tuple[str, ...],
    **values: Any,
) -> None:
    """Embed texts, pictures or videos, or files of any size.

    Read any number of rows, pack them into requests, and write rows in the same order as the
    answers arrive. Without TEXT and -f it reads the lines of standard input. With --into, the
    arguments are files, and the result is a directory of Parquet files; an interrupted run can be
    resumed.

    \b
    Examples:
      printf 'It rains.\\nIt snows.\\n' | voyageai embed -m voyage-4 > vectors.jsonl
      voyageai embed -m voyage-4 -t query "Where are the keys?" -O query.npy
      voyageai embed -m voyage-4 --into vectors --max-cost 5 documents/*.parquet
    """
    from ..argument_checks import check_model, check_output
    from .sending import items_of

    fields: dict[str, Any] = {
        "input_type": values["input_type"],
        "output_dtype": values["output_dtype"],
        "output_dimension": values["output_dimension"],
        "truncation": not values["no_truncation"],
    }
    method = method_for(
        values["model"],
        contextualized=values["contextualized"],
        media=bool(values["images"] or values["videos"] or values["together"]),
    )
    if method == "contextualized_embed":
        if values["no_truncation"]:
            raise click.UsageError("--no-truncation is not supported by contextualized models")
        del fields["truncation"]
    check_model(values["model"])
    check_output(values["model"], values["output_dimension"], values["output_dtype"])
    if values["into"] is not None:
        from .tables import embed_table

        embed_table(console, connect, method, texts, fields, values)
        return
    for name in ("via", "poll", "share", "retry_failed"):
        if values[name] is not None and values[name] is not False:
            raise click.UsageError(f"--{name.replace('_', '-')} needs --into DIR")
    values["texts"] = texts
    items = items_of(method, values)
    if values["estimate"]:
        _estimate(method, items, fields, values)
        return
    _embed(console, connect, method, items, fields, values)


def method_for(model: str, *, contextualized: bool = False, media: bool = False) -> str:
    """Return the client method for a model and its inputs.

    Raises:
        click.UsageError: The model is a reranker.
    """
    from ..argument_checks import catalogue_entry

    entry = catalogue_entry(model)
    endpoint = "" if entry is None else entry.endpoint or ""
    if contextualized or media:
        return "contextualized_embed" if contextualized else "multimodal_embed"
    if endpoint == "rerank":
        raise click.UsageError(f"{model} is a reranker; use voyageai rerank")
    return METHODS.get(endpoint, "embed")


def _estimate(method: str, items: Items, fields: dict[str, Any], values: dict[str, Any]) -> None:
    if method == "multimodal_embed":
        raise click.UsageError(
            "--estimate is for texts; pictures and videos can't be estimated here"
        )
    from .sending import max_billable_of, packing_of, scan

    model = values["model"]
    most = max_billable_of(method, model, fields)
    found, requests = scan(items, packing_of(method, model), most, model)
    write_estimate(found, values["out"], values["path"], failing=found.failing, requests=requests)


def _embed(
    console: Console,
    connect: Connect,
    method: str,
    items: Items,
    fields: dict[str, Any],
    values: dict[str, Any],
) -> None:
    from .program import Partly
    from .sending import Sender, ceiling, packing_of, total
    from .stream import send_in_order
    from .vectors import about, open_writer

    format = choose_format(values["out"], values["path"], VECTOR_FORMATS)
    model = values["model"]
    packing = packing_of(method, model)
    limit = ceiling(method, items, packing, fields, values)
    made = about(model, fields["input_type"], values["output_dtype"])
    done = tokens = failed = 0
    with connect() as client:
        sender = Sender(client, method, model, fields, values)
        answers = send_in_order(
            items,
            sender.send,
            packing,
            concurrency=values["concurrency"] or 4,
            ceiling=limit,
        )
        try:
            with open_writer(format, values["path"], made) as write:
                for request, answer in answers:
                    rows = [row for item in request for row in item]
                    write(rows, answer.rows)
                    done += len(rows)
                    tokens += answer.tokens
                    for row, found in zip(rows, answer.rows, strict=True):
                        if isinstance(found, str):
                            failed += 1
                            if failed <= MAX_LISTED:
                                console.note(f"voyageai: row {row.index}: {found}")
        except Exception as failure:
            if values["path"] not in (None, "-") and done:
                failure.add_note(
                    f"{done:,} rows were embedded, but {values['path']} was not written: a file is "
                    "written completely or not at all. With --into DIR the same command resumes."
                )
            raise
    console.note(total(done, tokens, model))
    if failed:
        raise Partly(f"{failed:,} of {done:,} rows failed")
