from __future__ import annotations

from typing import Any

from attrs import Factory, define

from ..types import JsonModel, Shape, as_is, plain, shape


@define(kw_only=True, repr=False)
class BatchRequestCounts(JsonModel):
    """Number of a job's lines, by state.

    Attributes:
        total: Number of all lines.
        completed: Number of completed lines.
        failed: Number of failed lines.

    Example:
        >>> value = BatchRequestCounts.from_dict({"total": 3, "completed": 2, "failed": 1})
    """

    total: int
    completed: int
    failed: int
    additional_properties: dict[str, Any] = Factory(dict[str, Any])
    """Fields that the contract does not name, as decoded from JSON."""

    def to_dict(self) -> dict[str, Any]:
        """Return the model as a JSON object, without the fields that are not set."""
        data: dict[str, Any] = {}
        data.update(self.additional_properties)
        data["total"] = self.total
        data["completed"] = self.completed
        data["failed"] = self.failed
        return data

    @classmethod
    def _shape(cls) -> Shape:
        return shape(
            as_is,
            total=plain("total", int),
            completed=plain("completed", int),
            failed=plain("failed", int),
        )
