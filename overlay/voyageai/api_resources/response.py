"""The official client's name for `voyageai.compat.response`."""

from ..compat.response import (
    VoyageHttpResponse,
    VoyageResponse,
)

__all__ = [
    "VoyageHttpResponse",
    "VoyageResponse",
]
