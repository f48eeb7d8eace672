"""Joining each row with its answer, from the files that a job has downloaded."""

from __future__ import annotations

from array import array
from itertools import groupby
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from voyageai_rest.errors import ShapeError
from voyageai_rest.models.batch_output_line import BatchOutputLine

from ...error import ServerError
from ...response_limits import of_line
from .batch_files import BatchReader
from .directory import JobDirectoryError, damaged
from .failures import SHOWN, Failure, FailureReason, batch_reason, line_reasons
from .lines import loads
from .state import ANSWERS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .directory import JobDirectory
    from .state import BatchPlan, BatchState, JobState

__all__ = ["FailedLine", "LineResult", "ResultJoin"]

OUTPUT = "output"
OK = 200
NONE = -1


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
                items = self._items(line, files)
                if self._output[line] == NONE:
                    yield from self._failures_of(line, rows, items)
                    continue
                path = self._directory.answer_file(self._batch[line], OUTPUT)
                try:
                    result = self._read(_parse(files.read(path, self._output[line])), items)
                except (ValueError, ServerError) as failure:  # it could be read a while ago
                    raise damaged(path, failure) from failure
                yield LineResult(self._first[line], len(items), result)

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
        names = self._add_lines(batch.plan)
        for name in ANSWERS:
            if name in batch.fetched:
                self._read_answers(self._directory.answer_file(number, name), names)
        reasons = line_reasons(batch)
        for line in names.values():
            if self._output[line] == NONE and self._reason[line] == NONE:
                reason = reasons.get(self._line[line]) or batch_reason(batch)
                self._reason[line] = self._index(reason)
            first, last = self._first[line], self._last[line]
            self._line_of_row[first : last + 1] = array("q", [line]) * (last + 1 - first)

    def _add_lines(self, batch: BatchPlan) -> dict[str, int]:
        """Add a batch's lines to the table; return their indices there, by `custom_id`."""
        names: dict[str, int] = {}
        offset = 0
        for place, (name, raw) in enumerate(self._reader.names(batch), 1):
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

    def _read_answers(self, path: Path, names: dict[str, int]) -> None:
        """Enter the answers of a downloaded file into the table; skip lines of other jobs."""
        end = 0
        with self._directory.open(path) as file, _OpenFiles(self._directory) as files:
            for raw in file:
                offset, end = end, end + len(raw)
                try:
                    answer = _parse(raw)
                except ValueError:  # a ShapeError is one
                    continue
                line = names.get(answer.custom_id)
                if line is None or self._output[line] != NONE:
                    continue
                found = self._check(answer, line, files)
                if isinstance(found, FailureReason):
                    self._reason[line] = self._index(found)
                else:
                    self._output[line] = offset
                    self.tokens += found

    def _check(self, answer: BatchOutputLine, line: int, files: _OpenFiles) -> FailureReason | int:
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
            items = self._items(line, files)
            tokens: int = self._read(answer, items).total_tokens
            of_line(items).check_tokens(tokens)
        except (ShapeError, ServerError) as failure:
            return FailureReason("malformed_answer", response.status_code, str(failure))
        return tokens

    def _read(self, answer: BatchOutputLine, items: list[Any]) -> Any:
        """Return the result of a line with an answer."""
        if not answer.response or not answer.response.body:
            raise ShapeError("the answer is no longer there")
        return self._task.read(answer.response.body.to_dict(), items)

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
