"""The join of rows with their results, or with the reasons why they have none."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import groupby, islice
from typing import IO, TYPE_CHECKING, Any, NamedTuple, overload

from attrs import asdict, frozen
from voyageai_rest.errors import ShapeError, printable
from voyageai_rest.models.batch_error import BatchError
from voyageai_rest.models.batch_output_line import BatchOutputLine

from ..._utils import safe_repr
from ...disk import open_regular
from ...error import ServerError
from ...response_limits import response_limits_for_line
from .batch_files import BatchReader
from .directory import JobDirectoryError, damaged
from .lines import dumps, loads
from .state import ANSWERS

if TYPE_CHECKING:
    from pathlib import Path

    from .directory import JobDirectory
    from .state import BatchPlan, BatchState, JobState

__all__ = ["FailedLine", "Failure", "FailureReason", "Failures", "LineResult", "ResultJoin"]

OUTPUT = "output"
OK = 200
NONE = -1
SHOWN = 80
"""Characters of a row's text that are shown."""


class FailureReason(NamedTuple):
    """The reason why a line has no result.

    Attributes:
        code: The kind of reason, as in `Failure`.
        status: HTTP status of the line; None if it was not run.
        message: The reason as text.
        failed_batch: True if the server refused the whole batch because of this line.
        others_at_fault: True if the server refused the whole batch only because of other lines.
    """

    code: str
    status: int | None
    message: str
    failed_batch: bool = False
    others_at_fault: bool = False


@frozen(kw_only=True)
class Failure:
    """A row without a result.

    Attributes:
        row: Number of the row, from 0.
        code: The kind of reason: `refused` if the endpoint refused the line, with a `status`; the
            server's own code for a line that was not run, such as `batch_expired`, or that made the
            batch fail; `batch_failed` if other lines made it fail; `malformed_answer`, `no_answer`
            and `file_gone` if the line was run but its response can't be used; `unfinished` if it
            was not run yet.
        status: HTTP status, if the endpoint refused the line.
        message: The reason as text.
        batch: Number of the batch within the job, from 1.
        batch_id: Id of the batch at the server; None if it was not created yet.
        line: Number of the line in the batch's file, from 1.
        text: Beginning of the row's text.

    Example:
        >>> print(Failure(row=7, code="refused", status=500, message="Internal Server Error",
        ...               batch=1, batch_id="batch-3kQ9", line=1, text="It rains."))
        row 7 (batch-3kQ9, line 1): 500 Internal Server Error: 'It rains.'
    """

    row: int
    code: str
    status: int | None
    message: str
    batch: int
    batch_id: str | None
    line: int
    text: str

    def __str__(self) -> str:
        place = self.batch_id or f"batch {self.batch}"
        return printable(
            f"row {self.row} ({place}, line {self.line}): {self.status or self.code} "
            f"{self.message}: {self.text!r}"
        )


class Failures(Sequence[Failure]):
    """The rows without a result, in order, as a sequence that is read from files.

    Args:
        count: Number of failures.
        read: Function that yields the failures.
    """

    def __init__(self, count: int, read: Callable[[], Iterator[Failure]]) -> None:
        self._count = count
        self._read = read

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Failure]:
        return self._read()

    @overload
    def __getitem__(self, index: int) -> Failure: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Failure]: ...
    def __getitem__(self, index: int | slice) -> Failure | Sequence[Failure]:
        if not isinstance(index, slice):
            position = range(self._count)[index]
            return next(islice(self, position, None))
        positions = range(self._count)[index]
        if not positions:
            return []
        first, last = sorted((positions[0], positions[-1]))
        found = list(islice(self, first, last + 1))
        return [found[position - first] for position in positions]

    def write(self, path: Path) -> None:
        """Write the failures to a file as JSON Lines; remove the file if there are none.

        Raises:
            OSError: The file can't be written, or the path is a link or a pipe.
        """
        if not self._count:
            path.unlink(missing_ok=True)
            return
        fresh = path.with_name(path.name + ".part")
        with open_regular(fresh, "wb") as file:
            file.writelines(dumps(asdict(failure)) for failure in self)
        fresh.replace(path)

    @safe_repr
    def __repr__(self) -> str:
        return f"<{self._count:,} failures>"


class LineResult(NamedTuple):
    """The result of a line, with those of all its rows.

    Attributes:
        first: Number of the first row.
        rows: Number of rows.
        result: The result.
    """

    first: int
    rows: int
    result: Any


class FailedLine(NamedTuple):
    """A line without a result.

    Attributes:
        first: Number of the first row.
        items: The rows of the line.
        reason: The reason why there is no result.
    """

    first: int
    items: list[Any]
    reason: FailureReason


