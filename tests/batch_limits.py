"""Small batches, so that small jobs have several of them."""

from __future__ import annotations

from typing import Any

import attrs
from voyageai.flow import BatchLimits

__all__ = ["limit_batches"]


def limit_batches(client: Any, **limits: int) -> None:
    """Set the limits by which a client splits jobs into batches, instead of the API's."""
    transport = client._transport
    transport.environment = attrs.evolve(transport.environment, batch_limits=BatchLimits(**limits))
