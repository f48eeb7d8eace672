"""Slices: the rows that become one Parquet file, and what is kept of them until then.

While a slice is unfinished, its folder `_job/000012` holds

columns.arrow   ids and kept columns, in the order of the rows
vectors.bin     the vectors, each at the offset of its row
log.jsonl       requests and their outcomes, so that none is sent again after a crash

Finally `part-000012.parquet` is written under a temporary name, synced and renamed. Rows without a
vector are in `_job/000012.failures.jsonl`.
"""

from __future__ import annotations

import json
import os
import shutil
import zlib
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from attrs import asdict, define, field, frozen

from ..disk import make_folder, open_regular, sync_folder
from ..error import ArgumentError
from ..extras import require
from ..vectors import FORMATS

__all__ = [
    "Failure",
    "PartInfo",
    "Shape",
    "Slice",
    "answered",
    "billed",
    "read_failures",
    "read_info",
    "reopen",
    "takes_null_vectors",
]

METADATA = b"voyageai"
"""Key of a part's metadata in the Parquet schema."""
COPIED = 4096
"""Rows that are copied into a part at a time."""
WAITING, DONE, FAILED = 0, 1, 2
NUMBERS = {"float": "float32", "double": "float64"}
"""Arrow's names of number types that differ from ours."""


@frozen(kw_only=True)
class Failure:
    """A row without a result.

    Attributes:
        id: Id of the row.
        row: Number of the row within its slice, from 0.
        slice: Number of the slice.
        code: The kind of reason: `null`, `empty`, `invalid_text`, or `refused` by the server.
        status: HTTP status, if the server refused the row.
        message: The reason as text.
        text: Beginning of the row's text.
    """

    id: Any
    row: int
    slice: int
    code: str
    message: str
    status: int | None = None
    text: str = ""


@frozen(kw_only=True)
class Shape:
    """The column that is written for a row's result.

    Attributes:
        column: Name of the column.
        number: Type of the numbers: float32, int8, uint8 or float64.
        columns: Numbers per row; None for a scalar.
    """

    column: str
    number: str
    columns: int | None

    @property
    def item(self) -> int:
        """Bytes per number."""
        return array(FORMATS[self.number]).itemsize

    @property
    def width(self) -> int:
        """Bytes per row."""
        return (self.columns or 1) * self.item

    def to_arrow(self, buffer: Any, rows: int) -> Any:
        """Return an Arrow array of shape (rows,) over a buffer of numbers, row after row."""
        pa = require("pyarrow", "tables")
        number = getattr(pa, self.number)()
        flat = pa.Array.from_buffers(
            number, rows * (self.columns or 1), [None, pa.py_buffer(buffer)]
        )
        return (
            flat if self.columns is None else pa.FixedSizeListArray.from_arrays(flat, self.columns)
        )

    @property
    def type(self) -> Any:
        """The Arrow type of the column."""
        pa = require("pyarrow", "tables")
        number = getattr(pa, self.number)()
        return number if self.columns is None else pa.list_(number, self.columns)


@frozen(kw_only=True)
class PartInfo:
    """The metadata of a part, which is a finished slice.

    Attributes:
        job: Id of the job.
        slice: Number of the slice.
        input: Number of the input of the rows.
        first: Number of the first row in the input.
        rows: Number of rows, those that failed included.
        failed: Number of rows that failed.
        last: True if the input ends with the slice.
        digest: Digest of the rows, if the source can't be read again.
        tokens: Billed tokens.
        unknown_tokens: Most tokens that may have been billed for requests whose response was lost.
        about: Description of the vectors: model, dimension, dtype, input type, embedding space.
    """

    job: str
    slice: int
    input: int
    first: int
    rows: int
    failed: int
    last: bool
    digest: str
    tokens: int
    unknown_tokens: int
    about: dict[str, Any] = field(factory=dict[str, Any])


def takes_null_vectors() -> bool:
    """Return whether this pyarrow can read nulls among lists of fixed size back from Parquet.

    Version 26 can; versions 16 to 24 refuse the file.
    """
    version: str = require("pyarrow", "tables").__version__
    return int(version.partition(".")[0]) >= 26


