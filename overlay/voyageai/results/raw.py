"""An answer as it came."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

from attrs import field, frozen

T = TypeVar("T")


@frozen(kw_only=True)
class RawResponse(Generic[T]):
    """An answer as it came.

    Attributes:
        status_code: HTTP status.
        headers: Headers of the response, names in lower case.
        content: The body.
        request_id: What the server calls the request.
        parse: Gives the result that the method would have given; raises `VoyageError` if it makes
            no sense.
    """

    status_code: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)
    request_id: str | None
    parse: Callable[[], T] = field(repr=False)
