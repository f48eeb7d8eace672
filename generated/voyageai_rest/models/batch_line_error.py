from __future__ import annotations

from typing import Any, Self

from attrs import Factory, define

from ..types import Model, as_fields, plain


@define(kw_only=True, repr=False)
class BatchLineError(Model):
    """Reason why a line was not run.

    Attributes:
        code: The kind of error, such as `batch_expired`.
        message: The reason, for people.

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
    """Fields that the contract does not name, as they came."""

    def to_dict(self) -> dict[str, Any]:
        """The model as JSON has it, without the fields that are not set."""
        data: dict[str, Any] = {}
        data.update(self.additional_properties)
        data["code"] = self.code
        data["message"] = self.message
        return data

    @classmethod
    def from_dict(cls, data: Any) -> Self:
        """Read the model from decoded JSON.

        Raises:
            ShapeError: It does not have the model's shape.
        """

        data = as_fields(data)
        return cls(
            code=plain(data, "code", str),
            message=plain(data, "message", str),
            additional_properties=data,
        )
