"""`voyageai batch`: whole jobs from a file and a directory, and single batches by id."""

from __future__ import annotations

import sys
import threading
from array import array
from collections.abc import Iterator, Mapping, Sequence
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import click

from .embed import method_for
from .files import upload_lines
from .options import (
    Connect,
    client_options,
    client_options_without_timeout,
    model_option,
    output_options,
    vector_options,
)
from .output import (
    VECTOR_FORMATS,
    Console,
    choose_format,
    is_terminal,
    pass_console,
    to_json,
    write_estimate,
    write_object,
    write_rows,
)
from .program import FAILED, PARTLY, Partly
from .rows import FORMATS as INPUTS
from .rows import Row, RowReader

if TYPE_CHECKING:
    from ..batches import Batch
    from ..client import Client

LIST_FORMATS = ("json", "jsonl", "csv", "table")
SUMMARY_FORMATS = ("json", "jsonl", "table")
BATCH_ROWS = 500
JOBS = ("embed", "contextualized_embed")
COLUMNS = ("id", "status", "endpoint", "model", "done", "failed", "total", "created")


@click.group()
def batch() -> None:
    """Run batch jobs, which cost less than live calls.

    `run` does a whole job, from a file of texts to their vectors. The other commands handle single
    batches of the API by id.
    """


@batch.command("run")
@click.argument("file")
@click.argument("directory")
@click.option(
    "--in", "in_", type=click.Choice(INPUTS), help="Format of FILE; by default its suffix's."
)
@click.option("--column", metavar="NAME", help="Column with the texts.")
@click.option("--id-column", metavar="NAME", help="Column with the ids.")
@model_option
@vector_options
@click.option(
    "--contextualized",
    is_flag=True,
    help="Adjacent rows with the same id are one document's chunks.",
)
@click.option("--keep", is_flag=True, help="Keep the other columns in the output.")
@click.option(
    "--estimate", "--dry-run", is_flag=True, help="Only show the expected tokens and cost."
)
@click.option("--exact", is_flag=True, help="Count the tokens of the estimate with the tokenizer.")
@click.option("--max-cost", type=float, metavar="DOLLARS", help="Upper limit of the cost.")
@click.option("--retry-failed", is_flag=True, help="Send rows that failed once more.")
@click.option("--poll", type=float, metavar="SECONDS", help="Time between two status checks.")
@output_options(*VECTOR_FORMATS)
@client_options
@pass_console
def run(console: Console, /, connect: Connect, file: str, directory: str, **values: Any) -> None:
    """Embed the rows of FILE as batches; DIRECTORY holds the job.

    Show the expected cost, upload, wait, download and join the results, which takes minutes to
    hours. It can be interrupted at any time: the same command continues, and nothing is sent or
    billed twice. -O writes the vectors, in the order of the rows; without it the job's totals are
    shown.

    \b
    Example:
      voyageai batch run -m voyage-4 documents.jsonl job --max-cost 5 -O vectors.parquet
    """
    from ..batches.jobs.directory import JobDirectoryError

    method = method_for(values["model"], contextualized=values["contextualized"])
    if method not in JOBS:
        raise click.UsageError(f"batches take texts, and {values['model']} takes other inputs")
    reader = RowReader(
        (), (file,), values["in_"], values["column"], values["id_column"], keep=values["keep"]
    )
    path = values["path"]
    format = choose_format(values["out"], path, SUMMARY_FORMATS if path is None else VECTOR_FORMATS)
    if path is not None and not reader.can_repeat:
        raise click.UsageError("with -O, FILE is read twice, which a pipe can't be; name a file")
    fields = ("model", "input_type", "output_dimension", "output_dtype", "poll")
    options: dict[str, Any] = {name: values[name] for name in fields}
    options |= {"exact_tokens": values["exact"], "progress": console.progress}
    with connect() as client:
        prepare: Any = getattr(client.batches, f"prepare_{method}")
        job: Any = prepare(_inputs(method, reader), directory=directory, **options)
        if values["estimate"]:
            write_estimate(job.estimate, values["out"], values["path"])
            return
        if not is_terminal(sys.stderr):  # on a terminal the job shows it itself
            console.note(str(job.estimate))
        start = job.retry_failed if values["retry_failed"] else job.run
        try:
            results = start(values["max_cost"])
        except JobDirectoryError:
            raise
        except BaseException as failure:
            failure.__notes__ = [
                f"The job is in {directory}, and what was sent continues at the server. "
                "The same command resumes it."
            ]
            raise
    _write_results(console, method, reader, results, format, values)


def _inputs(method: str, reader: RowReader) -> Iterator[Any]:
    """Yield the inputs of a job: texts, or documents as lists of their chunks."""
    from ..error import ArgumentError
    from .sending import Items

    for item in Items(reader, grouped=method == "contextualized_embed"):
        for row in item:
            if row.error is not None:
                raise ArgumentError(f"row {row.index} can't be sent: {row.error}", "file")
        yield [row.text for row in item] if method == "contextualized_embed" else item[0].text


