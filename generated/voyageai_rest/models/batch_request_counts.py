from __future__ import annotations

from typing import Any, Self

from attrs import Factory, define

from ..types import Model, as_fields, plain


@define(kw_only=True, repr=False)
class BatchRequestCounts(Model):
    """Numbers of a job's lines, by state.

    Attributes:
        total: All lines.
        completed: Lines answered.
        failed: Lines that failed.

    Example:
        >>> value = BatchRequestCounts.from_dict({"total": 3, "completed": 2, "failed": 1})
    """

    total: int
    completed: int
    failed: int
    additional_properties: dict[str, Any] = Factory(dict[str, Any])
    """Fields that the contract does not name, as they came."""

    def to_dict(self) -> dict[str, Any]:
        """The model as JSON has it, without the fields that are not set."""
        data: dict[str, Any] = {}
        data.update(self.additional_properties)
        data["total"] = self.total
        data["completed"] = self.completed
        data["failed"] = self.failed
        return data

    @classmethod
    def from_dict(cls, data: Any) -> Self:
        """Read the model from decoded JSON.

        Raises:
            ShapeError: It does not have the model's shape.
        """

        data = as_fields(data)
        return cls(
            total=plain(data, "total", int),
            completed=plain(data, "completed", int),
            failed=plain(data, "failed", int),
            additional_properties=data,
        )
