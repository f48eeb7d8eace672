"""The exceptions of this package.

    VoyageError
    ├── APIError                    any other error response, or one that makes no sense
    │   ├── PermissionDeniedError   403
    │   ├── NotFoundError           404
    │   ├── ConflictError           409
    │   ├── ModelRetiredError       410: says which model replaces it
    │   ├── NotDeletedError         files that can't be deleted: says which
    │   └── MalformedResponseError  a success whose body is not what the contract says
    ├── TryAgain
    ├── Timeout                     no answer in time
    │   └── DeadlineError           the whole call, with retries and waits, took too long
    ├── APIConnectionError          no connection, or it broke
    ├── InvalidRequestError         400: the request is wrong
    │   └── ArgumentError           the same, found before anything was sent; also a ValueError
    ├── MalformedRequestError       422
    ├── AuthenticationError         401, or no usable key
    ├── RateLimitError              429
    ├── ServerError                 500 and other failures of the server
    ├── ServiceUnavailableError     502, 503, 504, 520 to 528
    │   └── OverloadedError         529
    └── VideoProcessingError

Names without a comment, and those with an official status, are the official client's; finer classes
are subclasses of what it raised. All of them pickle and copy. None holds the API key.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, cached_property
from typing import Any

from voyageai_rest.errors import BODY_LIMIT, REQUEST_ID, printable

ID_LIMIT = 256
"""Characters of a request id that messages show."""


class VoyageError(Exception):
    """The base of all exceptions of this package.

    Its text is one printable line of at most 64 Ki characters, whatever the server sent. The other
    attributes hold what the server sent, unchanged.

    Attributes:
        http_body: Body of the response as text, cut after 64 Ki characters; None without a body.
        http_status: Status of the response; None without a response.
        json_body: The decoded body, if it is JSON.
        headers: Headers of the response.
        code: The API's name for the reason, where it gives one.
        error: Always None, as the API sends no error objects; the official client has the name.
        request_id: The server's id of the request, for support cases.
        argument: The argument at fault, where it is known, such as `texts[3]`.
        attempts: Number of requests that were sent.
        elapsed: Seconds from the call to the error.
        retry_after: Seconds that the server asked to wait.
        outcome_unknown: True if the request may have been carried out although no answer says so:
            the connection broke, the time ran out, or the server failed.
    """

    error: None = None
    http_status: int | None = None
    request_id: str | None = None
    argument: str | None = None
    attempts: int = 0
    elapsed: float = 0.0
    retry_after: float | None = None
    outcome_unknown: bool = False
    _message: str | None = None

    def __init__(
        self,
        message: str | None = None,
        http_body: str | bytes | None = None,
        http_status: int | None = None,
        json_body: Any = None,
        headers: Mapping[str, str] | None = None,
        code: str | None = None,
    ) -> None:
        message = None if message is None else printable(str(message))
        super().__init__(message)
        self._message = message
        self.http_body = _text(http_body)
        self.http_status = http_status
        self.json_body = json_body
        self.headers = dict(headers or {})
        self.code = code
        # The official client reads the second header.
        self.request_id = self.headers.get(REQUEST_ID) or self.headers.get("request-id")

    @property
    def user_message(self) -> str | None:
        """The message alone, without the request id."""
        return self._message

    @property
    def help(self) -> str:
        """The page that explains the causes, costs and cures of this exception.

        Returns:
            A URL; without published documentation, a page of the sources and its anchor.
        """
        # A user's subclass has the page of its base.
        names = [kind.__name__ for kind in type(self).__mro__ if _is_ours(kind)]
        anchor = names[0].lower()
        url = _documentation()
        return f"{url.rstrip('/')}/errors.html#{anchor}" if url else f"docs/errors.md#{anchor}"

    @cached_property
    def __notes__(self) -> list[str]:  # type: ignore[override]
        # Printed at the end of tracebacks; computed only then.
        return [f"Cause, cost and cure: {self.help}"]

    def __str__(self) -> str:
        message = self._message or "<empty message>"
        if not self.request_id:
            return message
        return f"Request {printable(self.request_id, ID_LIMIT)}: {message}"

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(message={self._message!r}, "
            f"http_status={self.http_status!r}, request_id={self.request_id!r})"
        )


class APIError(VoyageError):
    """An error response that has no class of its own, or an answer that makes no sense."""


class PermissionDeniedError(APIError):
    """The API key, or the network it is used from, lacks the permission for this."""


class NotFoundError(APIError):
    """The file, batch, model or other resource does not exist."""


class ConflictError(APIError):
    """The resource is in a state that does not allow this."""


class ModelRetiredError(APIError):
    """The model is no longer served; the message names its replacement."""


class NotDeletedError(APIError):
    """Files can't be deleted; of several in one call, none was.

    Attributes:
        file_ids: Ids of the files that can't be deleted.
    """

    file_ids: tuple[str, ...] = ()


class MalformedResponseError(APIError):
    """The server reported success, but the body is not what the contract says."""


class TryAgain(VoyageError):
    """Never raised; kept for code that catches the official client's class."""


class Timeout(VoyageError):
    """No answer arrived in time."""


class DeadlineError(Timeout):
    """The deadline of the whole call, retries and waits included, has passed."""


class APIConnectionError(VoyageError):
    """No connection could be made, or the connection broke."""


class InvalidRequestError(VoyageError):
    """The request is wrong."""


class ArgumentError(InvalidRequestError, ValueError):
    """An argument is wrong; nothing was sent."""

    def __init__(self, message: str | None = None, argument: str | None = None) -> None:
        super().__init__(message)
        self.argument = argument


class MalformedRequestError(VoyageError):
    """The server understood the request's form but not its content."""


class AuthenticationError(VoyageError):
    """No API key was found, or the key is not valid."""


class RateLimitError(VoyageError):
    """Too many requests or tokens were sent within a minute."""


class ServerError(VoyageError):
    """The server failed."""


class ServiceUnavailableError(VoyageError):
    """The server is overloaded, or not ready to answer."""


class OverloadedError(ServiceUnavailableError):
    """The server is overloaded and says so."""


class VideoProcessingError(VoyageError):
    """A video could not be processed."""


def _is_ours(kind: type) -> bool:
    return kind.__module__.startswith(f"{__package__}.")


@cache
def _documentation() -> str:
    """Return the documentation URL in the package's metadata, or an empty string."""
    from importlib.metadata import PackageNotFoundError, metadata

    try:
        project_urls = metadata("voyageai").get_all("Project-URL") or []
    except PackageNotFoundError:  # run from a source folder
        return ""
    urls: dict[str, str] = dict(line.split(", ", 1) for line in project_urls)
    return urls.get("Documentation", "")


def _text(body: str | bytes | None) -> str | None:
    if body is None:
        return None
    if isinstance(body, bytes):
        try:
            body = body.decode()
        except UnicodeDecodeError:
            return "<Could not decode body as utf-8.>"
    return body if len(body) <= BODY_LIMIT else f"{body[:BODY_LIMIT]}... ({len(body)} characters)"
