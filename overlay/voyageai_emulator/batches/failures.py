"""Lines that fail because a test wants them to."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass

from ..responses import ApiError

__all__ = ["Failures"]


@dataclass
class _Rule:
    custom_id: str | None
    times: int | None
    rate: float
    refusal: ApiError


class Failures:
    """Which lines are to fail. Safe to change while jobs run."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[_Rule] = []

    def add(
        self, custom_id: str | None, times: int | None, rate: float, status: int, message: str
    ) -> None:
        """Let lines fail.

        Raises:
            ValueError: There is no such number, share or status.
        """
        if times is not None and (type(times) is not int or times < 1):
            raise ValueError(f"times must be a whole number from 1, or None, not {times!r}")
        if not 0 <= rate <= 1:
            raise ValueError(f"a share of lines is from 0 to 1, not {rate}")
        if type(status) is not int or not 400 <= status <= 599:
            raise ValueError(f"a line fails with a status from 400 to 599, not {status!r}")
        with self._lock:
            self._rules.append(_Rule(custom_id, times, rate, ApiError(message, status)))

    def clear(self) -> None:
        """Let no more lines fail."""
        with self._lock:
            self._rules.clear()

    def draw(self, job: str, custom_id: str) -> ApiError | None:
        """How a line fails, if it is to."""
        if not self._rules:
            return None
        # The same after a restart, another in the next job.
        name = f"{job}/{custom_id}".encode("utf-8", "surrogatepass")
        chance = int.from_bytes(hashlib.blake2b(name, digest_size=8).digest()) / 2**64
        with self._lock:
            for rule in self._rules:
                if rule.custom_id in (None, custom_id) and chance < rule.rate:
                    if rule.times is not None:
                        rule.times -= 1
                        if not rule.times:
                            self._rules.remove(rule)
                    return rule.refusal
        return None