class ResultJoin:
    """Joins rows with their results through a table of all lines; the results stay in the files.

    Args:
        directory: The job's directory.
        state: The job's state.

    Attributes:
        tokens: Tokens of all lines with a result.
        failed: Number of rows without a result.
    """

    def __init__(self, directory: JobDirectory, state: JobState) -> None:
        self._directory = directory
        self._task = state.manifest.task
        self._reader = BatchReader(directory, state.manifest)
        self._ids = {number: batch.batch_id for number, batch in state.batches.items()}
        self.tokens = 0
        # The table of all lines, one array of shape (lines,) per column: number of the batch,
        # number within the batch, offset in the input file, offset in the output file, first row,
        # last row, and index of the reason why there is no result.
        self._batch, self._line = array("q"), array("q")
        self._input, self._output = array("q"), array("q")
        self._first, self._last = array("q"), array("q")
        self._reason = array("q")
        self._reasons: dict[FailureReason, int] = {}
        # Index of each row's line in the table, of shape (rows,).
        self._line_of_row = array("q", [NONE]) * state.manifest.rows
        for number in sorted(state.batches):
            self._add_batch(number, state.batches[number])
        if NONE in self._line_of_row:
            raise JobDirectoryError(
                f"no file of {directory.path} holds row {self._line_of_row.index(NONE)}; restore "
                "the file, or begin another job"
            )
        self._known = list(self._reasons)
        self.failed = sum(1 for line in self._line_of_row if self._output[line] == NONE)

    def results(self, first: int = 0) -> Iterator[LineResult | Failure]:
        """Yield lines with a result, and rows without one, in the order of the rows.

        Args:
            first: Number of the first row to yield, which must be the first of its line.
        """
        with _OpenFiles(self._directory) as files:
            for line, rows in self._lines(first):
                items = partial(self._items, line, files)
                if self._output[line] == NONE:
                    yield from self._failures_of(line, rows, items())
                    continue
                path = self._directory.answer_file(self._batch[line], OUTPUT)
                size = self._last[line] - self._first[line] + 1
                try:
                    result = self._read(_parse(files.read(path, self._output[line])), size, items)
                except (ValueError, ServerError) as failure:  # it was readable when joined
                    raise damaged(path, failure) from failure
                yield LineResult(self._first[line], size, result)

    @property
    def has_results(self) -> bool:
        """True if any row has a result."""
        return self.failed < len(self._line_of_row)

    def failures(self) -> Iterator[Failure]:
        """Yield the rows without a result, in order."""
        with _OpenFiles(self._directory) as files:
            for line, rows in self._lines():
                if self._output[line] == NONE:
                    yield from self._failures_of(line, rows, self._items(line, files))

    def failed_lines(self) -> Iterator[FailedLine]:
        """Yield the lines without a result, in the order of their rows."""
        with _OpenFiles(self._directory) as files:
            for line, _ in self._lines():
                if self._output[line] == NONE:
                    reason = self._known[self._reason[line]]
                    yield FailedLine(self._first[line], self._items(line, files), reason)

    def _lines(self, first: int = 0) -> Iterator[tuple[int, Iterator[int]]]:
        """Yield the lines in the order of their rows, each with its rows."""
        return groupby(range(first, len(self._line_of_row)), self._line_of_row.__getitem__)

    def _failures_of(self, line: int, rows: Iterator[int], items: list[Any]) -> Iterator[Failure]:
        reason = self._known[self._reason[line]]
        number = self._batch[line]
        for row in rows:
            text = self._task.text(items[row - self._first[line]])
            yield Failure(
                row=row,
                code=reason.code,
                status=reason.status,
                message=reason.message,
                batch=number,
                batch_id=self._ids[number],
                line=self._line[line],
                text=text if len(text) <= SHOWN else f"{text[:SHOWN]}...",
            )

    def _add_batch(self, number: int, batch: BatchState) -> None:
        """Add a batch's lines and results, which replace those of earlier batches."""
        with self._reader.open(batch.plan) as sent:
            names = self._add_lines(batch.plan, sent)
            for name in ANSWERS:
                if name in batch.fetched:
                    self._read_answers(self._directory.answer_file(number, name), names, sent)
        reasons = _line_reasons(batch)
        for line in names.values():
            if self._output[line] == NONE and self._reason[line] == NONE:
                reason = reasons.get(self._line[line]) or _batch_reason(batch)
                self._reason[line] = self._index(reason)
            first, last = self._first[line], self._last[line]
            self._line_of_row[first : last + 1] = array("q", [line]) * (last + 1 - first)

    def _add_lines(self, batch: BatchPlan, sent: IO[bytes]) -> dict[str, int]:
        """Add a batch's lines to the table, and return their indices by `custom_id`."""
        names: dict[str, int] = {}
        offset = 0
        for place, (name, raw) in enumerate(self._reader.names(batch, sent), 1):
            names[str(name)] = len(self._line)
            self._batch.append(batch.number)
            self._line.append(place)
            self._input.append(offset)
            self._output.append(NONE)
            self._first.append(name.first)
            self._last.append(name.last)
            self._reason.append(NONE)
            offset += len(raw)
        return names

    def _read_answers(self, path: Path, names: dict[str, int], sent: IO[bytes]) -> None:
        """Enter the responses of a downloaded file into the table; skip lines of other jobs."""
        end = 0
        with self._directory.open(path) as file:
            for raw in file:
                offset, end = end, end + len(raw)
                try:
                    answer = _parse(raw)
                except ValueError:  # a ShapeError is one
                    continue
                line = names.get(answer.custom_id)
                if line is None or self._output[line] != NONE:
                    continue
                found = self._check(answer, line, sent)
                if isinstance(found, FailureReason):
                    self._reason[line] = self._index(found)
                else:
                    self._output[line] = offset
                    self.tokens += found

    def _check(self, answer: BatchOutputLine, line: int, sent: IO[bytes]) -> FailureReason | int:
        """Return the billed tokens of a line, or the reason why it has no result."""
        if answer.error:
            return FailureReason(answer.error.code, None, answer.error.message)
        if not answer.response:
            message = "the line has neither a response nor an error"
            return FailureReason("no_answer", None, message)
        response = answer.response
        if response.status_code != OK or not response.body:
            message = response.message or "the line failed without a message"
            return FailureReason("refused", response.status_code, message)
        try:
            sent.seek(self._input[line])
            items = self._reader.items(self._batch[line], self._line[line], sent.readline())
            tokens: int = self._read(answer, len(items), lambda: items).total_tokens
            response_limits_for_line(items).check_tokens(tokens)
        except (ShapeError, ServerError) as failure:
            return FailureReason("malformed_answer", response.status_code, str(failure))
        return tokens

    def _read(self, answer: BatchOutputLine, rows: int, items: Callable[[], list[Any]]) -> Any:
        """Return the result of a line with a response."""
        if not answer.response or not answer.response.body:
            raise ShapeError("the response is missing")
        return self._task.read(answer.response.body.to_dict(), rows, items)

    def _items(self, line: int, files: _OpenFiles) -> list[Any]:
        """Return the rows of a line."""
        number = self._batch[line]
        raw = files.read(self._directory.input_file(number), self._input[line])
        return self._reader.items(number, self._line[line], raw)

    def _index(self, reason: FailureReason) -> int:
        return self._reasons.setdefault(reason, len(self._reasons))


