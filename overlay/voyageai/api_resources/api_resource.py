"""The official client's name for `voyageai.compat.resources`."""

from ..compat.resources import (
    APIResource,
)

__all__ = [
    "APIResource",
]
