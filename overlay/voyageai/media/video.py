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
from ..error import ArgumentError
from ..limits import check_model, known

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from .sizing import Usage

__all__ = ["AnyVideo", "Video", "check_takes_videos", "optimize_video", "sniff"]

AnyVideo: TypeAlias = "str | PathLike[str] | bytes | bytearray | memoryview | Video"
"""A video as users have it: a path, bytes, or one of ours."""

MP4 = "video/mp4"

STILL = (b"avif", b"avis", b"heic", b"heix", b"mif1", b"msf1")
"""Brands of pictures in the container of MP4."""
EBML = b"\x1a\x45\xdf\xa3"
OTHERS = (
    (0, EBML, "video/x-matroska"),
    (8, b"AVI ", "video/x-msvideo"),
    (0, b"GIF8", "image/gif"),
    (0, b"FLV\x01", "video/x-flv"),
    (0, b"OggS", "video/ogg"),
    (0, b"\x00\x00\x01\xba", "video/mpeg"),
)
"""Offset of a signature, its bytes, and the media type that it shows."""


def _as_bytes(data: object) -> bytes:
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise TypeError(f"data must be the bytes of a video, not {type(data).__name__}")
    return bytes(data)  # pyright: ignore[reportUnknownArgumentType]  # a view of anything


@define(slots=False, repr=False)
class Video:
    """A video for `Client.multimodal_embed`.

    Attributes:
        model: The model that it is for.
        optimized: Whether `optimize_video` made it.
        mime_type: Its media type; told by its bytes if it is not given.
        num_pixels: Pixels of all frames as the model counts them; as they are, if it is not known
            how the model scales them. None if nobody looked.
        num_frames: How many frames count: one less where their number is odd. None if nobody
            looked.
        estimated_num_tokens: What they make; None if it is not known.

    Args:
        data: Its bytes.

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
            path: The file.
            model: The model that it is for.
            optimize: Whether `optimize_video` makes it smaller. If not, it is looked at as far as
                ffmpeg is there and it is known what the model counts; it need not be.
            optimizer_kwargs: Arguments of `optimize_video`.

        Raises:
            OSError: The file can't be read.
            VoyageError: As `optimize_video` does; so ImportError.
        """
        if optimize:
            return optimize_video(path, model=model, **(optimizer_kwargs or {}))
        from . import ffmpeg  # what it loads costs time

        video = cls(Path(path).read_bytes(), model=model)
        _count(video, ffmpeg.look(Path(path), model))
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
            file_obj: The file, open with mode `rb`.
            model: The model that it is for.
            optimize: As in `from_path`.
            optimizer_kwargs: Arguments of `optimize_video`.

        Raises:
            TypeError: The file is open as text.
            VoyageError: As `optimize_video` does; so ImportError.
        """
        data = _as_bytes(file_obj.read())
        if optimize:
            return optimize_video(data, model=model, **(optimizer_kwargs or {}))
        from . import ffmpeg

        video = cls(data, model=model)
        with ffmpeg.kept(data) as path:
            _count(video, ffmpeg.look(path, model))
        return video

    def to_bytes(self) -> bytes:
        """Return the video's bytes."""
        return self._data

    def to_file(self, path: str | PathLike[str]) -> None:
        """Write the video to a file.

        Raises:
            OSError: It can't be written.
        """
        Path(path).write_bytes(self._data)

    def encoded(self, model: str, argument: str) -> VideoBase64Content:
        """Encode the video as a part of an input.

        Args:
            model: The model, whose limits hold.
            argument: How the caller knows it.

        Raises:
            ArgumentError: The model takes none, or none such; says what to do.
        """
        check_takes_videos(model, argument)
        if self.mime_type != MP4:
            raise ArgumentError(
                f"{argument} is a video of type {self.mime_type or 'unknown'}, but the API takes "
                f"{MP4}; optimize_video makes it that, or say mime_type={MP4!r} if it is",
                argument,
            )
        entry = known(model)
        limit = entry and entry.media and entry.media.video_max_bytes
        if limit and len(self._data) > limit:
            raise ArgumentError(
                f"{argument} has {len(self._data):,} bytes, but {model} takes at most {limit:,}; "
                "cut it, or give optimize_video a smaller max_video_tokens",
                argument,
            )
        data = base64.b64encode(self._data).decode("ascii")
        return VideoBase64Content(video_base64=f"data:{MP4};base64,{data}")

    def __hash__(self) -> int:
        return hash(self._data)

    @safe_repr
    def __repr__(self) -> str:
        others = {name: value for name, value in vars(self).items() if name != "_data"}
        told = ", ".join(f"{name}={value!r}" for name, value in others.items())
        return f"Video(<{len(self._data):,} bytes>, {told})"


def optimize_video(
    video: AnyVideo,
    *,
    model: str,
    resize: bool = True,
    resize_multiple: int = 28,
    downsample_fps: bool = True,
    max_video_tokens: int = 32000,
) -> Video:
    """Make a video smaller, as MP4 without sound and without what a camera wrote beside the frames.

    Args:
        video: Path or bytes of a video in a common container, or a `Video`.
        model: The model that it is for.
        resize: Whether the sides of its frames become multiples of `resize_multiple`.
        resize_multiple: Pixels, the nearest multiple of which each side becomes.
        downsample_fps: Whether frames are left out, evenly, to hold `max_video_tokens`. How the
            model scales frames is read from its repository: at the Hugging Face Hub, or at the
            emulator that VOYAGE_BASE_URL names.
        max_video_tokens: The most tokens that the video may count as.

    Returns:
        The video, with what it counts as. `num_pixels` are those of the frames as they are and
        `estimated_num_tokens` is None, if it is not known how the model scales them; this can only
        be without `downsample_fps`.

    Raises:
        ArgumentError: An argument is wrong, or the model takes no videos.
        ImportError: There is no ffmpeg, or no huggingface_hub where it is needed; says how to
            install it.
        OSError: The file can't be read.
        TypeError: It is neither a path nor bytes nor a `Video`.
        VideoProcessingError: It can't be read as a video, or `max_video_tokens` can't be held.

    Warns:
        UserWarning: Frames may not be left out, and the video counts as more than
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
    made = Video(data, model=model, optimized=True, mime_type=MP4)
    _count(made, usage)
    if (made.estimated_num_tokens or 0) > max_video_tokens:
        warnings.warn(
            f"The video counts as {made.estimated_num_tokens} tokens, more than "
            f"max_video_tokens={max_video_tokens}: without downsample_fps no frame is left out.",
            UserWarning,
            stacklevel=2,
        )
    return made


def sniff(data: bytes) -> str | None:
    """Return the media type of a video by its first bytes; None if they don't tell it.

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
    """Refuse a video for a model that is known to take none.

    Raises:
        ArgumentError: It takes none.
    """
    entry = known(model)
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
        return ffmpeg.kept(video.to_bytes())
    if isinstance(video, (bytes, bytearray, memoryview)):
        return ffmpeg.kept(_as_bytes(video))  # pyright: ignore[reportUnknownArgumentType]  # a view of anything
    raise TypeError(f"video must be a path, bytes or a Video, not {type(video).__name__}")


def _check_flag(field: str, value: object) -> None:
    if not isinstance(value, bool):
        raise ArgumentError(f"{field} must be True or False, not {value!r}", field)


def _check_positive(field: str, value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ArgumentError(f"{field} must be a positive integer, not {value!r}", field)
