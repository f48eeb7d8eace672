from __future__ import annotations

from typing import Any, Literal, Self

from attrs import define

from ..types import Model, as_fields, as_is, nothing_left, plain, required


@define(kw_only=True, repr=False)
class ImageUrlContent(Model):
    """A PNG, JPEG, WEBP or GIF image that the server fetches. It follows few redirects, needs a
    content-length and respects robots.txt.

    Attributes:
        type: See its type.
        image_url: URL of the image.

    Example:
        >>> value = ImageUrlContent.from_dict(
        ...     {"type": "image_url", "image_url": "https://example.com/banana.jpg"}
        ... )
    """

    type: Literal["image_url"] = "image_url"
    image_url: str

    def to_dict(self) -> dict[str, Any]:
        """The model as JSON has it, without the fields that are not set."""
        data: dict[str, Any] = {}
        data["type"] = self.type
        data["image_url"] = self.image_url
        return data

    @classmethod
    def from_dict(cls, data: Any) -> Self:
        """Read the model from decoded JSON.

        Raises:
            ShapeError: It does not have the model's shape.
        """

        data = as_fields(data)
        model = cls(type=required(data, "type", as_is), image_url=plain(data, "image_url", str))
        nothing_left(data)
        return model
