from __future__ import annotations

from typing import Any, Literal

from attrs import define

from ..types import JsonModel, Shape, as_is, parsed, plain, shape


@define(kw_only=True, repr=False)
class VideoBase64Content(JsonModel):
    """An MP4 video as a data URL. Needs a model that accepts video.

    Attributes:
        type: Always `'video_base64'`.
        video_base64: The video as a data URL, `data:video/mp4;base64,...`.

    Example:
        >>> value = VideoBase64Content.from_dict(
        ...     {"type": "video_base64", "video_base64": "data:video/mp4;base64,AAAAIGZ0eXA="}
        ... )
    """

    type: Literal["video_base64"] = "video_base64"
    video_base64: str

    def to_dict(self) -> dict[str, Any]:
        """Return the model as a JSON object, without the fields that are not set."""
        data: dict[str, Any] = {}
        data["type"] = self.type
        data["video_base64"] = self.video_base64
        return data

    @classmethod
    def _shape(cls) -> Shape:
        return shape(None, type=parsed("type", as_is), video_base64=plain("video_base64", str))
