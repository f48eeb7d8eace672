"""The official client's home of videos; see `voyageai.media`."""

from .media.video import Video, optimize_video

__all__ = ["Video", "optimize_video"]
