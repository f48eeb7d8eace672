from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import define

from ..types import JsonModel, Shape, list_of, one_of, parsed, shape, to_json

if TYPE_CHECKING:
    from ..models.image_base_64_content import ImageBase64Content
    from ..models.image_url_content import ImageUrlContent
    from ..models.text_content import TextContent
    from ..models.video_base_64_content import VideoBase64Content
    from ..models.video_url_content import VideoUrlContent


@define(kw_only=True, repr=False)
class MultimodalInput(JsonModel):
    """One input, a sequence of texts, images and videos that is embedded as one vector.

    Attributes:
        content: The parts, in order. Within a request, images and videos are either all by URL
            or all as data URLs.

    Example:
        >>> value = MultimodalInput.from_dict(
        ...     {
        ...         "content": [
        ...             {"type": "text", "text": "A banana."},
        ...             {"type": "image_url", "image_url": "https://example.com/banana.jpg"},
        ...         ]
        ...     }
        ... )
    """

    content: list[
        ImageBase64Content | ImageUrlContent | TextContent | VideoBase64Content | VideoUrlContent
    ]

    def to_dict(self) -> dict[str, Any]:
        """Return the model as a JSON object, without the fields that are not set."""
        data: dict[str, Any] = {}
        data["content"] = to_json(self.content)
        return data

    @classmethod
    def _shape(cls) -> Shape:
        from ..models.image_base_64_content import ImageBase64Content
        from ..models.image_url_content import ImageUrlContent
        from ..models.text_content import TextContent
        from ..models.video_base_64_content import VideoBase64Content
        from ..models.video_url_content import VideoUrlContent

        return shape(
            None,
            content=parsed(
                "content",
                list_of(
                    one_of(
                        TextContent.from_dict,
                        ImageUrlContent.from_dict,
                        ImageBase64Content.from_dict,
                        VideoUrlContent.from_dict,
                        VideoBase64Content.from_dict,
                    )
                ),
            ),
        )
