"""`voyageai embed --into`: a table of any size in a directory, which goes on where it ended."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..error import ArgumentError
from ..prices import MaxCostError
from .output import Console, choose_format, write_estimate, write_object
from .program import Partly
from .rows import STDIN, RowReader, column_of, first_names, format_of

if TYPE_CHECKING:
    from .options import Connect

__all__ = ["embed_table"]

TABLE_FORMATS = {"jsonl": "ndjson"}
"""Names of formats that `client.tables` calls otherwise."""
NOT_FOR_TABLES = ("images", "videos", "together", "path")


def embed_table(
    console: Console,
    connect: Connect,
    method: str,
    arguments: Sequence[str],
    fields: dict[str, Any],
    given: dict[str, Any],
) -> None:
    """Run the job that the arguments of `embed` describe, or go on with it.

    Args:
        console: Where notes go.
        connect: Makes the client.
        method: The method of `client.tables`.
        arguments: The arguments, which are files.
        fields: What all requests share.
        given: The other options.

    Raises:
        click.UsageError: Options contradict each other.
        Partly: Some rows failed.
    """
    for name in NOT_FOR_TABLES:
        if given[name]:
            raise click.UsageError(f"--into takes texts, and writes Parquet into {given['into']}")
    out = choose_format(given["out"], None, ("json", "jsonl", "table"))
    files = [*arguments, *given["files"]]
    source, column, options = _source(files, given)
    own = ("via", "poll", "share", "concurrency")
    options |= {name: given[name] for name in own if given[name] is not None}
    names = {"text": column, "into": given["into"], "model": given["model"], **fields, **options}
    if method == "contextualized_embed":
        names["group"] = given["id_column"] or "id"
        names["id"] = None
    with connect() as client:
        prepare: Any = getattr(client.tables, f"prepare_{method}", None)
        if prepare is None:
            raise click.UsageError(f"--into is for texts; {given['model']} takes other inputs too")
        job: Any = prepare(source, progress=console.progress, **names)
        if given["estimate"]:
            write_estimate(job.estimate, given["out"], None)
            return
        console.note(str(job.estimate))
        run = job.retry_failed if given["retry_failed"] else job.run
        try:
            result = run(given["max_cost"])
        except BaseException as failure:
            failure.__notes__ = []  # those of the client are about methods
            began = not isinstance(failure, ArgumentError)
            if began or (isinstance(failure, MaxCostError) and failure.spent):
                failure.add_note(
                    f"Nothing that was done is lost: the same command goes on in {given['into']}."
                )
            raise
    value = {
        "path": str(result.path),
        "rows": result.rows,
        "failed": result.failed,
        "tokens": result.tokens,
        "cost_usd": result.cost,
    }
    write_object(value, out)
    if result.failed:
        raise Partly(
            f"{result.failed:,} of {result.rows + result.failed:,} rows failed: see "
            f"{result.failures_path}; --retry-failed sends them once more"
        )


def _source(files: Sequence[str], given: dict[str, Any]) -> tuple[Any, str, dict[str, Any]]:
    """Return where the rows are, the column with the texts, and options that say the rest."""
    if not files or STDIN in files:
        if len(files) > 1:
            raise click.UsageError("with --into, standard input is read alone")
        reader = RowReader((), files, given["in_"], given["column"], given["id_column"])
        return ({"text": row.text or None} for row in reader), "text", {}
    formats = {format_of(path, given["in_"]) for path in files}
    if "file" in formats:
        raise click.UsageError("--into reads tables; `--in file` goes without it")
    if len(formats) > 1:
        raise click.UsageError(f"with --into all files have one format, not {sorted(formats)}")
    (format,) = formats
    known = [path for path in files if Path(path).is_file()]
    names = first_names(known[0], format) if known else []
    column = column_of(names, given["column"], known[0]) if names else given["column"] or "text"
    options: dict[str, Any] = {"format": TABLE_FORMATS.get(format, format)}
    id_column = given["id_column"] or ("id" if "id" in names else None)
    if id_column is not None:
        options["id"] = id_column
    if given["keep"]:
        options["keep"] = [name for name in names if name not in (column, id_column)]
    return files, column, options
