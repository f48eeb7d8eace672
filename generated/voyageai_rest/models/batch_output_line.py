from __future__ import annotations

from types import NoneType
from typing import TYPE_CHECKING, Any

from attrs import Factory, define

from ..types import UNSET, JsonModel, Shape, Unset, as_is, optional, parsed, plain, shape, to_json

if TYPE_CHECKING:
    from ..models.batch_line_error import BatchLineError
    from ..models.batch_line_response import BatchLineResponse


@define(kw_only=True, repr=False)
class BatchOutputLine(JsonModel):
    """One line of a job's output or error file. The lines are in no particular order.

    Attributes:
        custom_id: The line's id in the input file.
        batch_id: Id of the job.
        response: The response, if the line was processed.
        error: The error, if the line was not processed.

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
    """Fields that the contract does not name, as decoded from JSON."""

    def to_dict(self) -> dict[str, Any]:
        """Return the model as a JSON object, without the fields that are not set."""
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
    def _shape(cls) -> Shape:
        from ..models.batch_line_error import BatchLineError
        from ..models.batch_line_response import BatchLineResponse

        return shape(
            as_is,
            custom_id=plain("custom_id", str),
            batch_id=optional(plain("batch_id", str)),
            response=optional(parsed("response", BatchLineResponse.from_dict, NoneType)),
            error=optional(parsed("error", BatchLineError.from_dict, NoneType)),
        )
