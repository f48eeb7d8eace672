from __future__ import annotations

from typing import Any

from attrs import Factory, define

from ..types import UNSET, JsonModel, Shape, Unset, as_is, optional, plain, shape


@define(kw_only=True, repr=False)
class MultimodalUsage(JsonModel):
    """Billed usage of the request. The model defines how many pixels count as one token.

    Attributes:
        total_tokens: Number of tokens in texts, images and videos.
        text_tokens: Number of tokens in the texts.
        image_pixels: Number of pixels in the images, scaled to the model's limits.
        video_pixels: Number of pixels in all frames of the videos.

    Example:
        >>> value = MultimodalUsage.from_dict(
        ...     {"text_tokens": 5, "image_pixels": 2000000, "video_pixels": 0, "total_tokens": 3576}
        ... )
    """

    total_tokens: int
    text_tokens: int | Unset = UNSET
    image_pixels: int | Unset = UNSET
    video_pixels: int | Unset = UNSET
    additional_properties: dict[str, Any] = Factory(dict[str, Any])
    """Fields that the contract does not name, as decoded from JSON."""

    def to_dict(self) -> dict[str, Any]:
        """Return the model as a JSON object, without the fields that are not set."""
        data: dict[str, Any] = {}
        data.update(self.additional_properties)
        data["total_tokens"] = self.total_tokens
        if self.text_tokens is not UNSET:
            data["text_tokens"] = self.text_tokens
        if self.image_pixels is not UNSET:
            data["image_pixels"] = self.image_pixels
        if self.video_pixels is not UNSET:
            data["video_pixels"] = self.video_pixels
        return data

    @classmethod
    def _shape(cls) -> Shape:
        return shape(
            as_is,
            total_tokens=plain("total_tokens", int),
            text_tokens=optional(plain("text_tokens", int)),
            image_pixels=optional(plain("image_pixels", int)),
            video_pixels=optional(plain("video_pixels", int)),
        )
