from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import Factory, define

from ..types import (
    UNSET,
    JsonModel,
    Shape,
    Unset,
    as_is,
    list_of,
    optional,
    parsed,
    plain,
    shape,
    to_json,
)

if TYPE_CHECKING:
    from ..models.bad_request_detail import BadRequestDetail


@define(kw_only=True, repr=False)
class Error(JsonModel):
    """An error response.

    Attributes:
        error: HTTP status code.
        error_code: Error code.
        reason: HTTP reason phrase.
        detail: Error message.
        parameters: Values that the error message refers to.
        bad_request_detail: The invalid fields of a request.

    Example:
        >>> value = Error.from_dict(
        ...     {
        ...         "error": 404,
        ...         "errorCode": "RESOURCE_NOT_FOUND",
        ...         "reason": "Not Found",
        ...         "detail": "There is no such key.",
        ...     }
        ... )
    """

    error: int
    error_code: str
    reason: str | Unset = UNSET
    detail: str | Unset = UNSET
    parameters: list[Any] | Unset = UNSET
    bad_request_detail: BadRequestDetail | Unset = UNSET
    additional_properties: dict[str, Any] = Factory(dict[str, Any])
    """Fields that the contract does not name, as decoded from JSON."""

    def to_dict(self) -> dict[str, Any]:
        """Return the model as a JSON object, without the fields that are not set."""
        data: dict[str, Any] = {}
        data.update(self.additional_properties)
        data["error"] = self.error
        data["errorCode"] = self.error_code
        if self.reason is not UNSET:
            data["reason"] = self.reason
        if self.detail is not UNSET:
            data["detail"] = self.detail
        if self.parameters is not UNSET:
            data["parameters"] = self.parameters
        if self.bad_request_detail is not UNSET:
            data["badRequestDetail"] = to_json(self.bad_request_detail)
        return data

    @classmethod
    def _shape(cls) -> Shape:
        from ..models.bad_request_detail import BadRequestDetail

        return shape(
            as_is,
            error=plain("error", int),
            error_code=plain("errorCode", str),
            reason=optional(plain("reason", str)),
            detail=optional(plain("detail", str)),
            parameters=optional(parsed("parameters", list_of(as_is))),
            bad_request_detail=optional(parsed("badRequestDetail", BadRequestDetail.from_dict)),
        )
