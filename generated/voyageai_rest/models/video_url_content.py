from __future__ import annotations

from typing import Any, Literal

from attrs import define

from ..types import JsonModel, Shape, as_is, parsed, plain, shape


@define(kw_only=True, repr=False)
class VideoUrlContent(JsonModel):
    """An MP4 video that the server fetches by URL, under the same conditions as an image. Needs a
    model that accepts video.

    Attributes:
        type: Always `'video_url'`.
        video_url: URL of the video.

    Example:
        >>> value = VideoUrlContent.from_dict(
        ...     {"type": "video_url", "video_url": "https://example.com/banana.mp4"}
        ... )
    """

    type: Literal["video_url"] = "video_url"
    video_url: str

    def to_dict(self) -> dict[str, Any]:
        """Return the model as a JSON object, without the fields that are not set."""
        data: dict[str, Any] = {}
        data["type"] = self.type
        data["video_url"] = self.video_url
        return data

    @classmethod
    def _shape(cls) -> Shape:
        return shape(None, type=parsed("type", as_is), video_url=plain("video_url", str))
