"""The exceptions of this package.

    VoyageError
    ├── APIError                   any other refusal, or an answer that makes no sense
    │   └── MalformedResponseError a success whose body is not what the contract says
    ├── TryAgain
    ├── Timeout                    no answer in time
    ├── APIConnectionError         no connection, or it broke
    ├── InvalidRequestError        400: the request is wrong
    │   └── ArgumentError          the same, found before anything was sent; also a ValueError
    ├── MalformedRequestError      422
    ├── AuthenticationError        401, or no usable key
    ├── RateLimitError             429
    ├── ServerError                500
    ├── ServiceUnavailableError    502, 503, 504
    └── VideoProcessingError

All of them pickle and copy. None holds the API key.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from voyageai_rest.errors import REQUEST_ID


class VoyageError(Exception):
    """The base of all exceptions of this package.

    Attributes:
        http_body: Body of the response, as text; None when there was no response.
        http_status: Status of the response.
        json_body: The body decoded, if it is JSON.
        headers: Headers of the response.
        code: A code for the error, where the API gives one.
        request_id: What the server calls the request, for support cases.
    """

    def __init__(
        self,
        message: str | None = None,
        http_body: str | bytes | None = None,
        http_status: int | None = None,
        json_body: Any = None,
        headers: Mapping[str, str] | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(message)
        self._message = message
        self.http_body = _text(http_body)
        self.http_status = http_status
        self.json_body = json_body
        self.headers = dict(headers or {})
        self.code = code
        self.request_id = self.headers.get(REQUEST_ID)

    @property
    def user_message(self) -> str | None:
        """The message alone, without the request id."""
        return self._message

    def __str__(self) -> str:
        message = self._message or "<empty message>"
        return f"Request {self.request_id}: {message}" if self.request_id else message

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(message={self._message!r}, "
            f"http_status={self.http_status!r}, request_id={self.request_id!r})"
        )


class APIError(VoyageError):
    """A refusal that has no class of its own, or an answer that makes no sense."""


class MalformedResponseError(APIError):
    """The server reported success, but the body is not what the contract says."""


class TryAgain(VoyageError):
    """Kept for code that names it; never raised."""


class Timeout(VoyageError):
    """No answer came in time."""


class APIConnectionError(VoyageError):
    """No connection could be made, or it broke."""


class InvalidRequestError(VoyageError):
    """The request is wrong."""


class ArgumentError(InvalidRequestError, ValueError):
    """An argument is wrong. Nothing was sent.

    Attributes:
        argument: The argument at fault, such as `texts[3]`.
    """

    def __init__(self, message: str | None = None, argument: str | None = None) -> None:
        super().__init__(message)
        self.argument = argument


class MalformedRequestError(VoyageError):
    """The server understood the request's form but not its content."""


class AuthenticationError(VoyageError):
    """There is no API key, or it is not a valid one."""


class RateLimitError(VoyageError):
    """Too many requests or tokens."""


class ServerError(VoyageError):
    """The server failed."""


class ServiceUnavailableError(VoyageError):
    """The server is overloaded or not ready."""


class VideoProcessingError(VoyageError):
    """A video could not be processed."""


def _text(body: str | bytes | None) -> str | None:
    if not isinstance(body, bytes):
        return body
    try:
        return body.decode()
    except UnicodeDecodeError:
        return "<Could not decode body as utf-8.>"
