"""Errors of reading a response.

ResponseError         a response that can't be used; carries status, headers and body
├── StatusError       the status is not a success; `voyageai_rest.status` has a
│                     subclass that reads the error object of the body
└── MalformedResponse the status is a success, but the body does not match the contract
ShapeError            data that does not match a model, with the path of the mismatch
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

REQUEST_ID = "x-request-id"
"""Response header with the id that the server gives to a request."""
BODY_LIMIT = 65_536
"""Characters of a server's text that messages show at most."""
# Control characters, bidirectional marks, line separators and lone surrogates.
UNPRINTABLE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)

E = TypeVar("E", bound="ResponseError")

__all__ = (
    "BODY_LIMIT",
    "REQUEST_ID",
    "MalformedResponse",
    "ResponseError",
    "ShapeError",
    "StatusError",
    "printable",
)


def printable(text: str, limit: int | None = BODY_LIMIT) -> str:
    r"""Return a text that is safe for terminals and logs: on one line, escaped and truncated.

    Args:
        text: Any text, trusted or not.
        limit: Maximum number of characters of the result; None for no limit.

    Returns:
        The text, with characters that can't be shown escaped as `\xNN` or `\uNNNN`.

    Example:
        >>> print(printable("no\x1b[2J\nOK"))
        no\x1b[2J\x0aOK
    """
    shown = UNPRINTABLE.sub(_escaped, text[:limit])
    if limit is None or max(len(text), len(shown)) <= limit:
        return shown
    end = f"... ({len(text)} characters)"
    return f"{shown[: limit - len(end)]}{end}"


class ShapeError(ValueError):
    """Data does not have the shape that a model needs.

    Attributes:
        path: Path from the outermost object to the data, such as `data[3].index`.
        reason: What was expected there and what was found.
    """

    def __init__(self, reason: str, path: str = "") -> None:
        super().__init__(reason, path)
        self.reason = reason
        self.path = path

    def within(self, place: str) -> ShapeError:
        """Return the error with `place` prepended to its path."""
        joint = "." if self.path and not self.path.startswith("[") else ""
        return ShapeError(self.reason, f"{place}{joint}{self.path}")

    def __str__(self) -> str:
        return printable(f"{self.path or 'the whole body'}: {self.reason}")


class ResponseError(Exception):
    """A response that can't be used.

    Attributes:
        status_code: HTTP status, any integer.
        headers: Headers of the response.
        content: Body of the response, as received.
        reason: Description of the error.
    """

    def __init__(
        self, *, status_code: int, headers: Mapping[str, str], content: bytes, reason: str
    ) -> None:
        super().__init__(printable(f"HTTP {status_code}: {reason}"))
        self.status_code = status_code
        self.headers = dict(headers)
        self.content = content
        self.reason = reason

    @property
    def request_id(self) -> str | None:
        """Id that the server gave to the request, for support cases."""
        return self.headers.get(REQUEST_ID)

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self), self.status_code, self.headers, self.content, self.reason)


class StatusError(ResponseError):
    """The status of the response is not a success."""

    @property
    def error(self) -> object | None:
        """The error object of the body; None if the body has none."""
        return None


class MalformedResponse(ResponseError):
    """The status of the response is a success, but its body does not match the contract."""


def _restore(
    kind: type[E], status_code: int, headers: Mapping[str, str], content: bytes, reason: str
) -> E:
    return kind(status_code=status_code, headers=headers, content=content, reason=reason)


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