class _OpenFiles:
    """Open files to read lines from; one of each kind stays open until another is needed."""

    def __init__(self, directory: JobDirectory) -> None:
        self._directory = directory
        self._open: dict[str, tuple[Path, IO[bytes]]] = {}

    def read(self, path: Path, offset: int) -> bytes:
        """Return the line at an offset of a file."""
        kind = "".join(path.suffixes)
        if kind not in self._open or self._open[kind][0] != path:
            if kind in self._open:
                self._open.pop(kind)[1].close()
            self._open[kind] = path, self._directory.open(path)
        file = self._open[kind][1]
        file.seek(offset)
        return file.readline()

    def __enter__(self) -> _OpenFiles:
        return self

    def __exit__(self, *error: object) -> None:
        for _, file in self._open.values():
            file.close()


def _parse(raw: bytes) -> BatchOutputLine:
    return BatchOutputLine.from_dict(loads(raw))


def _line_reasons(batch: BatchState) -> dict[int, FailureReason]:
    """Return the reasons for single lines of a batch that the server refused, by line number."""
    errors = [BatchError.from_dict(error) for error in batch.errors]
    return {
        error.line: FailureReason(error.code, None, error.message, failed_batch=True)
        for error in reversed(errors)  # the first error of a line wins
        if isinstance(error.line, int)
    }


def _batch_reason(batch: BatchState) -> FailureReason:
    """Return the reason for lines of a batch that have no reason of their own."""
    if not batch.is_over:
        return FailureReason("unfinished", None, "the line was not run yet; run the job again")
    if batch.gone:
        names = " and ".join(sorted(batch.gone))
        return FailureReason(
            "file_gone", None, f"the {names} file of the batch was deleted, or expired"
        )
    if batch.errors:
        errors = [BatchError.from_dict(error) for error in batch.errors]
        whole = [error for error in errors if not isinstance(error.line, int)]
        others = f" (and {len(errors) - 1} more errors)" if len(errors) > 1 else ""
        message = f"the batch failed: {(whole or errors)[0].message}{others}"
        return FailureReason("batch_failed", None, message, others_at_fault=not whole)
    return FailureReason(
        "no_answer", None, f"the batch is {batch.status}, but neither of its files has the line"
    )
