"""The official client's name for `voyageai.media.video`."""

from .media.video import Video, optimize_video

__all__ = ["Video", "optimize_video"]
