from __future__ import annotations

from typing import Any, Literal

from attrs import define

from ..types import JsonModel, Shape, as_is, parsed, plain, shape


@define(kw_only=True, repr=False)
class ImageBase64Content(JsonModel):
    """A PNG, JPEG, WEBP or GIF image as a data URL.

    Attributes:
        type: Always `'image_base64'`.
        image_base64: The image as a data URL, `data:image/png;base64,...`.

    Example:
        >>> value = ImageBase64Content.from_dict(
        ...     {"type": "image_base64", "image_base64": "data:image/png;base64,iVBORw0KGgo="}
        ... )
    """

    type: Literal["image_base64"] = "image_base64"
    image_base64: str

    def to_dict(self) -> dict[str, Any]:
        """Return the model as a JSON object, without the fields that are not set."""
        data: dict[str, Any] = {}
        data["type"] = self.type
        data["image_base64"] = self.image_base64
        return data

    @classmethod
    def _shape(cls) -> Shape:
        return shape(None, type=parsed("type", as_is), image_base64=plain("image_base64", str))
