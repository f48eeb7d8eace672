"""Videos as inputs: encoding, size and tokens."""

from __future__ import annotations

import base64
import os
import warnings
from collections.abc import Mapping
from contextlib import nullcontext
from os import PathLike
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeAlias

from attrs import define, field
from voyageai_rest.models import VideoBase64Content

from .._utils import safe_repr
from ..argument_checks import catalogue_entry, check_model
from ..error import ArgumentError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from .sizing import Usage

__all__ = ["AnyVideo", "Video", "check_takes_videos", "optimize_video", "sniff"]

AnyVideo: TypeAlias = "str | PathLike[str] | bytes | bytearray | memoryview | Video"
"""A video: a path, bytes, or a `Video`."""

MP4 = "video/mp4"

STILL = (b"avif", b"avis", b"heic", b"heix", b"mif1", b"msf1")
"""Brands of still pictures in an MP4 container."""
EBML = b"\x1a\x45\xdf\xa3"
OTHERS = (
    (0, EBML, "video/x-matroska"),
    (8, b"AVI ", "video/x-msvideo"),
    (0, b"GIF8", "image/gif"),
    (0, b"FLV\x01", "video/x-flv"),
    (0, b"OggS", "video/ogg"),
    (0, b"\x00\x00\x01\xba", "video/mpeg"),
)
"""Offset of a signature, its bytes, and the media type that it identifies."""


def _as_bytes(data: object) -> bytes:
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise TypeError(f"data must be the bytes of a video, not {type(data).__name__}")
    return bytes(data)  # pyright: ignore[reportUnknownArgumentType]  # a view of anything


@define(slots=False, repr=False)
class Video:
    """A video for `Client.multimodal_embed`.

    Attributes:
        model: Name of the model.
        optimized: True if `optimize_video` made it.
        mime_type: Media type, inferred from the first bytes unless given.
        num_pixels: Pixels of all frames as the model counts them, or unscaled if its scaling is not
            known; None if the video was not measured.
        num_frames: Number of frames that count, one less than an odd number; None if the video was
            not measured.
        estimated_num_tokens: Tokens of the video; None if unknown.

    Args:
        data: The bytes of the video.

    Example:
        >>> video = Video(bytes.fromhex("0000001866747970 6d703432"), model="voyage-multimodal-3.5")
        >>> video.mime_type
        'video/mp4'
    """

    _data: bytes = field(converter=_as_bytes)
    model: str = field(kw_only=True)
    optimized: bool = field(default=False, kw_only=True)
    mime_type: str | None = field(default=None, kw_only=True)
    num_pixels: int | None = field(default=None, kw_only=True)
    num_frames: int | None = field(default=None, kw_only=True)
    estimated_num_tokens: int | None = field(default=None, kw_only=True)

    def __attrs_post_init__(self) -> None:
        if self.mime_type is None:
            self.mime_type = sniff(self._data)

    @classmethod
    def from_path(
        cls,
        path: str | PathLike[str],
        *,
        model: str,
        optimize: bool = True,
        optimizer_kwargs: Mapping[str, Any] | None = None,
    ) -> Video:
        """Read a video from a file.

        Args:
            path: Path of the file.
            model: Name of the model.
            optimize: True to make the video smaller with `optimize_video`. Otherwise it is only
                measured, if ffmpeg is available and the model's scaling is known.
            optimizer_kwargs: Arguments of `optimize_video`.

        Raises:
            OSError: The file can't be read.
            VoyageError, ImportError: As in `optimize_video`.
        """
        if optimize:
            return optimize_video(path, model=model, **(optimizer_kwargs or {}))
        from . import ffmpeg  # imported late, as its imports take time

        video = cls(Path(path).read_bytes(), model=model)
        _count(video, ffmpeg.try_usage(Path(path), model))
        return video

    @classmethod
    def from_file(
        cls,
        file_obj: IO[bytes],
        *,
        model: str,
        optimize: bool = True,
        optimizer_kwargs: Mapping[str, Any] | None = None,
    ) -> Video:
        """Read a video from an open file.

        Args:
            file_obj: The file, opened with mode `rb`.
            model: Name of the model.
            optimize: As in `from_path`.
            optimizer_kwargs: Arguments of `optimize_video`.

        Raises:
            TypeError: The file is opened as text.
            VoyageError, ImportError: As in `optimize_video`.
        """
        data = _as_bytes(file_obj.read())
        if optimize:
            return optimize_video(data, model=model, **(optimizer_kwargs or {}))
        from . import ffmpeg

        video = cls(data, model=model)
        with ffmpeg.temporary_copy(data) as path:
            _count(video, ffmpeg.try_usage(path, model))
        return video

    def to_bytes(self) -> bytes:
        """Return the video's bytes."""
        return self._data

    def to_file(self, path: str | PathLike[str]) -> None:
        """Write the video to a file.

        Raises:
            OSError: The file can't be written.
        """
        Path(path).write_bytes(self._data)

    def encoded(self, model: str, argument: str) -> VideoBase64Content:
        """Encode the video as a part of an input.

        Args:
            model: Name of the model, whose limits apply.
            argument: Name of the video for the caller, such as `inputs[0][1]`.

        Raises:
            ArgumentError: The model does not support videos, or not this one; the message says what
                to do.
        """
        check_takes_videos(model, argument)
        if self.mime_type != MP4:
            raise ArgumentError(
                f"{argument} is a video of type {self.mime_type or 'unknown'}, but the API takes "
                f"{MP4}; convert it with optimize_video, or pass mime_type={MP4!r} if it is one",
                argument,
            )
        entry = catalogue_entry(model)
        limit = entry and entry.media and entry.media.video_max_bytes
        if limit and len(self._data) > limit:
            raise ArgumentError(
                f"{argument} has {len(self._data):,} bytes, but {model} takes at most {limit:,}; "
                "shorten it, or pass a smaller max_video_tokens to optimize_video",
                argument,
            )
        data = base64.b64encode(self._data).decode("ascii")
        return VideoBase64Content(video_base64=f"data:{MP4};base64,{data}")

    def __hash__(self) -> int:
        return hash(self._data)

    @safe_repr
    def __repr__(self) -> str:
        others = {name: value for name, value in vars(self).items() if name != "_data"}
        fields = ", ".join(f"{name}={value!r}" for name, value in others.items())
        return f"Video(<{len(self._data):,} bytes>, {fields})"