def read_info(path: Path) -> PartInfo:
    """Read the metadata of a part, a Parquet or an Arrow file.

    Raises:
        ValueError: The file is no part of a job.
        ArgumentError: The file is damaged.
    """
    pa = require("pyarrow", "tables")
    try:
        if path.suffix == ".arrow":
            with pa.OSFile(str(path)) as file, pa.ipc.open_file(file) as opened:
                schema = opened.schema
        else:
            schema = require("pyarrow.parquet", "tables").read_schema(path)
    except pa.ArrowInvalid as failure:
        raise ArgumentError(
            f"{path} is damaged: {failure}; remove it, and run the job again", "path"
        ) from None
    metadata: dict[bytes, bytes] = schema.metadata or {}
    found = metadata.get(METADATA)
    if found is None:
        raise ValueError(f"{path} is no part of a job: it lacks the metadata")
    return PartInfo(**json.loads(found))


def read_failures(path: Path) -> Iterator[Failure]:
    """Yield the failures in a file; none if it does not exist."""
    if path.exists():
        with open_regular(path) as file:
            for line in file:
                yield Failure(**json.loads(line))


def billed(path: Path) -> tuple[int, int]:
    """Return the billed tokens of an unfinished slice.

    Args:
        path: Folder of the slice.

    Returns:
        Tokens that responses reported, and the most that lost responses may have been billed.
    """
    answers, unknown = _read_log(path / "log.jsonl")
    return sum(event["billed"] for event in answers), unknown


def answered(path: Path) -> Iterator[tuple[Shape, int, bytes]]:
    """Yield the results of an unfinished slice.

    Args:
        path: Folder of the slice.

    Yields:
        The shape of a result, the number of a row within the slice, and the contiguous results from
        that row on.
    """
    answers, _ = _read_log(path / "log.jsonl")
    if not answers:
        return
    with open_regular(path / "vectors.bin") as file:
        for event in answers:
            if _is_intact(file, event):
                shape = Shape(**event["shape"])
                for start, stop in event["rows"]:
                    file.seek(start * shape.width)
                    yield shape, start, file.read((stop - start) * shape.width)


def reopen(path: Path, part: PartInfo, folder: Path, shape: Shape) -> None:
    """Reopen a finished slice, so that its failed rows are sent again.

    The part stays until the slice is finished again.

    Args:
        path: Path of the part.
        part: Metadata of the part.
        folder: The job's folder.
        shape: Shape of a result, used if no row has one.
    """
    pa, pq = require("pyarrow", "tables"), require("pyarrow.parquet", "tables")
    own = folder / f"{part.slice:06d}"
    failed = {failure.row for failure in read_failures(own.with_suffix(".failures.jsonl"))}
    good = [row for row in range(part.rows) if row not in failed]
    fresh = own.with_name(f".{own.name}")
    _remove(fresh)
    make_folder(fresh)
    checksum = 0
    with open_regular(fresh / "vectors.bin", "wb") as file:
        place = 0
        opened = pq.ParquetFile(path)
        field_ = opened.schema_arrow.field(len(opened.schema_arrow) - 1)
        if pa.types.is_fixed_size_list(field_.type):
            number, columns = str(field_.type.value_type), field_.type.list_size
            shape = Shape(column=field_.name, number=NUMBERS.get(number, number), columns=columns)
        for batch in opened.iter_batches(COPIED, columns=[field_.name]):
            column = batch.column(0).drop_null()
            flat = column.flatten() if shape.columns is not None else column
            offset, size = flat.offset * shape.item, len(flat) * shape.item
            data = memoryview(flat.buffers()[1])[offset : offset + size] if size else b""
            checksum = zlib.crc32(data, checksum)
            _write_spans(file, _spans(good[place : place + len(column)]), data, shape.width)
            place += len(column)
    answer = {
        "answered": -1,
        "rows": _spans(good),
        "crc": checksum,
        "billed": part.tokens,
        "shape": asdict(shape),
    }
    lost = {"released": -1, "unknown": part.unknown_tokens}
    _write_whole(fresh / "log.jsonl", _line(answer) + _line(lost))
    fresh.rename(own)


