"""The official client's name for `voyageai.compat.api_requestor`."""

from ..compat.api_requestor import (
    APIRequestor,
    VoyageHttpResponse,
)

__all__ = [
    "APIRequestor",
    "VoyageHttpResponse",
]
