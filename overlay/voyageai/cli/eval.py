"""`voyageai eval`: score search quality by model, dimension, dtype and reranker."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .index import CONFIRM_ABOVE
from .options import Connect, client_options, output_options
from .output import (
    Console,
    choose_format,
    is_terminal,
    open_destination,
    pass_console,
    quantity,
    write_object,
    write_rows,
)
from .rows import FORMATS as INPUTS

if TYPE_CHECKING:
    from ..evaluation import Evaluation, EvaluationEstimate, Row

FORMATS = ("jsonl", "json", "csv", "table")
ESTIMATE_FORMATS = ("jsonl", "json", "table")


@click.command()
@click.argument("documents")
@click.argument("queries", required=False)
@click.option(
    "-m",
    "--model",
    "models",
    multiple=True,
    required=True,
    metavar="NAME",
    help="Name of an embedding model. Repeatable.",
)
@click.option(
    "-d",
    "--dimension",
    "dimensions",
    type=int,
    multiple=True,
    metavar="N",
    help="Length of the vectors; by default each model's. Repeatable.",
)
@click.option(
    "--dtype",
    "dtypes",
    multiple=True,
    metavar="NAME",
    help="float, int8, uint8, binary or ubinary; by default float. Repeatable.",
)
@click.option(
    "--reranker",
    "rerankers",
    multiple=True,
    metavar="NAME",
    help="Also score with this reranker. Repeatable.",
)
@click.option(
    "-k",
    type=int,
    default=10,
    show_default=True,
    help="Count this many results for recall and nDCG.",
)
@click.option(
    "--candidates",
    type=int,
    default=30,
    show_default=True,
    metavar="N",
    help="Rerank this many of the nearest documents.",
)
@click.option(
    "--qrels", metavar="FILE", help="File of relevance judgements, in the format of BEIR or TREC."
)
@click.option("--plot", metavar="FILE", help="Draw nDCG by bytes per vector into this .svg file.")
@click.option(
    "--in",
    "in_",
    type=click.Choice(INPUTS),
    help="Format of the documents; by default the suffix's, else lines.",
)
@click.option(
    "--column",
    metavar="NAME",
    help="Column with the texts; by default `text`, else `content`, else the only one.",
)
@click.option(
    "--id-column", metavar="NAME", help="Column with the ids; by default `id` or `_id`, if any."
)
@click.option(
    "--estimate", "--dry-run", is_flag=True, help="Only show the expected tokens and cost."
)
@click.option(
    "--confirm-above",
    type=float,
    default=CONFIRM_ABOVE,
    show_default=True,
    metavar="DOLLARS",
    help="On a terminal, ask before spending more than this.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--max-cost",
    type=float,
    metavar="DOLLARS",
    help="Send nothing if the expected cost is higher; exit with status 6.",
)
@output_options(*FORMATS)
@client_options
@pass_console
def eval(
    console: Console,
    /,
    connect: Connect,
    documents: str,
    queries: str | None,
    models: Sequence[str],
    dimensions: Sequence[int],
    dtypes: Sequence[str],
    rerankers: Sequence[str],
    k: int,
    candidates: int,
    qrels: str | None,
    plot: str | None,
    in_: str | None,
    column: str | None,
    id_column: str | None,
    estimate: bool,
    confirm_above: float,
    yes: bool,
    max_cost: float | None,
    out: str | None,
    path: str | None,
) -> None:
    """Score models, dimensions, dtypes and rerankers on labelled queries.

    DOCUMENTS is a file of rows, or a folder of texts with their paths as ids. QUERIES is a file of
    rows with `query` and `answers`, the ids of documents; with --qrels the answers are in that
    file. A folder in BEIR's format has all of these. The expected cost is shown before anything is
    sent.

    \b
    Examples:
      voyageai eval docs queries.jsonl -m voyage-4 -m voyage-4-lite --reranker rerank-3
      voyageai eval scifact -m voyage-4 -d 1024 -d 256 --dtype float --dtype int8 --plot sizes.svg
    """
    from .. import evaluation
    from ..evaluation.metrics import check_k
    from ..prices import check_max_cost

    format = choose_format(out, path, ESTIMATE_FORMATS if estimate else FORMATS)
    check_k(k)
    check_max_cost(max_cost)
    if plot is not None and Path(plot).suffix.lower() != ".svg":
        raise click.UsageError(f"--plot draws SVG: name a file that ends in .svg, not {plot}")
    texts, labelled = _read(console, documents, queries, qrels, (in_, column, id_column))
    grid: dict[str, Any] = {
        "models": models,
        "dimensions": dimensions or None,
        "dtypes": dtypes or "float",
        "rerankers": (None, *rerankers),
        "candidates": candidates,
    }
    expected = evaluation.estimate(texts, labelled, **grid)
    amount = [quantity(len(texts), "document"), quantity(len(labelled), "query", "queries")]
    summary = f"{', '.join(amount)}: {expected}"
    if estimate:
        value = {"documents": len(texts), "queries": len(labelled), "tokens": expected.tokens}
        write_object({**value, "cost_usd": expected.cost}, format, path)
        return
    console.note(summary)
    _check_cost(expected, max_cost)
    _confirm(expected, console, summary, confirm_above, yes=yes)
    with nullcontext() if plot is None else open_destination(plot) as drawing, connect() as client:
        found = evaluation.evaluate(client, texts, labelled, **grid, k=k)
        if drawing is not None:
            drawing.write(found.to_svg().encode())
    shown = _line if format == "table" else _row
    write_rows([shown(row, found) for row in found], format, path)
    console.note(f"billed: {_billed(found)}")


def _read(
    console: Console,
    documents: str,
    queries: str | None,
    qrels: str | None,
    rows: tuple[str | None, str | None, str | None],
) -> tuple[dict[str, str], dict[str, dict[str, float]]]:
    """Return the texts of documents by id, and the answers by query.

    Raises:
        click.UsageError: A file does not exist, or can't be read.
    """
    from . import labelled

    if queries is None:
        if not labelled.is_dataset(documents):
            raise click.UsageError(
                f"name a file of labelled queries; only a folder in BEIR's format needs none, and "
                f"{documents} is not one"
            )
        queries, qrels = documents, qrels or labelled.judgements_of(documents)
    texts = labelled.read_documents(documents, *rows, console.note)
    if qrels is None:
        return texts, labelled.read_labelled(queries)
    found, without = labelled.read_queries(queries, qrels)
    if without:
        left_out = quantity(without, "query", "queries")
        console.note(f"voyageai: left out {left_out} without an answer in {qrels}")
    if not found:
        raise click.UsageError(f"{qrels} judges none of the queries in {queries}")
    return texts, found


def _check_cost(expected: EvaluationEstimate, max_cost: float | None) -> None:
    from ..prices import MaxCostError, dollars

    if max_cost is not None and (expected.cost is None or expected.cost > max_cost):
        raise MaxCostError(
            f"max_cost is {dollars(max_cost)}, but this is expected to take {expected}; nothing "
            "was sent",
            "max_cost",
        )


def _confirm(
    expected: EvaluationEstimate, console: Console, summary: str, above: float, *, yes: bool
) -> None:
    """Ask on a terminal before spending more than `above` US dollars.

    Raises:
        MaxCostError: The answer is no.
    """
    from ..prices import MaxCostError

    cheap = expected.cost is not None and expected.cost <= above
    if yes or cheap or not (is_terminal(sys.stdin) and is_terminal(sys.stderr)):
        return
    if console.quiet:
        console.error(summary)
    if not click.confirm("Send these texts?", err=True):
        raise MaxCostError("not confirmed; nothing was sent", "confirm_above")


def _row(row: Row, found: Evaluation) -> dict[str, Any]:
    """Return a combination as a JSON object."""
    return {
        "model": row.model,
        "dimension": row.dimension,
        "dtype": row.dtype,
        "reranker": row.reranker,
        "k": found.k,
        "recall": row.scores.recall,
        "mrr": row.scores.mrr,
        "ndcg": row.scores.ndcg,
        "bytes": row.bytes,
        "tokens": row.tokens,
        "rerank_tokens": row.rerank_tokens,
        "cost_usd": row.cost,
    }


def _line(row: Row, found: Evaluation) -> dict[str, Any]:
    """Return a combination as a row of a table."""
    from ..prices import dollars

    return {
        "model": row.model,
        "dimension": row.dimension,
        "dtype": row.dtype,
        "reranker": row.reranker,
        f"recall@{found.k}": f"{row.scores.recall:.3f}",
        "MRR": f"{row.scores.mrr:.3f}",
        f"nDCG@{found.k}": f"{row.scores.ndcg:.3f}",
        "bytes": row.bytes,
        "tokens": row.tokens + row.rerank_tokens,
        "list price": None if row.cost is None else dollars(row.cost),
    }


def _billed(found: Evaluation) -> str:
    from ..prices import dollars

    summary = ", ".join(f"{tokens:,} tokens of {model}" for model, tokens in found.tokens.items())
    return summary + ("" if found.cost is None else f", {dollars(found.cost)}")