def _read_log(path: Path) -> tuple[list[dict[str, Any]], int]:
    """Return the responses in a log, and the tokens that may have been billed without one."""
    sent: dict[int, int] = {}
    answers: list[dict[str, Any]] = []
    unknown = 0
    if not path.exists():
        return answers, unknown
    with open_regular(path) as file:
        for line in file:
            try:
                event = json.loads(line)
            except ValueError:  # the last line, cut off by a crash
                break
            if "sent" in event:
                sent[event["sent"]] = event["tokens"]
            elif "answered" in event:
                sent.pop(event["answered"], None)
                answers.append(event)
            else:
                sent.pop(event["released"], None)
                unknown += event["unknown"]
    return answers, unknown + sum(sent.values())  # requests in flight may have been billed


def _is_intact(file: IO[bytes], event: dict[str, Any]) -> bool:
    """Return whether the results of a response match their checksum in the log."""
    width, checksum = Shape(**event["shape"]).width, 0
    for start, stop in event["rows"]:
        file.seek(start * width)
        checksum = zlib.crc32(file.read((stop - start) * width), checksum)
    return bool(checksum == event["crc"])


@define
class _Sent:
    """A request in flight: spans of its rows, and its most billable tokens."""

    spans: list[tuple[int, int]]
    tokens: int