def _write_results(
    console: Console,
    method: str,
    reader: RowReader,
    results: Any,
    format: str,
    values: Mapping[str, Any],
) -> None:
    """Write the vectors, or the totals.

    Raises:
        Partly: Some rows failed.
    """
    failed = len(results.failures)
    if values["path"] is None:
        value = {
            "directory": str(results.directory),
            "rows": len(results) - failed,
            "failed": failed,
            "tokens": results.total_tokens,
            "cost_usd": results.cost,
        }
        write_object(value, format)
    else:
        _write_vectors(method, reader, results, format, values)
    for failure in results.failures[:10]:
        console.note(f"voyageai: {failure}")
    if failed:
        raise Partly(
            f"{failed:,} of {len(results):,} rows failed; --retry-failed sends them once more"
        )


def _write_vectors(
    method: str, reader: RowReader, results: Any, format: str, values: Mapping[str, Any]
) -> None:
    from .sending import Items
    from .vectors import CODES, about, open_writer

    made = about(values["model"], values["input_type"], values["output_dtype"])
    code = CODES[made.number]
    items = Items(reader, grouped=method == "contextualized_embed")
    rows: list[Row] = []
    vectors: list[bytes | str] = []
    with open_writer(format, values["path"], made) as write:
        for item, found in zip(items, results, strict=True):
            rows += item
            if found.result is None:
                vectors += [str(found.failure)] * len(item)
            elif method == "contextualized_embed":
                vectors += found.result.to_bytes()
            else:
                vectors.append(array(code, found.result).tobytes())
            if len(rows) >= BATCH_ROWS:
                write(rows, vectors)
                rows, vectors = [], []
        if rows:
            write(rows, vectors)


@batch.command("submit")
@click.argument("file")
@model_option
@vector_options
@click.option(
    "--endpoint", metavar="PATH", help="Endpoint of the requests; by default the model's."
)
@click.option("--metadata", multiple=True, metavar="NAME=VALUE", help="Stored with it. Repeatable.")
@client_options
@pass_console
def submit(console: Console, /, connect: Connect, file: str, **values: Any) -> None:
    """Upload lines of requests and start a batch; print only its id.

    A line of FILE looks like {"custom_id": "1", "body": {"input": ["a text"]}}. All lines are
    checked before anything is sent.

    \b
    Example:
      voyageai batch watch $(voyageai batch submit -m voyage-4 lines.jsonl)
    """
    from voyageai_rest.models.batch_endpoint import BATCH_ENDPOINT_VALUES

    from ..argument_checks import catalogue_entry

    entry = catalogue_entry(values["model"])
    endpoints = {path.rpartition("/")[2]: path for path in BATCH_ENDPOINT_VALUES}
    own = None if entry is None else endpoints.get(entry.endpoint or "")
    endpoint: Any = values["endpoint"] or own
    if endpoint is None:
        shown = ", ".join(endpoints.values())
        raise click.UsageError(
            f"the endpoint of {values['model']} is not known, or takes no batches; name one with "
            f"--endpoint: {shown}"
        )
    pairs = [pair.partition("=") for pair in values["metadata"]]
    if not all(separator for _, separator, _ in pairs):
        raise click.UsageError("--metadata must look like corpus=weather")
    fields = ("model", "input_type", "output_dimension", "output_dtype")
    parameters = {name: values[name] for name in fields if values[name] is not None}
    if "rerank" in endpoint:
        del parameters["input_type"]
    with connect() as client:
        stored = upload_lines(client, file)
        console.note(f"{stored.id}: {stored.bytes:,} bytes")
        try:
            made = client.batches.create(
                endpoint, stored.id, parameters, metadata={name: value for name, _, value in pairs}
            )
        except BaseException as failure:
            failure.add_note(
                f"The file is stored as {stored.id}; voyageai files delete removes it."
            )
            raise
    click.echo(made.id)


@batch.command("list")
@click.option("--status", metavar="NAME", help="Only batches with this status.")
@click.option(
    "-n", "limit", type=click.IntRange(min=1), help="Show at most this many, the newest first."
)
@output_options(*LIST_FORMATS)
@client_options
def list_(
    connect: Connect, status: str | None, limit: int | None, out: str | None, path: str | None
) -> None:
    """List batches, the newest first.

    \b
    Example:
      voyageai batch list --status in_progress
    """
    from itertools import islice

    format = choose_format(out, path, LIST_FORMATS)
    with connect() as client:
        found = (each for each in client.batches.list() if status in (None, each.status))
        rows = (_row(each, format) for each in islice(found, limit))
        write_rows(rows, format, path, columns=COLUMNS if format in ("table", "csv") else None)


