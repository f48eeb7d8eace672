from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from attrs import Factory, define

from ..types import (
    UNSET,
    Model,
    Unset,
    as_fields,
    nullable,
    optional,
    plain,
    plain_or_unset,
    to_json,
)

if TYPE_CHECKING:
    from ..models.batch_line_error import BatchLineError
    from ..models.batch_line_response import BatchLineResponse


@define(kw_only=True, repr=False)
class BatchOutputLine(Model):
    """One line of a job's output or error file. Lines come in any order.

    Attributes:
        custom_id: The caller's name for the line.
        batch_id: Id of the job.
        response: What came of a line that was run.
        error: Why the line was not run.

    Example:
        >>> value = BatchOutputLine.from_dict(
        ...     {
        ...         "custom_id": "line-1",
        ...         "response": None,
        ...         "error": {
        ...             "code": "batch_expired",
        ...             "message": "This request could not be executed before the completion window expired.",
        ...         },
        ...     }
        ... )
    """

    custom_id: str
    batch_id: str | Unset = UNSET
    response: BatchLineResponse | None | Unset = UNSET
    error: BatchLineError | None | Unset = UNSET
    additional_properties: dict[str, Any] = Factory(dict[str, Any])
    """Fields that the contract does not name, as they came."""

    def to_dict(self) -> dict[str, Any]:
        """The model as JSON has it, without the fields that are not set."""
        data: dict[str, Any] = {}
        data.update(self.additional_properties)
        data["custom_id"] = self.custom_id
        if self.batch_id is not UNSET:
            data["batch_id"] = self.batch_id
        if self.response is not UNSET:
            data["response"] = to_json(self.response)
        if self.error is not UNSET:
            data["error"] = to_json(self.error)
        return data

    @classmethod
    def from_dict(cls, data: Any) -> Self:
        """Read the model from decoded JSON.

        Raises:
            ShapeError: It does not have the model's shape.
        """
        from ..models.batch_line_error import BatchLineError
        from ..models.batch_line_response import BatchLineResponse

        data = as_fields(data)
        return cls(
            custom_id=plain(data, "custom_id", str),
            batch_id=plain_or_unset(data, "batch_id", str),
            response=optional(data, "response", nullable(BatchLineResponse.from_dict)),
            error=optional(data, "error", nullable(BatchLineError.from_dict)),
            additional_properties=data,
        )
