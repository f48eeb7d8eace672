from __future__ import annotations

from typing import Any, Literal

from attrs import define

from ..types import JsonModel, Shape, as_is, parsed, plain, shape


@define(kw_only=True, repr=False)
class TextContent(JsonModel):
    """A text within a multimodal input.

    Attributes:
        type: Always `'text'`.
        text: The text.

    Example:
        >>> value = TextContent.from_dict({"type": "text", "text": "A banana."})
    """

    type: Literal["text"] = "text"
    text: str

    def to_dict(self) -> dict[str, Any]:
        """Return the model as a JSON object, without the fields that are not set."""
        data: dict[str, Any] = {}
        data["type"] = self.type
        data["text"] = self.text
        return data

    @classmethod
    def _shape(cls) -> Shape:
        return shape(None, type=parsed("type", as_is), text=plain("text", str))
