"""Raw responses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

from attrs import field, frozen

T = TypeVar("T")


@frozen(kw_only=True)
class RawResponse(Generic[T]):
    """A response as it came.

    Attributes:
        status_code: HTTP status.
        headers: Headers of the response, names in lower case.
        content: The body.
        request_id: The server's id of the request.
        parse: Returns the result that the method would have returned; raises `VoyageError` if the
            response is malformed.
    """

    status_code: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)
    request_id: str | None
    parse: Callable[[], T] = field(repr=False)
