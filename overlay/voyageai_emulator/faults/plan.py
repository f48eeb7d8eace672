"""The plan of faults, which selects the fault of each request."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from .fault import Fault, Value

__all__ = ["FaultPlan"]


@dataclass
class _Next:
    """A fault for the next requests."""

    fault: Fault
    operation: str | None
    times: int


@dataclass(frozen=True)
class _Share:
    """A fault for a share of the requests."""

    fault: Fault
    operation: str | None
    rate: float


class FaultPlan:
    """The planned faults: first those for the next requests, in order, then those for a share.

    Safe to change while the emulator serves.

    Args:
        operations: Ids of the contract's operations; a fault may be limited to one of them.
        random: Returns a number in [0, 1) for each request, if faults are planned for a share. By
            default the numbers are the same in every run.

    Example:
        >>> plan = FaultPlan()
        >>> plan.next("status", status=429, retry_after=2, times=2)
        >>> plan.sometimes("reset_before", rate=0.1)
        >>> str(plan.draw())
        'status; status=429; retry_after=2'
    """

    def __init__(
        self, operations: Collection[str] = (), random: Callable[[], float] | None = None
    ) -> None:
        self._operations = frozenset(operations)
        # Not for secrets.
        self._random = random or Random(0).random  # noqa: S311
        self._lock = threading.Lock()
        self._next: list[_Next] = []
        self._shares: list[_Share] = []

    def next(
        self,
        fault: Fault | str,
        /,
        *,
        times: int = 1,
        operation: str | None = None,
        **parameters: Value,
    ) -> None:
        """Plan a fault for the next requests, after those already planned.

        Args:
            fault: A fault, its name, or its text such as ``"status; status=503"``.
            times: Number of requests.
            operation: Id of the only operation to which it happens; None for all.
            **parameters: Parameters of the fault.

        Raises:
            ValueError: The name of the fault, a parameter or the operation is unknown, a value is
                invalid, or `times` is not a whole number from 1.
        """
        if type(times) is not int or times < 1:
            raise ValueError(f"times must be a whole number from 1, not {times!r}")
        entry = _Next(_fault(fault, parameters), self._known(operation), times)
        with self._lock:
            self._next.append(entry)

    def sometimes(
        self,
        fault: Fault | str,
        /,
        *,
        rate: float,
        operation: str | None = None,
        **parameters: Value,
    ) -> None:
        """Plan a fault for a share of the requests, from 0 to 1.

        Shares add up: after two of 0.1, 0.8 of the requests have no fault. If the sum is above 1,
        faults that were planned earlier take precedence.

        Args:
            fault: A fault, its name, or its text such as ``"status; status=503"``.
            rate: Share of the requests.
            operation: Id of the only operation to which it happens; None for all.
            **parameters: Parameters of the fault.

        Raises:
            ValueError: The name of the fault, a parameter or the operation is unknown, a value is
                invalid, or `rate` is not from 0 to 1.
        """
        if not 0 <= rate <= 1:
            raise ValueError(f"a share of requests is from 0 to 1, not {rate}")
        entry = _Share(_fault(fault, parameters), self._known(operation), rate)
        with self._lock:
            self._shares.append(entry)

    def always(
        self, fault: Fault | str, /, *, operation: str | None = None, **parameters: Value
    ) -> None:
        """Plan a fault for every request that has no other fault."""
        self.sometimes(fault, rate=1, operation=operation, **parameters)

    def clear(self) -> None:
        """Empty the plan."""
        with self._lock:
            self._next.clear()
            self._shares.clear()

    def draw(self, operation: str | None = None) -> Fault | None:
        """Return the fault of the next request, and count it; None if it has none."""
        if not self._next and not self._shares:
            return None
        with self._lock:
            for entry in self._next:
                if entry.operation in (None, operation):
                    entry.times -= 1
                    if not entry.times:
                        self._next.remove(entry)
                    return entry.fault
            left = self._random() if self._shares else 1.0
            for share in self._shares:
                if share.operation in (None, operation):
                    left -= share.rate
                    if left < 0:
                        return share.fault
        return None

    def start(self, faults: Iterable[Fault | str]) -> None:
        """Plan the faults of the settings, each a `Fault` or ``NAME[:RATE][; key=value]``."""
        for fault in faults:
            if isinstance(fault, Fault):
                self.always(fault)
                continue
            text, rate = _split_rate(fault)
            self.sometimes(text, rate=rate)

    def named(self, text: str) -> Fault | None:
        """Return the fault that a request names; None if its share does not include the request.

        Args:
            text: The fault, as ``NAME[:RATE][; key=value]``.

        Raises:
            ValueError: The name of the fault or of a parameter is unknown, or a value is invalid.
        """
        text, rate = _split_rate(text)
        fault = Fault.parse(text)
        with self._lock:
            return fault if rate == 1 or self._random() < rate else None

    def add(self, entries: Iterable[Mapping[str, Any]], *, replace: bool = False) -> None:
        """Plan entries in the format of `as_json`; if one is invalid, none is planned.

        Fields other than `fault`, `times`, `rate` and `operation` are parameters of the fault.

        Args:
            entries: The entries.
            replace: Remove the earlier plan.

        Raises:
            ValueError: The name of a fault, a parameter or an operation is unknown, or a value is
                invalid.
            TypeError: A field has a value of the wrong type.
        """
        plan = FaultPlan(self._operations)
        for entry in entries:
            fields = dict(entry)
            fault = str(fields.pop("fault", ""))
            if "rate" in fields:
                plan.sometimes(fault, **fields)
            else:
                plan.next(fault, **fields)
        with self._lock:
            if replace:
                self._next.clear()
                self._shares.clear()
            self._next += plan._next
            self._shares += plan._shares

    def as_json(self) -> list[dict[str, Any]]:
        """Return the plan: entries with a fault, `times` or `rate`, and an operation."""
        with self._lock:
            return [
                {"fault": str(entry.fault), "times": entry.times, "operation": entry.operation}
                for entry in self._next
            ] + [
                {"fault": str(share.fault), "rate": share.rate, "operation": share.operation}
                for share in self._shares
            ]

    def _known(self, operation: str | None) -> str | None:
        if operation is not None and operation not in self._operations:
            raise ValueError(f"there is no operation {operation!r}")
        return operation


def _fault(fault: Fault | str, parameters: Mapping[str, Value]) -> Fault:
    base = fault if isinstance(fault, Fault) else Fault.parse(fault)
    return Fault(base.name, {**base.parameters, **parameters})


def _split_rate(text: str) -> tuple[str, float]:
    """Split ``NAME[:RATE][; key=value]`` into the fault's text and its share."""
    head, semicolon, rest = text.partition(";")
    name, colon, given = head.partition(":")
    try:
        rate = float(given) if colon else 1.0
    except ValueError:
        rate = -1.0
    if not 0 <= rate <= 1:
        raise ValueError(f"a share of requests is from 0 to 1, not {given!r}")
    return name + semicolon + rest, rate
