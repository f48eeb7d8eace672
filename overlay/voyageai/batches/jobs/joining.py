"""Finding for each row what came of it, in the files that a job has downloaded."""

from __future__ import annotations

from array import array
from itertools import groupby
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from voyageai_rest.errors import ShapeError
from voyageai_rest.models.batch_error import BatchError
from voyageai_rest.models.batch_output_line import BatchOutputLine

from ...bounds import of_line
from ...error import ServerError
from .errors import JobDirectoryError
from .failures import Failure, Reason, cut
from .lines import damaged, loads
from .state import ANSWERS
from .writing import BatchReader

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .folder import Folder
    from .state import BatchState, JobState, Planned

__all__ = ["Answered", "Join"]

OUTPUT = "output"
NONE = -1


class Answered(NamedTuple):
    """A line with an answer.

    Attributes:
        first: Number of its first row.
        result: The result for the line.
    """

    first: int
    result: Any


class Join:
    """What came of each row. All lines are looked at once; what they say stays in the files.

    Args:
        folder: The job's directory.
        state: Where it stands.

    Attributes:
        tokens: Tokens of all lines with an answer.
        failed: How many rows have no result.
    """

    def __init__(self, folder: Folder, state: JobState) -> None:
        self._folder = folder
        self._task = state.manifest.task
        self._reader = BatchReader(folder, state.manifest)
        self._ids = {number: batch.batch_id for number, batch in state.batches.items()}
        self.tokens = 0
        # Of each line: its batch, its number there, where it begins in the input file and in the
        # output file, its rows, and why it has no answer. Rows point to lines.
        self._batch, self._line = array("q"), array("q")
        self._input, self._output = array("q"), array("q")
        self._first, self._last = array("q"), array("q")
        self._reason = array("q")
        self._reasons: dict[Reason, int] = {}
        self._owner = array("q", [NONE]) * state.manifest.rows
        for number in sorted(state.batches):
            self._join(number, state.batches[number])
        if NONE in self._owner:
            raise JobDirectoryError(
                f"no file of {folder.path} holds row {self._owner.index(NONE)}: put it back, or "
                "begin another job"
            )
        self._known = list(self._reasons)
        self.failed = sum(1 for owner in self._owner if self._output[owner] == NONE)

    def answered(self) -> Iterator[Answered | Failure]:
        """Lines with an answer, and rows without one, in the order of the rows."""
        with _Files(self._folder) as files:
            for line, rows in self._lines():
                items = self._items(line, files)
                if self._output[line] == NONE:
                    yield from self._failures(line, rows, items)
                    continue
                path = self._folder.answers(self._batch[line], OUTPUT)
                try:
                    result = self._read(_parsed(files.read(path, self._output[line])), items)
                except (ValueError, ServerError) as failure:  # it could be read a while ago
                    raise damaged(path, failure) from failure
                yield Answered(self._first[line], result)

    def failures(self) -> Iterator[Failure]:
        """The rows without a result, in their order."""
        with _Files(self._folder) as files:
            for line, rows in self._lines():
                if self._output[line] == NONE:
                    yield from self._failures(line, rows, self._items(line, files))

    def _failures(self, line: int, rows: Iterator[int], items: list[Any]) -> Iterator[Failure]:
        reason = self._known[self._reason[line]]
        number = self._batch[line]
        for row in rows:
            yield Failure(
                row=row,
                code=reason.code,
                status=reason.status,
                message=reason.message,
                batch=number,
                batch_id=self._ids[number],
                line=self._line[line],
                text=cut(self._task.text(items[row - self._first[line]])),
            )

    def lines(self) -> Iterator[tuple[int, list[Any], Reason]]:
        """The lines without an answer: first row, rows, reason."""
        with _Files(self._folder) as files:
            for line, _ in self._lines():
                if self._output[line] == NONE:
                    reason = self._known[self._reason[line]]
                    yield self._first[line], self._items(line, files), reason

    def _lines(self) -> Iterator[tuple[int, Iterator[int]]]:
        """The lines in the order of their rows, and the rows of each."""
        return groupby(range(len(self._owner)), self._owner.__getitem__)

    def _join(self, number: int, batch: BatchState) -> None:
        """Take in a batch. What is in a later one is about rows that failed in those before."""
        names = self._list(batch.planned)
        for name in ANSWERS:
            if name in batch.fetched:
                self._look(self._folder.answers(number, name), names)
        reasons = _line_errors(batch)
        for line in names.values():
            if self._output[line] == NONE and self._reason[line] == NONE:
                reason = reasons.get(self._line[line]) or _otherwise(batch)
                self._reason[line] = self._number(reason)
            first, last = self._first[line], self._last[line]
            self._owner[first : last + 1] = array("q", [line]) * (last + 1 - first)

    def _list(self, batch: Planned) -> dict[str, int]:
        """Add a batch's lines to the table, and tell where they are there, by custom_id."""
        names: dict[str, int] = {}
        start = 0
        for place, (name, raw) in enumerate(self._reader.names(batch), 1):
            names[str(name)] = len(self._line)
            self._batch.append(batch.number)
            self._line.append(place)
            self._input.append(start)
            self._output.append(NONE)
            self._first.append(name.first)
            self._last.append(name.last)
            self._reason.append(NONE)
            start += len(raw)
        return names

    def _look(self, path: Path, names: dict[str, int]) -> None:
        """Find the lines of a downloaded file in the table. What is none of ours is left alone."""
        start = 0
        with self._folder.open(path) as file, _Files(self._folder) as files:
            for raw in file:
                place, start = start, start + len(raw)
                try:
                    told = _parsed(raw)
                except ValueError:  # a ShapeError is one
                    continue
                line = names.get(told.custom_id)
                if line is None or self._output[line] != NONE:
                    continue
                found = self._judge(told, line, files)
                if isinstance(found, Reason):
                    self._reason[line] = self._number(found)
                else:
                    self._output[line] = place
                    self.tokens += found

    def _judge(self, told: BatchOutputLine, line: int, files: _Files) -> Reason | int:
        """Why a line has no answer, or else how many tokens it took."""
        if told.error:
            return Reason(told.error.code, None, told.error.message)
        if not told.response:
            return Reason("no_answer", None, "the line is there, but with neither answer nor error")
        response = told.response
        if response.status_code != 200 or not response.body:
            message = response.message or "the line failed without a message"
            return Reason("refused", response.status_code, message)
        try:
            items = self._items(line, files)
            tokens: int = self._read(told, items).total_tokens
            of_line(items).check_tokens(tokens)
        except (ShapeError, ServerError) as failure:
            return Reason("malformed_answer", response.status_code, str(failure))
        return tokens

    def _read(self, told: BatchOutputLine, items: list[Any]) -> Any:
        if not told.response or not told.response.body:
            raise ShapeError("the answer is no longer there")
        return self._task.read(told.response.body.to_dict(), items)

    def _items(self, line: int, files: _Files) -> list[Any]:
        number = self._batch[line]
        raw = files.read(self._folder.input(number), self._input[line])
        return self._reader.items(number, self._line[line], raw)

    def _number(self, reason: Reason) -> int:
        return self._reasons.setdefault(reason, len(self._reasons))