def optimize_video(
    video: AnyVideo,
    *,
    model: str,
    resize: bool = True,
    resize_multiple: int = 28,
    downsample_fps: bool = True,
    max_video_tokens: int = 32000,
) -> Video:
    """Make a video smaller: as MP4, without sound and without metadata.

    Args:
        video: Path or bytes of a video in a common container, or a `Video`.
        model: Name of the model.
        resize: True to scale the sides of frames to multiples of `resize_multiple`.
        resize_multiple: Number of pixels to whose nearest multiple each side is scaled.
        downsample_fps: True to drop frames evenly, to meet `max_video_tokens`. The model's scaling
            of frames is read from its repository on the Hugging Face Hub, or from the emulator at
            VOYAGE_BASE_URL.
        max_video_tokens: The most tokens that the video may count as.

    Returns:
        The video with its usage. If the model's scaling is not known, which is possible only
        without `downsample_fps`, `num_pixels` is unscaled and `estimated_num_tokens` is None.

    Raises:
        ArgumentError: An argument is wrong, or the model does not support videos.
        ImportError: ffmpeg is not found, or huggingface_hub is needed and not installed; the
            message says how to install it.
        OSError: The file can't be read.
        TypeError: `video` is neither a path nor bytes nor a `Video`.
        VideoProcessingError: The video can't be read, or `max_video_tokens` can't be met.

    Warns:
        UserWarning: Frames are not to be dropped, and the video counts as more than
            `max_video_tokens`.

    Example:
        >>> model = "voyage-multimodal-3.5"
        >>> video = optimize_video("lecture.mp4", model=model, max_video_tokens=8000)
        >>> vo.multimodal_embed([["A lecture on birds", video]], model=model).video_pixels > 0
        True
    """
    from . import ffmpeg

    check_model(model)
    _check_flag("resize", resize)
    _check_flag("downsample_fps", downsample_fps)
    _check_positive("resize_multiple", resize_multiple)
    _check_positive("max_video_tokens", max_video_tokens)
    with _on_disk(video) as source:
        data, usage = ffmpeg.optimized(
            source,
            model,
            multiple=resize_multiple if resize else None,
            budget=max_video_tokens if downsample_fps else None,
        )
    smaller = Video(data, model=model, optimized=True, mime_type=MP4)
    _count(smaller, usage)
    if (smaller.estimated_num_tokens or 0) > max_video_tokens:
        warnings.warn(
            f"The video counts as {smaller.estimated_num_tokens} tokens, more than "
            f"max_video_tokens={max_video_tokens}: without downsample_fps no frame is dropped.",
            UserWarning,
            stacklevel=2,
        )
    return smaller


def sniff(data: bytes) -> str | None:
    """Return the media type of a video from its first bytes; None if they don't show it.

    Example:
        >>> sniff(bytes.fromhex("0000001866747970 6d703432"))
        'video/mp4'
    """
    if data[4:8] == b"ftyp":
        brand = data[8:12]
        if brand in STILL:
            return None
        return "video/quicktime" if brand == b"qt  " else MP4
    if data.startswith(EBML) and b"webm" in data[:64]:
        return "video/webm"
    return next(
        (kind for place, mark, kind in OTHERS if data[place : place + len(mark)] == mark), None
    )


def check_takes_videos(model: str, argument: str) -> None:
    """Raise if a model of the catalogue does not support videos.

    Raises:
        ArgumentError: The model does not support videos.
    """
    entry = catalogue_entry(model)
    if entry is not None and "video" not in entry.modalities:
        raise ArgumentError(f"{argument} is a video, and {model} takes none", argument)


def _count(video: Video, usage: Usage | None) -> None:
    if usage is not None:
        video.num_pixels, video.num_frames, video.estimated_num_tokens = usage


def _on_disk(video: object) -> AbstractContextManager[Path]:
    from . import ffmpeg

    if isinstance(video, (str, os.PathLike)):
        return nullcontext(Path(video).resolve(strict=True))  # pyright: ignore[reportUnknownArgumentType]  # a path of some kind
    if isinstance(video, Video):
        return ffmpeg.temporary_copy(video.to_bytes())
    if isinstance(video, (bytes, bytearray, memoryview)):
        return ffmpeg.temporary_copy(_as_bytes(video))  # pyright: ignore[reportUnknownArgumentType]  # a view of anything
    raise TypeError(f"video must be a path, bytes or a Video, not {type(video).__name__}")


def _check_flag(field: str, value: object) -> None:
    if not isinstance(value, bool):
        raise ArgumentError(f"{field} must be True or False, not {value!r}", field)


def _check_positive(field: str, value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ArgumentError(f"{field} must be a positive integer, not {value!r}", field)
