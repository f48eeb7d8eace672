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
    from ..models.batch_error import BatchError


@define(kw_only=True, repr=False)
class BatchErrors(JsonModel):
    """The errors that made a job fail.

    Attributes:
        data: The errors.
        object: Always `list`.

    Example:
        >>> value = BatchErrors.from_dict(
        ...     {
        ...         "object": "list",
        ...         "data": [
        ...             {
        ...                 "code": "invalid_json",
        ...                 "line": 3,
        ...                 "message": "The line is not JSON.",
        ...                 "param": None,
        ...             }
        ...         ],
        ...     }
        ... )
    """

    data: list[BatchError]
    object: str | Unset = UNSET
    additional_properties: dict[str, Any] = Factory(dict[str, Any])
    """Fields that the contract does not name, as decoded from JSON."""

    def to_dict(self) -> dict[str, Any]:
        """Return the model as a JSON object, without the fields that are not set."""
        data: dict[str, Any] = {}
        data.update(self.additional_properties)
        data["data"] = to_json(self.data)
        if self.object is not UNSET:
            data["object"] = self.object
        return data

    @classmethod
    def _shape(cls) -> Shape:
        from ..models.batch_error import BatchError

        return shape(
            as_is,
            data=parsed("data", list_of(BatchError.from_dict)),
            object=optional(plain("object", str)),
        )
