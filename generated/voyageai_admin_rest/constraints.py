"""Demands of the contract on the fields of requests, beyond their types."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping


@frozen(kw_only=True)
class Constraint:
    """Bounds of a field, all inclusive.

    Attributes:
        min_items: Fewest items of a list.
        max_items: Most items of a list.
        min_length: Fewest characters of a string.
        max_length: Most characters of a string.
        minimum: Least value of a number.
        maximum: Greatest value of a number.
        max_properties: Most keys of an object.
        values: The values of an enum.
        item: Bounds of each item of a list.
    """

    min_items: int | None = None
    max_items: int | None = None
    min_length: int | None = None
    max_length: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    max_properties: int | None = None
    values: tuple[str, ...] | None = None
    item: Constraint | None = None


CONSTRAINTS: Mapping[str, Mapping[str, Constraint]] = MappingProxyType(
    {
        "CreateModelKeyRequest": MappingProxyType(
            {"name": Constraint(min_length=1, max_length=250)}
        ),
        "UpdateModelKeyRequest": MappingProxyType(
            {"name": Constraint(min_length=1, max_length=250)}
        ),
        "UpdateModelRateLimitRequest": MappingProxyType(
            {
                "requestsPerMinuteLimit": Constraint(minimum=1),
                "tokensPerMinuteLimit": Constraint(minimum=1),
            }
        ),
    }
)
