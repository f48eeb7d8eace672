from __future__ import annotations

from typing import Any

from attrs import Factory, define

from ..types import (
    UNSET,
    JsonModel,
    Shape,
    Unset,
    as_is,
    as_str,
    list_of,
    one_of,
    optional,
    parsed,
    plain,
    shape,
)


@define(kw_only=True, repr=False)
class Error(JsonModel):
    """Why a request failed.

    Attributes:
        detail: Error message. It is a list of errors if the server's framework wrote it.
        error_code: Name of the error, such as `TOO_MANY_TOKENS_IN_BATCH`; not in every
            response.

    Example:
        >>> value = Error.from_dict({"detail": "Unauthorized"})
    """

    detail: list[Any] | str
    error_code: str | Unset = UNSET
    additional_properties: dict[str, Any] = Factory(dict[str, Any])
    """Fields that the contract does not name, as decoded from JSON."""

    def to_dict(self) -> dict[str, Any]:
        """Return the model as a JSON object, without the fields that are not set."""
        data: dict[str, Any] = {}
        data.update(self.additional_properties)
        data["detail"] = self.detail
        if self.error_code is not UNSET:
            data["error_code"] = self.error_code
        return data

    @classmethod
    def _shape(cls) -> Shape:
        return shape(
            as_is,
            detail=parsed("detail", one_of(as_str, list_of(as_is))),
            error_code=optional(plain("error_code", str)),
        )
