"""Slices: the rows that become one Parquet file, and what is kept of them until they do.

While a slice is worked on, its folder `_job/000012` holds

columns.arrow   ids and kept columns, in the order of the rows
vectors.bin     the vectors, each at the place of its row
log.jsonl       what was sent and what came of it, so that nothing is sent twice after a crash

and in the end `part-000012.parquet` is written beside, synced and renamed. Rows without a vector
are in `_job/000012.failures.jsonl`.
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
"""Key of a part's metadata."""
COPIED = 4096
"""Rows that are copied into a part at once."""
WAITING, DONE, FAILED = 0, 1, 2
NUMBERS = {"float": "float32", "double": "float64"}
"""Names of Arrow's types of numbers that are called otherwise here."""


@frozen(kw_only=True)
class Failure:
    """A row without a result.

    Attributes:
        id: The row's id.
        row: Its number within its slice, from 0.
        slice: The number of its slice.
        code: The kind of reason: `null`, `empty`, `invalid_text`, or `refused` by the server.
        status: HTTP status, where the server refused it.
        message: The reason, for people.
        text: How its text begins.
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
    """Columns that are written for a row.

    Attributes:
        column: Name of the column.
        number: Type of a number: float32, int8, uint8 or float64.
        columns: Numbers per row; None for a plain number.
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
        """An Arrow array over a buffer of numbers, row after row."""
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
    """Metadata of a finished part.

    Attributes:
        job: Id of the job.
        slice: Number of the slice.
        input: Number of the input that it was read from.
        first: Number of its first row in that input.
        rows: Rows of the input that it covers, with those that failed.
        failed: How many failed.
        last: Whether the input ends with it.
        digest: Digest of what was read, where the source can't be read again.
        tokens: Tokens that were billed for it.
        unknown_tokens: Tokens that may have been billed, at most, for requests whose answer was
            lost.
        about: What the vectors are: model, dimension, dtype, input type, embedding space.
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
    """Return whether this pyarrow reads back nulls among lists of fixed size.

    Version 26 does; those from 16 to 24 refuse the file.
    """
    version: str = require("pyarrow", "tables").__version__
    return int(version.partition(".")[0]) >= 26


def read_info(path: Path) -> PartInfo:
    """Read what a part says of itself, be it Parquet or an Arrow file.

    Raises:
        ValueError: It is no part of a job.
        ArgumentError: It is damaged.
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
            f"{path} is damaged: {failure}; remove it, and make it anew", "path"
        ) from None
    metadata: dict[bytes, bytes] = schema.metadata or {}
    found = metadata.get(METADATA)
    if found is None:
        raise ValueError(f"{path} is no part of a job: it has no metadata of one")
    return PartInfo(**json.loads(found))


def read_failures(path: Path) -> Iterator[Failure]:
    """Read the failures of a slice; none if there is no such file."""
    if path.exists():
        with open_regular(path) as file:
            for line in file:
                yield Failure(**json.loads(line))


def billed(path: Path) -> tuple[int, int]:
    """Read what was billed for a slice that is not finished.

    Args:
        path: Its folder.

    Returns:
        Tokens that answers reported, and tokens that lost answers may have been billed, at most.
    """
    answers, unknown = _read_log(path / "log.jsonl")
    return sum(event["billed"] for event in answers), unknown


def answered(path: Path) -> Iterator[tuple[Shape, int, bytes]]:
    """Read the results of a slice that is not finished.

    Args:
        path: Its folder.

    Yields:
        What a result is, the number of a row within the slice, and the results of this row and
        those that follow it, end to end.
    """
    answers, _ = _read_log(path / "log.jsonl")
    if not answers:
        return
    with open_regular(path / "vectors.bin") as file:
        for event in answers:
            if _is_there(file, event):
                shape = Shape(**event["shape"])
                for start, stop in event["rows"]:
                    file.seek(start * shape.width)
                    yield shape, start, file.read((stop - start) * shape.width)


