from __future__ import annotations

from typing import Any

from attrs import Factory, define

from ..types import JsonModel, Shape, as_is, plain, shape


@define(kw_only=True, repr=False)
class BatchLineError(JsonModel):
    """Why a line was not processed.

    Attributes:
        code: Error code, such as `batch_expired`.
        message: Error message.

    Example:
        >>> value = BatchLineError.from_dict(
        ...     {
        ...         "code": "batch_expired",
        ...         "message": "This request could not be executed before the completion window expired.",
        ...     }
        ... )
    """

    code: str
    message: str
    additional_properties: dict[str, Any] = Factory(dict[str, Any])
    """Fields that the contract does not name, as decoded from JSON."""

    def to_dict(self) -> dict[str, Any]:
        """Return the model as a JSON object, without the fields that are not set."""
        data: dict[str, Any] = {}
        data.update(self.additional_properties)
        data["code"] = self.code
        data["message"] = self.message
        return data

    @classmethod
    def _shape(cls) -> Shape:
        return shape(as_is, code=plain("code", str), message=plain("message", str))