class Slice:
    """An unfinished slice.

    Args:
        folder: The job's folder.
        number: Number of the slice.
        input: Number of the input.
        first: Number of the slice's first row in the input.

    Attributes:
        rows: Number of rows read so far.
        done: Number of rows with a result.
        is_read: True once all rows of the slice are read.
        is_last: True if the input ends with the slice.
        failures: Rows without a result.
        tokens: Billed tokens.
        unknown_tokens: Most tokens that may have been billed for lost responses.
        answered: Rows whose vectors are left from an earlier run.
    """

    def __init__(self, folder: Path, number: int, input: int, first: int) -> None:
        self.number, self.input, self.first = number, input, first
        self.path = folder / f"{number:06d}"
        self.rows = self.done = 0
        self.is_read = self.is_last = False
        self.digest = ""
        self.failures: list[Failure] = []
        self.tokens = self.unknown_tokens = 0
        self._status = bytearray()
        self._left = 0
        self._shape: Shape | None = None
        self._sent: dict[int, _Sent] = {}
        self._next = 0
        self.answered: set[int] = set()
        make_folder(self.path)
        self._recover()
        self._log = self._open("log.jsonl", "ab")
        self._vectors = self._open("vectors.bin", "r+b" if self.answered else "w+b")
        self._columns: Any = None

    def add(self, batch: Any) -> range:
        """Add the ids and kept columns of rows.

        Args:
            batch: A record batch of these columns.

        Returns:
            The numbers of the rows within the slice.
        """
        if self._columns is None:
            ipc = require("pyarrow.ipc", "tables")
            self._columns = ipc.new_file(str(self.path / "columns.arrow"), batch.schema)
        self._columns.write_batch(batch)
        first, self.rows = self.rows, self.rows + batch.num_rows
        self._status += bytes(batch.num_rows)
        self._left += batch.num_rows
        return range(first, self.rows)

    def take_over(self, rows: Sequence[int]) -> bool:
        """Mark rows as done if an earlier run has left all their vectors; return whether it has."""
        if not self.answered.issuperset(rows):
            return False
        self._set(_spans(rows), DONE)
        return True

    def send(self, rows: Sequence[int], tokens: int) -> int:
        """Record that a request is about to be sent, with its most billable tokens.

        Returns:
            The number of the request.
        """
        number, self._next = self._next, self._next + 1
        self._sent[number] = _Sent(_spans(rows), tokens)
        self._write(sent=number, tokens=tokens)
        return number

    def answer(self, request: int, shape: Shape, data: memoryview, tokens: int) -> None:
        """Keep the results of a request.

        Args:
            request: Number of the request.
            shape: Shape of the results.
            data: Bytes, row after row, in the order of the request's rows.
            tokens: Billed tokens.
        """
        spans = self._sent.pop(request).spans
        self._keep(spans, shape, data, tokens)
        self._vectors.flush()
        checksum = zlib.crc32(data)
        self._write(answered=request, rows=spans, crc=checksum, billed=tokens, shape=asdict(shape))

    def keep(self, rows: Sequence[int], shape: Shape, data: memoryview, tokens: int) -> None:
        """Keep the results of rows without a record of it: after a crash they are lost.

        Args:
            rows: Numbers of the rows.
            shape, data, tokens: As in `answer`.
        """
        self._keep(_spans(rows), shape, data, tokens)

    def _keep(
        self, spans: list[tuple[int, int]], shape: Shape, data: memoryview, tokens: int
    ) -> None:
        self._shape = shape
        _write_spans(self._vectors, spans, data, shape.width)
        self.tokens += tokens
        self._set(spans, DONE)

    def release(self, request: int, *, billed: bool | None = False) -> None:
        """Record that a request has no response: it was not billed, or (None) it may have been."""
        sent = self._sent.pop(request)
        if billed is None:
            self.unknown_tokens += sent.tokens
        self._write(released=request, unknown=sent.tokens if billed is None else 0)

    def fail(self, failure: Failure) -> None:
        """Record that a row has no result."""
        self.failures.append(failure)
        self._set([(failure.row, failure.row + 1)], FAILED)

    @property
    def is_done(self) -> bool:
        """True once all rows are read, and each has a result or a failure."""
        return self.is_read and not self._left

    def finish(self, info: dict[str, Any], shape: Shape, folder: Path, *, nulls: bool) -> PartInfo:
        """Write the part, and remove the slice's folder.

        Args:
            info: The job's id and the description of the vectors, for the metadata.
            shape: Shape of a result, used if no row has one.
            folder: Folder of the parts.
            nulls: True to write failed rows with a null.
        """
        shape = self._shape or shape
        self._vectors.flush()
        if self._columns is not None:
            self._columns.close()
        self.failures.sort(key=lambda failure: failure.row)
        part = PartInfo(
            slice=self.number,
            input=self.input,
            first=self.first,
            rows=self.rows,
            failed=len(self.failures),
            last=self.is_last,
            digest=self.digest,
            tokens=self.tokens,
            unknown_tokens=self.unknown_tokens,
            **info,
        )
        failures = self.path.with_suffix(".failures.jsonl")
        if self.failures:
            _write_whole(failures, b"".join(_line(asdict(failure)) for failure in self.failures))
        else:
            failures.unlink(missing_ok=True)
        self._write_part(part, shape, folder / f"part-{self.number:06d}.parquet", nulls=nulls)
        self.close()
        # Renamed first: a half-removed folder would look like a slice without responses.
        gone = self.path.with_name(f".{self.path.name}")
        _remove(gone)
        self.path.rename(gone)
        _remove(gone)
        return part

    def close(self) -> None:
        """Close the files, and leave them for another run."""
        self._log.close()
        self._vectors.close()
        if self._columns is not None:
            self._columns.close()

    def _write_part(self, part: PartInfo, shape: Shape, path: Path, *, nulls: bool) -> None:
        pa, pq = require("pyarrow", "tables"), require("pyarrow.parquet", "tables")
        fresh = path.with_name(f".{path.name}.part")
        self._vectors.truncate(
            self.rows * shape.width
        )  # extends the file if the last rows have failed
        vectors: Any = self._vectors  # `IO` has no `readinto`
        vectors.seek(0)
        buffer = bytearray()
        with pa.memory_map(str(self.path / "columns.arrow")) as columns:
            opened = pa.ipc.open_file(columns)
            fields = [*opened.schema, pa.field(shape.column, shape.type)]
            metadata = {METADATA: json.dumps(asdict(part)).encode()}
            schema = pa.schema(fields, metadata)
            names = [field_.name for field_ in opened.schema]
            with (
                open_regular(fresh, "wb") as file,
                pq.ParquetWriter(
                    file,
                    schema,
                    compression=dict.fromkeys(names, "zstd") or "none",
                    use_dictionary=names or False,
                    write_statistics=names or False,
                ) as writer,
            ):
                row = 0
                for piece in _coalesced(opened):
                    count = piece.num_rows
                    size = count * shape.width
                    if len(buffer) < size:  # reused, as allocation is slow
                        buffer = bytearray(size)
                    numbers = memoryview(buffer)[:size]
                    vectors.readinto(numbers)
                    status = self._status[row : row + count]
                    writer.write_batch(_joined(piece, shape, numbers, status, schema, nulls=nulls))
                    row += count
                writer.close()
                file.flush()
                os.fsync(file.fileno())
        fresh.replace(path)
        sync_folder(path.parent)

    def _recover(self) -> None:
        """Recover the results of an earlier run."""
        path = self.path / "log.jsonl"
        if not path.exists():
            return
        answers, self.unknown_tokens = _read_log(path)
        with self._open("vectors.bin", "a+b") as file:
            for event in answers:
                self.tokens += event["billed"]
                if _is_intact(file, event):
                    self._shape = Shape(**event["shape"])
                    for start, stop in event["rows"]:
                        self.answered.update(range(start, stop))
        # Losses are counted once: a single line sums up the past.
        _write_whole(
            path,
            b"".join(_line({**event, "answered": -1}) for event in answers)
            + _line({"released": -1, "unknown": self.unknown_tokens}),
        )

    def _set(self, spans: list[tuple[int, int]], status: int) -> None:
        for start, stop in spans:
            waiting = self._status.count(WAITING, start, stop)
            self._left -= waiting
            self.done += waiting * (status == DONE)
            self._status[start:stop] = bytes([status]) * (stop - start)

    def _write(self, **event: Any) -> None:
        self._log.write(_line(event))
        self._log.flush()

    def _open(self, name: str, mode: str) -> IO[bytes]:
        if mode == "w+b":
            open_regular(self.path / name, "wb").close()
            mode = "r+b"
        return open_regular(self.path / name, mode)


