"""`voyageai similarity`: compare texts, or stored vectors, with each other."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click

from ..extras import require
from .options import Connect, client_options, output_options, vector_options
from .output import (
    Console,
    choose_format,
    open_destination,
    pass_console,
    shown,
    write_object,
    write_rows,
)
from .rows import STDIN, RowReader, check_readable, lines, opened

FORMATS = ("jsonl", "json", "csv", "table")
MAX_LABEL = 24


class Stored(NamedTuple):
    """Vectors that were read or embedded.

    Attributes:
        matrix: Array of shape (vectors, numbers per vector).
        labels: Name of each vector.
        dtype: Their dtype; None if it is not known.
        space: Their embedding space; None if it is not known.
    """

    matrix: Any
    labels: list[str]
    dtype: str | None
    space: str | None


@click.command()
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@click.option(
    "-f",
    "--file",
    "files",
    multiple=True,
    metavar="FILE",
    help="Vectors as embed writes them: .npy, .parquet or JSONL; - is JSONL from standard input. "
    "Given twice, those of the first are compared with those of the second.",
)
@click.option("-m", "--model", metavar="NAME", help="Name of the model; for texts.")
@vector_options
@output_options(*FORMATS)
@client_options
@pass_console
def similarity(
    console: Console,
    /,
    connect: Connect,
    texts: tuple[str, ...],
    files: tuple[str, ...],
    model: str | None,
    input_type: str | None,
    output_dimension: int | None,
    output_dtype: str | None,
    out: str | None,
    path: str | None,
) -> None:
    """Compare texts, or stored vectors.

    Two give one number, more a matrix; larger is more alike. Vectors of a file are compared
    without a call.

    \b
    Examples:
      voyageai similarity -m voyage-4 "It rains." "It pours."
      voyageai similarity -f queries.npy -f documents.npy -O scores.csv
    """
    from ..quantization import similarity as compare

    format = choose_format(out, path, FORMATS)
    if files:
        if texts:
            raise click.UsageError("give texts, or files of vectors with -f, not both")
        if len(files) > 2:
            raise click.UsageError("-f takes one or two files")
        inputs = [_read(each) for each in files]
    else:
        if model is None:
            raise click.UsageError(
                "comparing texts needs a model: -m NAME; `voyageai models` lists them"
            )
        inputs = [
            _embedded(console, connect, texts, model, input_type, output_dimension, output_dtype)
        ]
    left, right = inputs[0], inputs[-1]
    if left.space and right.space and left.space != right.space:
        console.error(
            f"voyageai: warning: the vectors are of different embedding spaces ({left.space} and "
            f"{right.space}); their similarity means nothing"
        )
    dtype = output_dtype or left.dtype or right.dtype or _dtype_of(left.matrix)
    scores = compare(left.matrix, right.matrix, dtype)
    pair = scores[0, -1] if len(inputs) == 1 and len(scores) == 2 else None
    if len(inputs) == 2 and scores.size == 1:
        pair = scores[0, 0]
    if pair is not None:
        _write_number(pair.item(), out, format, path)
        return
    _write_matrix(scores.tolist(), left.labels, right.labels, format, path)


def _embedded(
    console: Console,
    connect: Connect,
    texts: Sequence[str],
    model: str,
    input_type: str | None,
    output_dimension: int | None,
    output_dtype: str | None,
) -> Stored:
    """Embed texts with one call."""
    rows = list(RowReader(texts))
    for row in rows:
        if row.error is not None:
            raise click.UsageError(f"text {row.index}: {row.error}")
    if len(rows) < 2:
        raise click.UsageError("there is nothing to compare; give two texts or more")
    with connect() as client:
        result = client.embed(
            [row.text for row in rows],
            model,
            input_type,
            output_dimension=output_dimension,
            output_dtype=output_dtype,
        )
    console.note(f"{len(rows):,} texts, {result.total_tokens:,} tokens of {model}")
    labels = [_label(row.text) for row in rows]
    return Stored(result.to_numpy(), labels, result.output_dtype, result.space)


def _read(path: str) -> Stored:
    """Read vectors of a file that `embed` or numpy has written."""
    is_pipe = path == STDIN or not Path(path).is_file()
    suffix = ".jsonl" if is_pipe else Path(path).suffix.lower()
    check_readable(path)
    if suffix == ".npy":
        np = require("numpy", "numpy")
        try:
            matrix = np.load(path, mmap_mode="r", allow_pickle=False)
        except ValueError as failure:
            raise click.UsageError(f"{path} is not an .npy file: {failure}") from None
        return Stored(matrix, [*map(str, range(len(matrix)))], None, None)
    if suffix == ".parquet":
        return _read_parquet(path)
    if suffix in (".jsonl", ".ndjson"):
        return _read_lines(path)
    raise click.UsageError(f"-f reads .npy, .parquet and .jsonl, not {path}")


def _read_parquet(path: str) -> Stored:
    pq, np = require("pyarrow.parquet", "tables"), require("numpy", "numpy")
    pc = require("pyarrow.compute", "tables")
    try:
        table: Any = pq.read_table(path)
    except (OSError, ValueError) as failure:  # pyarrow's are both
        raise click.UsageError(f"{path} can't be read as Parquet: {failure}") from None
    if "embedding" not in table.column_names:
        raise click.UsageError(f"{path} has no column 'embedding', but {table.column_names}")
    column = table.column("embedding").combine_chunks()
    if column.null_count:
        raise click.UsageError(f"{path} has {column.null_count:,} rows without a vector")
    sizes = {*pc.list_value_length(column).to_pylist()}
    if len(sizes) > 1:
        raise click.UsageError(f"{path} has vectors of {min(sizes):,} to {max(sizes):,} numbers")
    matrix = np.asarray(column.flatten()).reshape(len(column), *(sizes or [0]))
    about: Mapping[bytes, bytes] = table.schema.metadata or {}
    ids: list[Any] = table.column("id").to_pylist() if "id" in table.column_names else []
    labels = [str(place) if id_ is None else str(id_) for place, id_ in enumerate(ids)]
    dtype, space = (about.get(f"voyageai.{name}".encode()) for name in ("output_dtype", "space"))
    return Stored(
        matrix,
        labels or [*map(str, range(len(matrix)))],
        None if dtype is None else dtype.decode(),
        None if space is None else space.decode(),
    )


def _read_lines(path: str) -> Stored:
    np = require("numpy", "numpy")
    vectors: list[list[float]] = []
    labels: list[str] = []
    with opened(path) as file:
        for number, line in enumerate(lines(file), 1):
            try:
                row: Any = json.loads(line)
                vector, id_ = row["embedding"], row.get("id")
            except (ValueError, TypeError, KeyError, AttributeError):
                raise click.UsageError(
                    f"line {number} of {path} is not a row of embed: it has no 'embedding'"
                ) from None
            if vector is None:
                raise click.UsageError(f"line {number} of {path} has no vector: {row.get('error')}")
            vectors.append(vector)
            labels.append(str(len(labels)) if id_ is None else str(id_))
    if not vectors:
        raise click.UsageError(f"there are no vectors in {path}")
    if len(set(map(len, vectors))) > 1:
        raise click.UsageError(f"the vectors in {path} are of different lengths")
    whole = all(isinstance(number, int) for number in vectors[0])
    return Stored(vectors if whole else np.array(vectors, np.float32), labels, None, None)


def _dtype_of(matrix: Any) -> str:
    """Return the dtype of vectors of an unknown dtype: float, if the numbers are floats.

    Raises:
        click.UsageError: They are whole numbers.
    """
    if not isinstance(matrix, list) and matrix.dtype.kind == "f":
        return "float"
    raise click.UsageError(
        "these vectors are whole numbers, so int8, uint8, binary or ubinary; name the dtype "
        "with --dtype"
    )


def _write_number(number: float, out: str | None, format: str, path: str | None) -> None:
    if out is None and format in ("table", "jsonl") and path in (None, "-"):
        with open_destination(path) as destination:
            destination.write(f"{number:.6g}\n".encode())
        return
    if format == "csv":
        write_rows([{"similarity": number}], format, path)
        return
    write_object({"similarity": number}, format, path)


def _write_matrix(
    scores: list[list[float]],
    left: Sequence[str],
    right: Sequence[str],
    format: str,
    path: str | None,
) -> None:
    if format in ("json", "jsonl"):
        objects: list[Mapping[str, Any]] = [
            {"index": place, "label": label, "similarity": row}
            for place, (label, row) in enumerate(zip(left, scores, strict=True))
        ]
        write_rows(objects, format, path)
        return
    # Labels may be equal, so columns are numbered.
    columns = [f"{place} {label}" for place, label in enumerate(right)]
    rows = [
        {
            "": label,
            **{name: _rounded(each, format) for name, each in zip(columns, row, strict=True)},
        }
        for label, row in zip(left, scores, strict=True)
    ]
    write_rows(rows, format, path)


def _rounded(number: float, format: str) -> object:
    return f"{number:.4g}" if format == "table" else number


def _label(text: str) -> str:
    label = shown(text)
    return label if len(label) <= MAX_LABEL else f"{label[:MAX_LABEL]}…"
