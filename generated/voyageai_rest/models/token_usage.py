from __future__ import annotations

from typing import Any

from attrs import Factory, define

from ..types import JsonModel, Shape, as_is, plain, shape


@define(kw_only=True, repr=False)
class TokenUsage(JsonModel):
    """Billed usage of the request.

    Attributes:
        total_tokens: Number of tokens in all inputs.

    Example:
        >>> value = TokenUsage.from_dict({"total_tokens": 10})
    """

    total_tokens: int
    additional_properties: dict[str, Any] = Factory(dict[str, Any])
    """Fields that the contract does not name, as decoded from JSON."""

    def to_dict(self) -> dict[str, Any]:
        """Return the model as a JSON object, without the fields that are not set."""
        data: dict[str, Any] = {}
        data.update(self.additional_properties)
        data["total_tokens"] = self.total_tokens
        return data

    @classmethod
    def _shape(cls) -> Shape:
        return shape(as_is, total_tokens=plain("total_tokens", int))