def _spans(rows: Sequence[int]) -> list[tuple[int, int]]:
    """Return the spans of consecutive rows, in order."""
    np = require("numpy", "tables")
    numbers = np.asarray(rows, np.int64)
    first = np.diff(numbers, prepend=-2) != 1  # True where a row begins a span
    last = np.diff(numbers, append=-2) != 1
    return list(zip(numbers[first].tolist(), (numbers[last] + 1).tolist(), strict=True))


def _write_spans(
    file: IO[bytes], spans: list[tuple[int, int]], data: memoryview | bytes, width: int
) -> None:
    """Write the vectors of spans of rows, which are contiguous in `data`, at their offsets."""
    offset = 0
    for start, stop in spans:
        size = (stop - start) * width
        file.seek(start * width)
        file.write(data[offset : offset + size])
        offset += size


def _remove(folder: Path) -> None:
    """Remove a folder, if it exists."""
    if folder.exists():
        shutil.rmtree(folder)


def _line(event: Any) -> bytes:
    return json.dumps(event, default=str).encode() + b"\n"


def _write_whole(path: Path, content: bytes) -> None:
    fresh = path.with_name(f"{path.name}.part")
    with open_regular(fresh, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def _coalesced(opened: Any) -> Iterator[Any]:
    """Yield the batches of an Arrow file, combined to a few thousand rows each."""
    pending: list[Any] = []
    for number in range(opened.num_record_batches):
        batch = opened.get_batch(number)
        if not batch.num_rows:  # a source without rows
            continue
        pending.append(batch)
        if sum(batch.num_rows for batch in pending) >= COPIED:
            yield _combined(pending)
            pending = []
    if pending:
        yield _combined(pending)


def _combined(batches: list[Any]) -> Any:
    """Combine batches that have rows, without `concat_batches`, which came with pyarrow 19."""
    table = require("pyarrow", "tables").Table.from_batches(batches)
    return table.combine_chunks().to_batches()[0]


def _joined(
    columns: Any, shape: Shape, numbers: Any, status: bytearray, schema: Any, *, nulls: bool
) -> Any:
    """Return a record batch of columns and vectors, without failed rows or with nulls for them."""
    pa = require("pyarrow", "tables")
    vectors = shape.to_arrow(numbers, columns.num_rows)
    if FAILED in status:
        good = [value == DONE for value in status]
        if nulls:
            indices = pa.array([row if fine else None for row, fine in enumerate(good)], pa.int32())
            vectors = vectors.take(indices)
        else:
            mask = pa.array(good)
            columns, vectors = columns.filter(mask), vectors.filter(mask)
    return pa.RecordBatch.from_arrays([*columns.columns, vectors], schema=schema)
