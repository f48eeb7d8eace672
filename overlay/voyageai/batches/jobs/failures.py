"""Rows without a result, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple, overload

from attrs import asdict, frozen
from voyageai_rest.errors import printable

from ..._utils import safe_repr
from ...disk import open_regular
from .lines import dumps

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Failure", "Failures", "Reason", "cut"]

SHOWN = 80
"""Characters of a text that are shown."""


class Reason(NamedTuple):
    """Why a line has no result.

    Attributes:
        code: The kind of reason, see `Failure`.
        status: HTTP status of the line, where it was run.
        message: The reason, for people.
        blamed: Whether the server named the line when it refused the whole batch.
    """

    code: str
    status: int | None
    message: str
    blamed: bool = False


@frozen(kw_only=True)
class Failure:
    """A row without a result.

    Attributes:
        row: Its number, from 0.
        code: The kind of reason: `refused` if the endpoint refused it, with a `status`; the
            server's own code for a line that was not run, such as `batch_expired`, or for one that
            made a batch fail; `batch_failed` if other lines did; `malformed_answer`, `no_answer`
            and `file_gone` if it was run but its answer is of no use; `unfinished` if it has not
            come to that yet.
        status: HTTP status, where the endpoint refused it.
        message: The reason, for people.
        batch: Number of its batch within the job, from 1.
        batch_id: Id of the batch at the server; None if there is none yet.
        line: Number of its line in the batch's file, from 1.
        text: How its text begins.

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
    """The rows without a result, in their order. Each is made when it is asked for.

    Args:
        count: How many there are.
        each: Makes them, one after the other.
    """

    def __init__(self, count: int, each: Callable[[], Iterator[Failure]]) -> None:
        self._count = count
        self._each = each

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Failure]:
        return self._each()

    @overload
    def __getitem__(self, index: int) -> Failure: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Failure]: ...
    def __getitem__(self, index: int | slice) -> Failure | Sequence[Failure]:
        if not isinstance(index, slice):
            place = range(self._count)[index]
            return next(islice(self, place, None))
        places = range(self._count)[index]
        if not places:
            return []
        first = min(places[0], places[-1])
        found = list(islice(self, first, max(places[0], places[-1]) + 1))
        return [found[place - first] for place in places]

    def write(self, path: Path) -> None:
        """Write them to a file, a line of JSON each; remove the file if there are none.

        Raises:
            OSError: It can't be written, or there is a link or a pipe where it would be begun.
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


def cut(text: str) -> str:
    """The beginning of a text."""
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