def reopen(path: Path, part: PartInfo, folder: Path, shape: Shape) -> None:
    """Make an unfinished slice of a finished one, so that the rows that failed are sent again.

    The part stays until the slice is finished once more.

    Args:
        path: The part.
        part: What it says of itself.
        folder: The job's own folder.
        shape: What is written for a row, where no row has a result.
    """
    pa, pq = require("pyarrow", "tables"), require("pyarrow.parquet", "tables")
    own = folder / f"{part.slice:06d}"
    failed = {failure.row for failure in read_failures(own.with_suffix(".failures.jsonl"))}
    good = [row for row in range(part.rows) if row not in failed]
    fresh = own.with_name(f".{own.name}")
    _remove(fresh)
    make_folder(fresh)
    sum_ = 0
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
            sum_ = zlib.crc32(data, sum_)
            _place(file, _spans(good[place : place + len(column)]), data, shape.width)
            place += len(column)
    answer = {
        "answered": -1,
        "rows": _spans(good),
        "crc": sum_,
        "billed": part.tokens,
        "shape": asdict(shape),
    }
    lost = {"released": -1, "unknown": part.unknown_tokens}
    _write_whole(fresh / "log.jsonl", _line(answer) + _line(lost))
    fresh.rename(own)


def _read_log(path: Path) -> tuple[list[dict[str, Any]], int]:
    """Read the answers that are noted, and the tokens that may have been billed without one."""
    sent: dict[int, int] = {}
    answers: list[dict[str, Any]] = []
    unknown = 0
    if not path.exists():
        return answers, unknown
    with open_regular(path) as file:
        for line in file:
            try:
                event = json.loads(line)
            except ValueError:  # the last line, torn by a crash
                break
            if "sent" in event:
                sent[event["sent"]] = event["tokens"]
            elif "answered" in event:
                sent.pop(event["answered"], None)
                answers.append(event)
            else:
                sent.pop(event["released"], None)
                unknown += event["unknown"]
    return answers, unknown + sum(sent.values())  # what was in flight may have been billed


def _is_there(file: IO[bytes], event: dict[str, Any]) -> bool:
    """Compare the results of an answer with the checksum that was noted."""
    width, sum_ = Shape(**event["shape"]).width, 0
    for start, stop in event["rows"]:
        file.seek(start * width)
        sum_ = zlib.crc32(file.read((stop - start) * width), sum_)
    return bool(sum_ == event["crc"])


@define
class _Sent:
    """A request that is under way: spans of its rows, and what it can be billed, at most."""

    spans: list[tuple[int, int]]
    tokens: int


