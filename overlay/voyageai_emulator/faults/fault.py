"""A fault as a value: a name and parameters."""

from __future__ import annotations

import inspect
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeAlias, TypeVar
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    from .call import Call

__all__ = ["FAULTS", "Fault", "Kind", "Value", "fault", "register"]

Value: TypeAlias = bool | int | float | str
Run: TypeAlias = Callable[..., Awaitable[None]]
R = TypeVar("R", bound=Run)


class Kind(NamedTuple):
    """What faults of one name do."""

    name: str
    description: str
    parameters: Mapping[str, Value]
    """Their defaults, which also say of what type they are. An empty string stands for none."""
    run: Run
    """Answers a `Call` in its way."""


RANGES: Mapping[str, tuple[float, float]] = {
    "status": (200, 599),
    "size": (1, 16_777_216),
    "share": (0, 1),
    "delay": (0, math.inf),
    "seconds": (0, math.inf),
    "most": (0, math.inf),
}
"""From where to where parameters go. A request may name its fault: none is to fill the memory."""

FAULTS: dict[str, Kind] = {}
"""All faults, by name."""


@dataclass(frozen=True)
class Fault:
    """A fault.

    Attributes:
        name: Which one; a key of `FAULTS`.
        parameters: Those that are given; the others have their defaults.

    Raises:
        ValueError: There is no such fault, or it has no such parameter or value.

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
            raise ValueError(f"there is no fault {self.name!r}{_near(self.name, FAULTS)}")
        known = FAULTS[self.name].parameters
        read: dict[str, Value] = {}
        for key, value in self.parameters.items():
            if key not in known:
                raise ValueError(f"fault {self.name} has no parameter {key!r}{_near(key, known)}")
            read[key] = _convert(key, value, type(known[key]))
        # How frozen dataclasses set what they work out.
        object.__setattr__(self, "parameters", MappingProxyType(read))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``NAME; key=value; key=value``."""
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
        """The fault as one step of a URL's path."""
        return ";".join([self.name, *self._pairs("")])

    def _pairs(self, safe: str) -> list[str]:
        return [f"{key}={quote(_text(value), safe=safe)}" for key, value in self.parameters.items()]

    async def run(self, call: Call) -> None:
        """Answer a call in the fault's way."""
        await FAULTS[self.name].run(call, **self.parameters)


def fault(run: R) -> R:
    """Make a fault of a function that answers a call; its keyword arguments are parameters."""
    register(run.__name__, inspect.getdoc(run) or "", run, of=run)
    return run


def register(
    name: str, description: str, run: Run, *, of: Callable[..., Any], without: str = ""
) -> None:
    """Make a fault with the parameters of some function, but for one."""
    parameters = {
        parameter.name: parameter.default
        for parameter in inspect.signature(of).parameters.values()
        if parameter.kind is parameter.KEYWORD_ONLY and parameter.name != without
    }
    FAULTS[name] = Kind(name, description, MappingProxyType(parameters), run)


def _convert(key: str, value: object, to: type) -> Value:
    """A value as a parameter takes it, which may have come as text."""
    text = _text(value)
    try:
        if to is str:
            return text
        if to is bool:
            return {"true": True, "false": False}[text.lower()]
        number = int(text) if to is int else float(text)
        least, most = RANGES.get(key, (-math.inf, math.inf))
        if math.isfinite(number) and least <= number <= most:
            return number
    except (KeyError, ValueError):
        pass
    raise ValueError(f"parameter {key} of a fault cannot be {value!r}")


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _near(name: str, known: Mapping[str, object]) -> str:
    near = get_close_matches(name, known)
    return f"; near it: {', '.join(near)}" if near else ""
