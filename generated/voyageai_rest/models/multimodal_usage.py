from __future__ import annotations

from typing import Any, Self

from attrs import Factory, define

from ..types import UNSET, Model, Unset, as_fields, plain, plain_or_unset


@define(kw_only=True, repr=False)
class MultimodalUsage(Model):
    """Billed use of the request. Pixels count as tokens at the model's ratio.

    Attributes:
        total_tokens: Tokens of texts, images and videos.
        text_tokens: Tokens of the texts.
        image_pixels: Pixels of the images, each scaled into the model's bounds.
        video_pixels: Pixels of all frames of the videos.

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
    """Fields that the contract does not name, as they came."""

    def to_dict(self) -> dict[str, Any]:
        """The model as JSON has it, without the fields that are not set."""
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
    def from_dict(cls, data: Any) -> Self:
        """Read the model from decoded JSON.

        Raises:
            ShapeError: It does not have the model's shape.
        """

        data = as_fields(data)
        return cls(
            total_tokens=plain(data, "total_tokens", int),
            text_tokens=plain_or_unset(data, "text_tokens", int),
            image_pixels=plain_or_unset(data, "image_pixels", int),
            video_pixels=plain_or_unset(data, "video_pixels", int),
            additional_properties=data,
        )
