"""The constraints of the contract on the fields of requests, beyond their types."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping


@frozen(kw_only=True)
class Constraint:
    """The constraints of a field; all bounds are inclusive.

    Attributes:
        min_items: Minimum number of items of a list.
        max_items: Maximum number of items of a list.
        min_length: Minimum number of characters of a string.
        max_length: Maximum number of characters of a string.
        minimum: Minimum of a number.
        maximum: Maximum of a number.
        max_properties: Maximum number of keys of an object.
        values: Allowed values of an enum.
        item: Constraints of each item of a list.
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
