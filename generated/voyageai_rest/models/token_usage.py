from __future__ import annotations

from typing import Any, Self

from attrs import Factory, define

from ..types import Model, as_fields, plain


@define(kw_only=True, repr=False)
class TokenUsage(Model):
    """Billed use of the request.

    Attributes:
        total_tokens: Tokens of all inputs.

    Example:
        >>> value = TokenUsage.from_dict({"total_tokens": 10})
    """

    total_tokens: int
    additional_properties: dict[str, Any] = Factory(dict[str, Any])
    """Fields that the contract does not name, as they came."""

    def to_dict(self) -> dict[str, Any]:
        """The model as JSON has it, without the fields that are not set."""
        data: dict[str, Any] = {}
        data.update(self.additional_properties)
        data["total_tokens"] = self.total_tokens
        return data

    @classmethod
    def from_dict(cls, data: Any) -> Self:
        """Read the model from decoded JSON.

        Raises:
            ShapeError: It does not have the model's shape.
        """

        data = as_fields(data)
        return cls(total_tokens=plain(data, "total_tokens", int), additional_properties=data)
