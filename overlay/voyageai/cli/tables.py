"""`voyageai embed --into`: a job that embeds a table of any size, and can be resumed."""

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
"""Names of formats that differ in `client.tables`."""
UNSUPPORTED = ("images", "videos", "together", "path")


def embed_table(
    console: Console,
    connect: Connect,
    method: str,
    arguments: Sequence[str],
    fields: dict[str, Any],
    values: dict[str, Any],
) -> None:
    """Run or resume the job that the arguments of `embed` describe.

    Args:
        console: Console for notes.
        connect: Function that makes the client.
        method: Name of the method of `client.tables`.
        arguments: Positional arguments, which are paths of files.
        fields: Fields that all requests share.
        values: Values of the other options, by name.

    Raises:
        click.UsageError: Options contradict each other.
        Partly: Some rows failed.
    """
    for name in UNSUPPORTED:
        if values[name]:
            raise click.UsageError(
                f"--into takes texts only, and writes Parquet into {values['into']}"
            )
    out = choose_format(values["out"], None, ("json", "jsonl", "table"))
    files = [*arguments, *values["files"]]
    source, column, options = _source(files, values)
    own = ("via", "poll", "share", "concurrency")
    options |= {name: values[name] for name in own if values[name] is not None}
    names = {"text": column, "into": values["into"], "model": values["model"], **fields, **options}
    if method == "contextualized_embed":
        names["group"] = values["id_column"] or "id"
        names["id"] = None
    with connect() as client:
        prepare: Any = getattr(client.tables, f"prepare_{method}", None)
        if prepare is None:
            raise click.UsageError(f"--into is for texts; {values['model']} takes other inputs too")
        job: Any = prepare(source, progress=console.progress, **names)
        if values["estimate"]:
            write_estimate(job.estimate, values["out"], None)
            return
        console.note(str(job.estimate))
        run = job.retry_failed if values["retry_failed"] else job.run
        try:
            result = run(values["max_cost"])
        except BaseException as failure:
            failure.__notes__ = []  # the client's notes are about its methods
            has_started = not isinstance(failure, ArgumentError)
            if has_started or (isinstance(failure, MaxCostError) and failure.spent):
                failure.add_note(
                    f"No finished work is lost; the same command resumes it in {values['into']}."
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
            f"{result.failures_path}; --retry-failed sends them again"
        )


def _source(files: Sequence[str], values: dict[str, Any]) -> tuple[Any, str, dict[str, Any]]:
    """Return the source of rows, the column with the texts, and further options of the job."""
    if not files or STDIN in files:
        if len(files) > 1:
            raise click.UsageError("with --into, standard input can't be combined with files")
        reader = RowReader((), files, values["in_"], values["column"], values["id_column"])
        return ({"text": row.text or None} for row in reader), "text", {}
    formats = {format_of(path, values["in_"]) for path in files}
    if "file" in formats:
        raise click.UsageError("--into reads tables; `--in file` can't be combined with it")
    if len(formats) > 1:
        raise click.UsageError(f"with --into all files must have one format, not {sorted(formats)}")
    (format,) = formats
    existing = [path for path in files if Path(path).is_file()]
    names = first_names(existing[0], format) if existing else []
    column = (
        column_of(names, values["column"], existing[0]) if names else values["column"] or "text"
    )
    options: dict[str, Any] = {"format": TABLE_FORMATS.get(format, format)}
    id_column = values["id_column"] or ("id" if "id" in names else None)
    if id_column is not None:
        options["id"] = id_column
    if values["keep"]:
        options["keep"] = [name for name in names if name not in (column, id_column)]
    return files, column, options
