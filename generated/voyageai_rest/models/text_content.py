from __future__ import annotations

from typing import Any, Literal, Self

from attrs import define

from ..types import Model, as_fields, as_is, nothing_left, plain, required


@define(kw_only=True, repr=False)
class TextContent(Model):
    """A text within a multimodal input.

    Attributes:
        type: See its type.
        text: The text.

    Example:
        >>> value = TextContent.from_dict({"type": "text", "text": "A banana."})
    """

    type: Literal["text"] = "text"
    text: str

    def to_dict(self) -> dict[str, Any]:
        """The model as JSON has it, without the fields that are not set."""
        data: dict[str, Any] = {}
        data["type"] = self.type
        data["text"] = self.text
        return data

    @classmethod
    def from_dict(cls, data: Any) -> Self:
        """Read the model from decoded JSON.

        Raises:
            ShapeError: It does not have the model's shape.
        """

        data = as_fields(data)
        model = cls(type=required(data, "type", as_is), text=plain(data, "text", str))
        nothing_left(data)
        return model
