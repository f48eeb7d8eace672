from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import Factory, define

from ..types import UNSET, JsonModel, Shape, Unset, as_is, optional, parsed, plain, shape, to_json

if TYPE_CHECKING:
    from ..models.batch_line_answer import BatchLineAnswer


@define(kw_only=True, repr=False)
class BatchLineResponse(JsonModel):
    """HTTP status and response body of a processed line.

    Attributes:
        status_code: HTTP status.
        body: Response body of the endpoint for one line.
        message: Why the line failed.

    Example:
        >>> value = BatchLineResponse.from_dict(
        ...     {"status_code": 500, "message": "Internal Server Error"}
        ... )
    """

    status_code: int
    body: BatchLineAnswer | Unset = UNSET
    message: str | Unset = UNSET
    additional_properties: dict[str, Any] = Factory(dict[str, Any])
    """Fields that the contract does not name, as decoded from JSON."""

    def to_dict(self) -> dict[str, Any]:
        """Return the model as a JSON object, without the fields that are not set."""
        data: dict[str, Any] = {}
        data.update(self.additional_properties)
        data["status_code"] = self.status_code
        if self.body is not UNSET:
            data["body"] = to_json(self.body)
        if self.message is not UNSET:
            data["message"] = self.message
        return data

    @classmethod
    def _shape(cls) -> Shape:
        from ..models.batch_line_answer import BatchLineAnswer

        return shape(
            as_is,
            status_code=plain("status_code", int),
            body=optional(parsed("body", BatchLineAnswer.from_dict)),
            message=optional(plain("message", str)),
        )