class _Files:
    """Files that lines are read from, each opened once for as long as lines come from it."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._open: dict[str, tuple[Path, IO[bytes]]] = {}

    def read(self, path: Path, start: int) -> bytes:
        """The line that begins at a place."""
        kind = "".join(path.suffixes)
        if kind not in self._open or self._open[kind][0] != path:
            if kind in self._open:
                self._open.pop(kind)[1].close()
            self._open[kind] = path, self._folder.open(path)
        file = self._open[kind][1]
        file.seek(start)
        return file.readline()

    def __enter__(self) -> _Files:
        return self

    def __exit__(self, *error: object) -> None:
        for _, file in self._open.values():
            file.close()


def _parsed(raw: bytes) -> BatchOutputLine:
    return BatchOutputLine.from_dict(loads(raw))


def _line_errors(batch: BatchState) -> dict[int, Reason]:
    """What the server says of single lines of a batch that it refused."""
    errors = [BatchError.from_dict(error) for error in batch.errors]
    return {
        error.line: Reason(error.code, None, error.message, blamed=True)
        for error in reversed(errors)  # the first of several holds
        if isinstance(error.line, int)
    }


def _otherwise(batch: BatchState) -> Reason:
    """Why a line of a batch has no answer, if nothing is said of the line itself."""
    if not batch.is_over:
        return Reason("unfinished", None, "the job has not come to that yet; run it again")
    if batch.gone:
        which = " and ".join(sorted(batch.gone))
        return Reason("file_gone", None, f"the {which} file of the batch was deleted, or expired")
    if batch.errors:
        errors = [BatchError.from_dict(error) for error in batch.errors]
        whole = [error for error in errors if not isinstance(error.line, int)] or errors
        more = f" (and {len(errors) - 1} more errors)" if len(errors) > 1 else ""
        return Reason("batch_failed", None, f"the batch failed: {whole[0].message}{more}")
    return Reason(
        "no_answer", None, f"the batch is {batch.status}, but neither of its files has the line"
    )
