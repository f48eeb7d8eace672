"""A fault as a value, and the registry of all kinds of faults."""

from __future__ import annotations

import inspect
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, NamedTuple, Self, TypeAlias, TypeVar
from urllib.parse import quote, unquote

__all__ = ["FAULTS", "Fault", "FaultKind", "Value", "fault", "register"]

Value: TypeAlias = bool | int | float | str
Run: TypeAlias = Callable[..., Awaitable[None]]
R = TypeVar("R", bound=Run)


class FaultKind(NamedTuple):
    """A kind of fault, by its name."""

    name: str
    description: str
    parameters: Mapping[str, Value]
    """Defaults by name, which also determine the types. An empty string means none."""
    run: Run
    """Answers a `FaultyRequest`; its keyword arguments are the parameters."""


RANGES: Mapping[str, tuple[float, float]] = {
    "status": (200, 599),
    "size": (1, 16_777_216),
    "share": (0, 1),
    "delay": (0, math.inf),
    "seconds": (0, math.inf),
    "max_seconds": (0, math.inf),
}
"""Ranges of parameters. They are limited because any request may name a fault."""

FAULTS: dict[str, FaultKind] = {}
"""All faults, by name."""


@dataclass(frozen=True)
class Fault:
    """A fault with its parameters.

    Attributes:
        name: Key in `FAULTS`.
        parameters: Parameters by name; missing ones have their defaults.

    Raises:
        ValueError: The name of the fault or of a parameter is unknown, or a value is invalid.

    Example:
        >>> fault = Fault("status", {"status": 503, "retry_after": 2})
        >>> str(fault)
        'status; status=503; retry_after=2'
        >>> Fault.parse("status; status=503; retry_after=2") == fault
        True
    """

    name: str
    parameters: Mapping[str, Value] = field(default_factory=dict[str, Value])

    def __post_init__(self) -> None:
        if self.name not in FAULTS:
            raise ValueError(f"there is no fault {self.name!r}{_suggestion(self.name, FAULTS)}")
        known = FAULTS[self.name].parameters
        converted: dict[str, Value] = {}
        for key, value in self.parameters.items():
            if key not in known:
                raise ValueError(
                    f"fault {self.name} has no parameter {key!r}{_suggestion(key, known)}"
                )
            converted[key] = _convert(key, value, type(known[key]))
        # A frozen dataclass can set a field only in this way.
        object.__setattr__(self, "parameters", MappingProxyType(converted))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse ``NAME; key=value; key=value``.

        Raises:
            ValueError: The text has another format, or is not a valid fault.
        """
        name, *pairs = (part.strip() for part in text.split(";"))
        parameters: dict[str, Value] = {}
        for pair in filter(None, pairs):
            key, equals, value = pair.partition("=")
            if not equals:
                raise ValueError(f"parameters of a fault are written key=value, not {pair!r}")
            parameters[key.strip()] = unquote(value.strip())
        return cls(name, parameters)

    def __str__(self) -> str:
        return "; ".join([self.name, *self._pairs(" ,:+/=")])

    def __hash__(self) -> int:
        return hash((self.name, tuple(sorted(self.parameters.items()))))

    def as_path(self) -> str:
        """Return the fault as one segment of a URL's path."""
        return ";".join([self.name, *self._pairs("")])

    def _pairs(self, safe: str) -> list[str]:
        return [f"{key}={quote(_text(value), safe=safe)}" for key, value in self.parameters.items()]


def fault(run: R) -> R:
    """Register a function as a fault; its keyword arguments are the parameters."""
    register(run.__name__, inspect.getdoc(run) or "", run, of=run)
    return run


def register(
    name: str, description: str, run: Run, *, of: Callable[..., Any], without: str = ""
) -> None:
    """Register a fault.

    Args:
        name: Name of the fault.
        description: Its effect on the response.
        run: Answers a `FaultyRequest`.
        of: Function whose keyword arguments are the parameters.
        without: Name of a keyword argument of `of` that is not a parameter.
    """
    parameters = {
        parameter.name: parameter.default
        for parameter in inspect.signature(of).parameters.values()
        if parameter.kind is parameter.KEYWORD_ONLY and parameter.name != without
    }
    FAULTS[name] = FaultKind(name, description, MappingProxyType(parameters), run)


def _convert(key: str, value: object, to: type) -> Value:
    """Convert a value, which may be text, to the type of a parameter.

    Raises:
        ValueError: The value has another type, or is out of range.
    """
    text = _text(value)
    try:
        if to is str:
            return text
        if to is bool:
            return {"true": True, "false": False}[text.lower()]
        number = int(text) if to is int else float(text)
        low, high = RANGES.get(key, (-math.inf, math.inf))
        if math.isfinite(number) and low <= number <= high:
            return number
    except (KeyError, ValueError):
        pass
    raise ValueError(f"parameter {key} of a fault cannot be {value!r}")


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _suggestion(name: str, known: Mapping[str, object]) -> str:
    near = get_close_matches(name, known)
    return f"; did you mean {' or '.join(near)}?" if near else ""
