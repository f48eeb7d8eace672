from __future__ import annotations

from typing import Any, Literal

from attrs import define

from ..types import JsonModel, Shape, as_is, parsed, plain, shape


@define(kw_only=True, repr=False)
class ImageUrlContent(JsonModel):
    """A PNG, JPEG, WEBP or GIF image that the server fetches by URL. The server follows only a few
    redirects, requires a Content-Length header, and respects robots.txt.

    Attributes:
        type: Always `'image_url'`.
        image_url: URL of the image.

    Example:
        >>> value = ImageUrlContent.from_dict(
        ...     {"type": "image_url", "image_url": "https://example.com/banana.jpg"}
        ... )
    """

    type: Literal["image_url"] = "image_url"
    image_url: str

    def to_dict(self) -> dict[str, Any]:
        """Return the model as a JSON object, without the fields that are not set."""
        data: dict[str, Any] = {}
        data["type"] = self.type
        data["image_url"] = self.image_url
        return data

    @classmethod
    def _shape(cls) -> Shape:
        return shape(None, type=parsed("type", as_is), image_url=plain("image_url", str))