class Slice:
    """A slice that is worked on.

    Args:
        folder: The job's own folder.
        number: The number of the slice.
        input: The number of its input.
        first: The number of its first row there.

    Attributes:
        rows: Rows that were read so far.
        done: Rows with a result.
        is_read: Whether it has all its rows.
        is_last: Whether the input ends with it.
        failures: Rows without a result.
        tokens: Tokens that were billed.
        unknown_tokens: Tokens that may have been billed for lost answers.
        answered: Rows that an earlier run has the vectors of.
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
        """Add the ids and kept columns of rows that were read.

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
        """Return whether an earlier run has the vectors of some rows; they count as done then."""
        if not self.answered.issuperset(rows):
            return False
        self._set(_spans(rows), DONE)
        return True

    def send(self, rows: Sequence[int], tokens: int) -> int:
        """Note that a request is about to be sent, and what it can be billed at most.

        Returns:
            The number of the request.
        """
        number, self._next = self._next, self._next + 1
        self._sent[number] = _Sent(_spans(rows), tokens)
        self._write(sent=number, tokens=tokens)
        return number

    def answer(self, request: int, shape: Shape, data: memoryview, tokens: int) -> None:
        """Keep the vectors of a request's rows.

        Args:
            request: The number of the request.
            shape: What they are.
            data: Bytes, row after row, in the order of the request's rows.
            tokens: Tokens that were billed.
        """
        spans = self._sent.pop(request).spans
        self._keep(spans, shape, data, tokens)
        self._vectors.flush()
        sum_ = zlib.crc32(data)
        self._write(answered=request, rows=spans, crc=sum_, billed=tokens, shape=asdict(shape))

    def keep(self, rows: Sequence[int], shape: Shape, data: memoryview, tokens: int) -> None:
        """Keep the vectors of rows, without a note of it: after a crash they are not there.

        Args:
            rows: Numbers of the rows.
            shape, data, tokens: As in `answer`.
        """
        self._keep(_spans(rows), shape, data, tokens)

    def _keep(
        self, spans: list[tuple[int, int]], shape: Shape, data: memoryview, tokens: int
    ) -> None:
        self._shape = shape
        _place(self._vectors, spans, data, shape.width)
        self.tokens += tokens
        self._set(spans, DONE)

    def release(self, request: int, *, billed: bool | None = False) -> None:
        """Note that a request has no answer: it was not billed, or (None) that is not known."""
        sent = self._sent.pop(request)
        if billed is None:
            self.unknown_tokens += sent.tokens
        self._write(released=request, unknown=sent.tokens if billed is None else 0)

    def fail(self, failure: Failure) -> None:
        """Note that a row has no result."""
        self.failures.append(failure)
        self._set([(failure.row, failure.row + 1)], FAILED)

    @property
    def is_done(self) -> bool:
        """True once all rows were read, and each has a result or a reason."""
        return self.is_read and not self._left

    def finish(self, info: dict[str, Any], shape: Shape, folder: Path, *, nulls: bool) -> PartInfo:
        """Write the part, and remove what was kept for it.

        Args:
            info: The job's id and what the vectors are, for the metadata.
            shape: What is written for a row, where no row had a result.
            folder: Where parts are.
            nulls: Whether rows that failed are written, with null.
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
        # Renamed first: half a folder would be taken for a slice of which nothing was answered.
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
        self._vectors.truncate(self.rows * shape.width)  # rows at the end may have failed
        vectors: Any = self._vectors  # `IO` knows no `readinto`
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
                for piece in _gathered(opened):
                    count = piece.num_rows
                    size = count * shape.width
                    if len(buffer) < size:  # one is used again and again: new memory is slow
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
        """Take over what an earlier run has got."""
        path = self.path / "log.jsonl"
        if not path.exists():
            return
        answers, self.unknown_tokens = _read_log(path)
        with self._open("vectors.bin", "a+b") as file:
            for event in answers:
                self.tokens += event["billed"]
                if _is_there(file, event):
                    self._shape = Shape(**event["shape"])
                    for start, stop in event["rows"]:
                        self.answered.update(range(start, stop))
        # What is lost is counted once: a line says all that is known of the past.
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
    """Return spans, in their order, of rows that follow each other."""
    np = require("numpy", "tables")
    numbers = np.asarray(rows, np.int64)
    first = np.diff(numbers, prepend=-2) != 1  # whether a row begins a span
    last = np.diff(numbers, append=-2) != 1
    return list(zip(numbers[first].tolist(), (numbers[last] + 1).tolist(), strict=True))


def _place(
    file: IO[bytes], spans: list[tuple[int, int]], data: memoryview | bytes, width: int
) -> None:
    """Write the vectors of spans of rows, which follow each other in the data, to their places."""
    offset = 0
    for start, stop in spans:
        size = (stop - start) * width
        file.seek(start * width)
        file.write(data[offset : offset + size])
        offset += size


def _remove(folder: Path) -> None:
    """Remove a folder, if it is there."""
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


def _gathered(opened: Any) -> Iterator[Any]:
    """Batches of an Arrow file, a few thousand rows each."""
    some: list[Any] = []
    for number in range(opened.num_record_batches):
        batch = opened.get_batch(number)
        if not batch.num_rows:  # of a source without rows
            continue
        some.append(batch)
        if sum(batch.num_rows for batch in some) >= COPIED:
            yield _whole(some)
            some = []
    if some:
        yield _whole(some)


def _whole(batches: list[Any]) -> Any:
    """Join batches that have rows; `concat_batches` came with pyarrow 19."""
    table = require("pyarrow", "tables").Table.from_batches(batches)
    return table.combine_chunks().to_batches()[0]


def _joined(
    columns: Any, shape: Shape, numbers: Any, status: bytearray, schema: Any, *, nulls: bool
) -> Any:
    """A record batch of columns and vectors, without the rows that failed or with null there."""
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
