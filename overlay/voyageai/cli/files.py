"""`voyageai files`: stored files, which are the input and output of batches."""

from __future__ import annotations

import datetime
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .options import Connect, client_options, output_options
from .output import (
    Console,
    choose_format,
    confirm,
    is_terminal,
    open_destination,
    pass_console,
    quantity,
    write_object,
    write_rows,
)
from .rows import check_readable

if TYPE_CHECKING:
    from ..client import Client
    from ..files import FileObject

LIST_FORMATS = ("json", "jsonl", "csv", "table")
COLUMNS = ("id", "filename", "bytes", "purpose", "created")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
DELETES_PER_CALL = 50


@click.group()
def files() -> None:
    """List, upload, download and delete stored files."""


@files.command("list")
@click.option(
    "--purpose", metavar="NAME", help="Only files for this purpose, such as batch-output."
)
@click.option(
    "-n", "limit", type=click.IntRange(min=1), help="Show at most this many, the newest first."
)
@output_options(*LIST_FORMATS)
@client_options
def list_(
    connect: Connect, purpose: str | None, limit: int | None, out: str | None, path: str | None
) -> None:
    """List files, the newest first.

    \b
    Example:
      voyageai files list --purpose batch-output
    """
    from itertools import islice

    format = choose_format(out, path, LIST_FORMATS)
    with connect() as client:
        rows = (_row(each, format) for each in islice(client.files.list(purpose), limit))
        write_rows(rows, format, path, columns=COLUMNS if format in ("table", "csv") else None)


@files.command("show")
@click.argument("file_id", metavar="ID")
@output_options("json", "jsonl", "table")
@client_options
def show(connect: Connect, file_id: str, out: str | None, path: str | None) -> None:
    """Show a file, without its content.

    \b
    Example:
      voyageai files show file-3kQ9
    """
    with connect() as client:
        _show(client.files.retrieve(file_id), out, path)


@files.command("upload")
@click.argument("file")
@output_options("json", "jsonl", "table")
@client_options
def upload(connect: Connect, file: str, out: str | None, path: str | None) -> None:
    """Upload the lines of a batch. All are checked before anything is sent.

    \b
    Example:
      voyageai files upload lines.jsonl
    """
    with connect() as client:
        _show(upload_lines(client, file), out, path)


@files.command("download")
@click.argument("file_id", metavar="ID")
@click.option(
    "-O", "path", metavar="FILE", help="Write to this file; by default to standard output."
)
@client_options
@pass_console
def download(console: Console, /, connect: Connect, file_id: str, path: str | None) -> None:
    """Download the content of a file. With -O an interrupted download is resumed.

    \b
    Example:
      voyageai files download file-3kQ9 -O answers.jsonl
    """
    with connect() as client:
        content = client.files.content(file_id)
        if path in (None, "-"):
            with open_destination(None) as out:
                for piece in content.iter_bytes():
                    out.write(piece)
            return
        written = content.write_to(str(path), resume=True)
    console.note(f"{written.stat().st_size:,} bytes in {written}")


@files.command("delete")
@click.argument("file_ids", nargs=-1, metavar="[ID]...")
@click.option("--older-than", metavar="AGE", help="Delete all files older than this: 7d, 12h.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@client_options
@pass_console
def delete(
    console: Console,
    /,
    connect: Connect,
    file_ids: Sequence[str],
    older_than: str | None,
    yes: bool,
) -> None:
    """Delete files by id or by age.

    By age, the command asks first; without a terminal it needs --yes. It prints the deleted ids.

    \b
    Example:
      voyageai files delete --older-than 7d --yes
    """
    if bool(file_ids) == (older_than is not None):
        raise click.UsageError("give ids of files, or --older-than")
    age = None if older_than is None else _age(older_than)
    if age is not None and not yes and not is_terminal(sys.stdin):
        raise click.UsageError("--older-than needs --yes without a terminal to ask on")
    with connect() as client:
        if age is not None:
            before = datetime.datetime.now(datetime.UTC) - age
            file_ids = [each.id for each in client.files.list() if each.created_at <= before]
            if not file_ids:
                console.note("no file is that old")
                return
            confirm(f"Delete {quantity(len(file_ids), 'file')}?", "nothing was deleted", yes=yes)
        for start in range(0, len(file_ids), DELETES_PER_CALL):
            batch = list(file_ids[start : start + DELETES_PER_CALL])
            if len(batch) == 1:
                client.files.delete(batch[0])
            else:
                client.files.delete_many(batch)
            click.echo("\n".join(batch))


def upload_lines(client: Client, file: str) -> FileObject:
    """Upload the lines of a batch under their file's name, with the suffix `.jsonl`.

    Raises:
        click.UsageError: The file does not exist.
    """
    check_readable(file, "FILE")
    return client.files.upload(file, filename=f"{Path(file).stem}.jsonl")


def _age(text: str) -> datetime.timedelta:
    found = re.fullmatch(r"(\d{1,6})([smhdw])", text)
    if found is None:
        raise click.UsageError(f"--older-than must look like 7d, 12h or 30m, not {text!r}")
    return datetime.timedelta(**{UNITS[found[2]]: int(found[1])})


def _show(found: FileObject, out: str | None, path: str | None) -> None:
    format = choose_format(out, path, ("json", "jsonl", "table"))
    write_object(_row(found, format) if format == "table" else found.to_dict(), format, path)


def _row(found: FileObject, format: str) -> Mapping[str, Any]:
    if format in ("json", "jsonl"):
        return found.to_dict()
    return {
        "id": found.id,
        "filename": found.filename,
        "bytes": found.bytes,
        "purpose": found.purpose,
        "created": f"{found.created_at:%Y-%m-%d %H:%M}",
    }
