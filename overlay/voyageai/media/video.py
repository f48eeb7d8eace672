"""Videos."""

from __future__ import annotations

from voyageai_rest.models import VideoBase64Content


class Video:
    """A video."""

    def encoded(self, model: str, argument: str) -> VideoBase64Content:
        """The video as a part of an input."""
        raise NotImplementedError
