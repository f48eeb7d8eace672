"""Joining each row with its answer, or with the reason why it has none."""

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
"""Characters of a text that are shown."""


class FailureReason(NamedTuple):
    """The reason why a line has no result.

    Attributes:
        code: The kind of reason; `Failure` lists them.
        status: HTTP status of the line, where it was run.
        message: The reason as text.
        failed_batch: Whether the server refused the whole batch because of this line.
        others_at_fault: Whether it refused the whole batch because of other lines alone.
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
        row: Its number, from 0.
        code: The kind of reason: `refused` if the endpoint refused it, with a `status`; the
            server's own code for a line that was not run, such as `batch_expired`, or for one that
            made a batch fail; `batch_failed` if other lines did; `malformed_answer`, `no_answer`
            and `file_gone` if it was run but its answer can't be used; `unfinished` if it was not
            run yet.
        status: HTTP status, where the endpoint refused it.
        message: The reason as text.
        batch: Number of its batch within the job, from 1.
        batch_id: Id of the batch at the server; None if there is none yet.
        line: Number of its line in the batch's file, from 1.
        text: Beginning of its text.

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
    """The rows without a result, in their order, as a sequence that is read from files.

    Args:
        count: Number of failures.
        read: Yields them.
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
        """Write them to a file, a line of JSON each; remove the file if there are none.

        Raises:
            OSError: It can't be written, or a link or a pipe is in its place.
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
    """The result of a line, for all of its rows.

    Attributes:
        first: Number of its first row.
        rows: How many rows it has.
        result: The result.
    """

    first: int
    rows: int
    result: Any


class FailedLine(NamedTuple):
    """A line without a result.

    Attributes:
        first: Number of its first row.
        items: Its rows.
        reason: The reason.
    """

    first: int
    items: list[Any]
    reason: FailureReason


class ResultJoin:
    """Joins rows with their answers by a table of all lines; the results stay in the files.

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
        # A table of all lines, one array per column: number of the batch, number within the batch,
        # offset in the input file, offset in the output file, first row, last row, and index of the
        # reason why there is no result. Each array has shape (lines,).
        self._batch, self._line = array("q"), array("q")
        self._input, self._output = array("q"), array("q")
        self._first, self._last = array("q"), array("q")
        self._reason = array("q")
        self._reasons: dict[FailureReason, int] = {}
        # Index of each row's line in that table, of shape (rows,).
        self._line_of_row = array("q", [NONE]) * state.manifest.rows
        for number in sorted(state.batches):
            self._add_batch(number, state.batches[number])
        if NONE in self._line_of_row:
            raise JobDirectoryError(
                f"no file of {directory.path} holds row {self._line_of_row.index(NONE)}: put it "
                "back, or begin another job"
            )
        self._known = list(self._reasons)
        self.failed = sum(1 for line in self._line_of_row if self._output[line] == NONE)

    def results(self, first: int = 0) -> Iterator[LineResult | Failure]:
        """Yield lines with a result, and rows without one, in the order of the rows.

        Args:
            first: Number of the row to begin with, which must be the first of its line.
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
                except (ValueError, ServerError) as failure:  # it could be read a while ago
                    raise damaged(path, failure) from failure
                yield LineResult(self._first[line], size, result)

    @property
    def has_results(self) -> bool:
        """True if any row has a result."""
        return self.failed < len(self._line_of_row)

    def failures(self) -> Iterator[Failure]:
        """Yield the rows without a result, in their order."""
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
        """Add a batch's lines and answers; for rows that are in several batches the last counts."""
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
        """Add a batch's lines to the table; return their indices there, by `custom_id`."""
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
        """Enter the answers of a downloaded file into the table; skip lines of other jobs."""
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
        """Return the tokens that a line was billed, or the reason why it has no result."""
        if answer.error:
            return FailureReason(answer.error.code, None, answer.error.message)
        if not answer.response:
            message = "the line is there, but with neither answer nor error"
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
        """Return the result of a line with an answer."""
        if not answer.response or not answer.response.body:
            raise ShapeError("the answer is no longer there")
        return self._task.read(answer.response.body.to_dict(), rows, items)

    def _items(self, line: int, files: _OpenFiles) -> list[Any]:
        """Return the rows of a line."""
        number = self._batch[line]
        raw = files.read(self._directory.input_file(number), self._input[line])
        return self._reader.items(number, self._line[line], raw)

    def _index(self, reason: FailureReason) -> int:
        return self._reasons.setdefault(reason, len(self._reasons))


class _OpenFiles:
    """Files that lines are read from: one of each kind stays open until another one is needed."""

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
    """Return what the server says of single lines of a batch that it refused, by line number."""
    errors = [BatchError.from_dict(error) for error in batch.errors]
    return {
        error.line: FailureReason(error.code, None, error.message, failed_batch=True)
        for error in reversed(errors)  # of several, the first counts
        if isinstance(error.line, int)
    }


def _batch_reason(batch: BatchState) -> FailureReason:
    """Return why a line of a batch has no answer, if nothing is said of the line itself."""
    if not batch.is_over:
        return FailureReason("unfinished", None, "the job has not come to that yet; run it again")
    if batch.gone:
        which = " and ".join(sorted(batch.gone))
        return FailureReason(
            "file_gone", None, f"the {which} file of the batch was deleted, or expired"
        )
    if batch.errors:
        errors = [BatchError.from_dict(error) for error in batch.errors]
        whole = [error for error in errors if not isinstance(error.line, int)]
        more = f" (and {len(errors) - 1} more errors)" if len(errors) > 1 else ""
        message = f"the batch failed: {(whole or errors)[0].message}{more}"
        return FailureReason("batch_failed", None, message, others_at_fault=not whole)
    return FailureReason(
        "no_answer", None, f"the batch is {batch.status}, but neither of its files has the line"
    )
