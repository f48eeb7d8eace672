"""The usage of inputs, counted before they are sent."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from attrs import define
from voyageai_rest.models import (
    ImageBase64Content,
    TextContent,
    VideoBase64Content,
    VideoUrlContent,
)

from ..argument_checks import check_model
from ..error import ArgumentError
from ..inputs.multimodal import check_inputs
from . import VideoUrl, ffmpeg, pictures, replaced
from .sizing import pixel_bounds
from .video import Video

__all__ = ["count_usage"]

EMPTY_TEXT = TextContent(text="")


def count_usage(
    inputs: object, model: str, count_text: Callable[[list[str]], int], base_url: str | None = None
) -> dict[str, int]:
    """Count the usage of inputs.

    Args:
        inputs: Inputs of `Client.multimodal_embed`, without URLs to fetch.
        model: Name of the model.
        count_text: Function that returns the number of tokens of texts; called with one text per
            input.
        base_url: Base URL of requests, as in `pixel_bounds`.

    Returns:
        `text_tokens`, `image_pixels`, `video_pixels` and `total_tokens`. Pixels are those after the
        model has scaled images and frames.

    Raises:
        ArgumentError: An input is wrong, is a URL to fetch, or is not supported by the model.
        ImportError: An extra is not installed; the message names it.
        OSError: A file, or the sizes to which the model scales, can't be read.
        VideoProcessingError: A video can't be read.
    """
    check_model(model)
    tally = _Tally(model, base_url)
    texts: list[str] = []
    for place, item in enumerate(check_inputs(replaced(inputs, tally.add))):
        strings: list[str] = []
        for number, part in enumerate(item.content):
            if isinstance(part, TextContent):
                strings.append(part.text)
            else:
                tally.add(part, f"inputs[{place}][{number}]")
        # Inputs without text are counted too, as a tokenizer may add tokens to an empty text.
        texts.append("".join(strings))
    text_tokens = count_text(texts)
    return {
        "text_tokens": text_tokens,
        "image_pixels": tally.image_pixels,
        "video_pixels": tally.video_pixels,
        "total_tokens": text_tokens + tally.tokens,
    }


@define
class _Tally:
    """Adds up the pixels and tokens of images and videos."""

    model: str
    base_url: str | None
    image_pixels: int = 0
    video_pixels: int = 0
    tokens: int = 0

    def add(self, part: Any, argument: str) -> TextContent:
        """Count an image or video.

        Returns:
            A text part to put in its place.
        """
        match part:
            case Video():
                self._add_video(part)
            case VideoBase64Content():
                self._add_video(Video(_decoded(part.video_base64, argument), model=self.model))
            case ImageBase64Content():
                self._add_image(pictures.size_of_url(part.image_base64, self.model, argument))
            case _ if pictures.is_picture(part):
                self._add_image(_pixels(part, self.model, argument))
            case _:
                kind = "video" if isinstance(part, (VideoUrl, VideoUrlContent)) else "image"
                raise ArgumentError(
                    f"count_usage does not support {kind} URL segments, and {argument} is one; "
                    "pass the file instead",
                    argument,
                )
        return EMPTY_TEXT

    def _add_image(self, pixels: int) -> None:
        bounds = pixel_bounds(self.model, "image", self.base_url)
        self.image_pixels += bounds.scaled(pixels)
        self.tokens += bounds.tokens(bounds.scaled(pixels))

    def _add_video(self, video: Video) -> None:
        pixels, frames, tokens = video.num_pixels, video.num_frames, video.estimated_num_tokens
        if video.model != self.model or None in (pixels, frames, tokens):
            with ffmpeg.temporary_copy(video.to_bytes()) as path:
                pixels, _, tokens = ffmpeg.usage_of(path, self.model, self.base_url)
        self.video_pixels += pixels or 0
        self.tokens += tokens or 0


def _pixels(picture: Any, model: str, argument: str) -> int:
    seekable = getattr(picture, "seekable", None)
    if seekable is None or not seekable():
        return pictures.pixels(picture, model, argument)
    place = picture.tell()
    try:
        return pictures.pixels(picture, model, argument)
    finally:
        picture.seek(place)  # the file is read again when it is sent


def _decoded(url: str, argument: str) -> bytes:
    try:
        return base64.b64decode(url.partition(",")[2] or url, validate=True)
    except ValueError as error:
        raise ArgumentError(
            f"{argument} is not a data URL with base64: {error}", argument
        ) from None