@batch.command("show")
@click.argument("batch_id", metavar="ID")
@output_options("json", "jsonl", "table")
@client_options
def show(connect: Connect, batch_id: str, out: str | None, path: str | None) -> None:
    """Show a batch.

    \b
    Example:
      voyageai batch show batch-3kQ9
    """
    with connect() as client:
        _show(client.batches.retrieve(batch_id), out, path)


@batch.command("cancel")
@click.argument("batch_id", metavar="ID")
@output_options("json", "jsonl", "table")
@client_options
def cancel(connect: Connect, batch_id: str, out: str | None, path: str | None) -> None:
    """Cancel a batch. Finished lines stay finished, and are billed.

    \b
    Example:
      voyageai batch cancel batch-3kQ9
    """
    with connect() as client:
        _show(client.batches.cancel(batch_id), out, path)


@batch.command("watch")
@click.argument("batch_ids", nargs=-1, required=True, metavar="ID...")
@click.option(
    "--timeout",
    "within",
    type=float,
    metavar="SECONDS",
    help="Stop waiting after this, with status 4.",
)
@click.option("--poll", type=float, metavar="SECONDS", help="Time between two status checks.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON lines; errors are JSON too.")
@client_options_without_timeout
@click.pass_context
def watch(
    ctx: click.Context,
    connect: Connect,
    batch_ids: Sequence[str],
    within: float | None,
    poll: float | None,
    as_json: bool,
) -> None:
    """Print a line for each change of batches, until all have ended.

    The exit status is 0 if all lines of all batches succeeded, 5 if some lines failed, and 1 if a
    batch failed, expired or was cancelled. Ctrl-C stops watching, and cancels no batch.

    \b
    Example:
      voyageai batch watch batch-3kQ9 && voyageai batch fetch batch-3kQ9 > vectors.jsonl
    """
    with connect() as client:
        ended: list[Batch] = []
        for found in _changes(client, batch_ids, within, poll):
            counts = found.request_counts
            words = f"{found.id} {found.status} {counts.completed}/{counts.total}"
            words += f" {counts.failed} failed" if counts.failed else ""
            click.echo(to_json(found.to_dict()) if as_json else words)
            if found.is_done:
                ended.append(found)
    if any(each.status != "completed" for each in ended):
        ctx.exit(FAILED)
    ctx.exit(PARTLY if any(each.request_counts.failed for each in ended) else 0)


def _changes(
    client: Client, batch_ids: Sequence[str], within: float | None, poll: float | None
) -> Iterator[Batch]:
    """Yield a batch whenever its state changes, until all have ended."""
    queue: SimpleQueue[Batch | BaseException | None] = SimpleQueue()

    def wait(batch_id: str) -> None:
        try:
            client.batches.wait(batch_id, timeout=within, poll=poll, on_change=queue.put)
        except BaseException as failure:  # noqa: BLE001  # raised again where it is yielded
            queue.put(failure)
        queue.put(None)

    for batch_id in batch_ids:
        threading.Thread(target=wait, args=(batch_id,), daemon=True).start()
    left = len(batch_ids)
    while left:
        found = queue.get()
        if found is None:
            left -= 1
        elif isinstance(found, BaseException):
            raise found
        else:
            yield found


@batch.command("fetch")
@click.argument("batch_id", metavar="ID")
@click.option("--errors", metavar="FILE", help="Write the lines that failed to this file.")
@click.option("--dtype", metavar="NAME", help="The requested dtype, if it is not float.")
@output_options(*VECTOR_FORMATS)
@client_options
@pass_console
def fetch(
    console: Console,
    /,
    connect: Connect,
    batch_id: str,
    errors: str | None,
    dtype: str | None,
    out: str | None,
    path: str | None,
) -> None:
    """Write the results of a batch in the order of its input.

    Rows are those of `embed`; a line of several texts gives several rows with the same id. Rankings
    are JSONL, an object per line of the input. A failed line gives a row without a vector.

    \b
    Example:
      voyageai batch fetch batch-3kQ9 -O vectors.parquet
    """
    from .fetching import fetch_results

    with connect() as client:
        failed, rows = fetch_results(client, batch_id, out, path, errors, dtype)
    console.note(f"{rows:,} rows of {batch_id}")
    if failed:
        raise Partly(f"{failed:,} lines of {batch_id} failed")


def _show(found: Batch, out: str | None, path: str | None) -> None:
    format = choose_format(out, path, ("json", "jsonl", "table"))
    write_object(_row(found, format) if format == "table" else found.to_dict(), format, path)


def _row(found: Batch, format: str) -> Mapping[str, Any]:
    if format in ("json", "jsonl"):
        return found.to_dict()
    counts = found.request_counts
    return {
        "id": found.id,
        "status": found.status,
        "endpoint": found.endpoint,
        "model": found.model,
        "done": counts.completed,
        "failed": counts.failed,
        "total": counts.total,
        "created": f"{found.created_at:%Y-%m-%d %H:%M}",
    }
