from __future__ import annotations

from types import NoneType
from typing import Any

from attrs import Factory, define

from ..types import UNSET, JsonModel, Shape, Unset, as_is, optional, plain, shape


@define(kw_only=True, repr=False)
class BatchError(JsonModel):
    """An error in a job's input file.

    Attributes:
        code: Error code.
        message: Error message.
        line: Number of the invalid line, if the error is in one line.
        param: Name of the invalid argument, if the error is in one.

    Example:
        >>> value = BatchError.from_dict(
        ...     {
        ...         "code": "invalid_json",
        ...         "line": 3,
        ...         "message": "The line is not JSON.",
        ...         "param": None,
        ...     }
        ... )
    """

    code: str
    message: str
    line: int | None | Unset = UNSET
    param: None | str | Unset = UNSET
    additional_properties: dict[str, Any] = Factory(dict[str, Any])
    """Fields that the contract does not name, as decoded from JSON."""

    def to_dict(self) -> dict[str, Any]:
        """Return the model as a JSON object, without the fields that are not set."""
        data: dict[str, Any] = {}
        data.update(self.additional_properties)
        data["code"] = self.code
        data["message"] = self.message
        if self.line is not UNSET:
            data["line"] = self.line
        if self.param is not UNSET:
            data["param"] = self.param
        return data

    @classmethod
    def _shape(cls) -> Shape:
        return shape(
            as_is,
            code=plain("code", str),
            message=plain("message", str),
            line=optional(plain("line", int, NoneType)),
            param=optional(plain("param", str, NoneType)),
        )
