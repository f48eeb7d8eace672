"""The results of a batch, in the order of its input; the server keeps them in another order."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import click

from ..vectors import Vectors
from .output import VECTOR_FORMATS, choose_format, write_rows
from .rows import Row
from .vectors import about, open_writer

if TYPE_CHECKING:
    from ..batches import Batch
    from ..client import Client

__all__ = ["fetch_results"]

BATCH_ROWS = 500
TEXT_FORMATS = ("jsonl", "json", "csv", "table")
"""Formats in which a whole number looks the same for every dtype."""


class _Line(NamedTuple):
    """A line of the input with its result.

    Attributes:
        custom_id: Its `custom_id`.
        body: The body of the response; None if the line failed.
        error: The reason of the failure; None if it succeeded.
    """

    custom_id: str
    body: Any
    error: str | None


def fetch_results(
    client: Client,
    batch_id: str,
    out: str | None,
    path: str | None,
    errors: str | None,
    dtype: str | None,
) -> tuple[int, int]:
    """Write the results of a batch.

    Args:
        client: The client to fetch with.
        batch_id: Id of the batch.
        out, path: Format and file of the output.
        errors: Path of a file for the failed lines; None for none.
        dtype: The requested dtype, which the server does not report; None if it is not known.

    Returns:
        The number of failed lines, and the number of rows written.

    Raises:
        click.UsageError: The batch has not ended or has no results, or `out` is a format of vectors
            and the results are rankings.
        VoyageError: A call failed.
    """
    found = client.batches.retrieve(batch_id)
    if not found.is_done:
        raise click.UsageError(
            f"{batch_id} is {found.status}; wait for it with voyageai batch watch"
        )
    if found.output_file_id is None and found.error_file_id is None:
        reasons = "; ".join(error.message for error in found.errors)
        raise click.UsageError(f"{batch_id} is {found.status} and has no results: {reasons}")
    if errors is not None and found.error_file_id is not None:
        client.files.content(found.error_file_id).write_to(errors)
    with tempfile.TemporaryFile() as spool:
        lines = _in_order(client, found, spool)
        if found.endpoint.endswith("rerank"):
            format = choose_format(out, path, ("jsonl", "json"), "jsonl")
            return _write_rankings(lines, format, path)
        return _write_vectors(lines, found, choose_format(out, path, VECTOR_FORMATS), path, dtype)


def _in_order(client: Client, found: Batch, spool: IO[bytes]) -> Iterator[_Line]:
    """Spool all answers to a file, and yield them in the order of the input."""
    places: dict[str, tuple[int, int]] = {}
    for file_id in (found.output_file_id, found.error_file_id):
        if file_id is None:
            continue
        for answer in client.files.content(file_id).lines():
            data = json.dumps(answer).encode()
            places[answer["custom_id"]] = (spool.tell(), len(data))
            spool.write(data)
    for request in client.files.content(found.input_file_id).lines():
        name = request["custom_id"]
        if name not in places:
            yield _Line(name, None, f"there is no answer; the batch is {found.status}")
            continue
        start, size = places[name]
        spool.seek(start)
        answer = json.loads(spool.read(size))
        response: Any = answer.get("response") or {}
        body: Any = response.get("body")
        if response.get("status_code") == 200 and isinstance(body, dict):
            yield _Line(name, body, None)
        else:
            yield _Line(name, None, _reason(answer.get("error"), body))


def _reason(error: Any, body: Any) -> str:
    sources: list[dict[str, Any]] = [each for each in (error, body) if isinstance(each, dict)]
    found = (each[name] for each in sources for name in ("message", "detail") if each.get(name))
    return str(next(found, "it failed, and the server gave no reason"))


def _write_rankings(lines: Iterator[_Line], format: str, path: str | None) -> tuple[int, int]:
    failed = rows = 0

    def objects() -> Iterator[dict[str, Any]]:
        nonlocal failed, rows
        for line in lines:
            rows += 1
            failed += line.error is not None
            results = None if line.body is None else line.body.get("data")
            yield {"id": line.custom_id, "results": results, "error": line.error}

    write_rows(objects(), format, path)
    return failed, rows


def _write_vectors(
    lines: Iterator[_Line], found: Batch, format: str, path: str | None, dtype: str | None
) -> tuple[int, int]:
    failed = index = 0
    rows: list[Row] = []
    vectors: list[bytes | str] = []
    with open_writer(format, path, about(found.model or "", None, dtype)) as write:
        for line in lines:
            new: list[bytes | str] = []
            if line.error is not None:
                failed += 1
                new = [line.error]
            else:
                new += _vectors(line.body, dtype, whole=format in TEXT_FORMATS)
            for vector in new:
                error = vector if isinstance(vector, str) else None
                rows.append(Row(index, line.custom_id, "", {}, error))
                vectors.append(vector)
                index += 1
            if len(rows) >= BATCH_ROWS:
                write(rows, vectors)
                rows, vectors = [], []
        write(rows, vectors)
    return failed, index


def _vectors(body: Any, dtype: str | None, *, whole: bool) -> list[bytes]:
    """Return the vectors of a response: of its texts, or of all chunks of its documents.

    Args:
        body: The body of the response.
        dtype: The requested dtype; None if it is not known.
        whole: True if whole numbers may be written as floats, since they look the same.

    Raises:
        click.UsageError: The numbers are whole, and `dtype` is None.
    """
    entries: list[Any] = sorted(body["data"], key=lambda entry: entry.get("index", 0))
    parts = [entry.get("data", [entry]) for entry in entries]
    found = [
        chunk["embedding"]
        for part in parts
        for chunk in sorted(part, key=lambda chunk: chunk.get("index", 0))
    ]
    are_lists = isinstance(found[0], list) if found else False  # else base64, of floats
    numbers: list[Any] = found[0] if are_lists else [0.5]
    if dtype is None and not whole and all(isinstance(number, int) for number in numbers):
        raise click.UsageError(
            "the vectors are whole numbers, and the server does not report the requested dtype; "
            "name it with --dtype"
        )
    return Vectors.decode(found, dtype).to_bytes()
