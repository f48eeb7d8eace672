"""Rows without a result, and the reasons."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple, overload

from attrs import asdict, frozen
from voyageai_rest.errors import printable
from voyageai_rest.models.batch_error import BatchError

from ..._utils import safe_repr
from ...disk import open_regular
from .lines import dumps

if TYPE_CHECKING:
    from pathlib import Path

    from .state import BatchState

__all__ = ["Failure", "FailureReason", "Failures", "batch_reason", "line_reasons"]

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


def line_reasons(batch: BatchState) -> dict[int, FailureReason]:
    """Return what the server says of single lines of a batch that it refused, by line number."""
    errors = [BatchError.from_dict(error) for error in batch.errors]
    return {
        error.line: FailureReason(error.code, None, error.message, failed_batch=True)
        for error in reversed(errors)  # of several, the first counts
        if isinstance(error.line, int)
    }


def batch_reason(batch: BatchState) -> FailureReason:
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
