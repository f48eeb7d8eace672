"""Pictures and videos that the API fetches by itself."""

from __future__ import annotations

from urllib.parse import urlsplit

from attrs import field, frozen

from ..error import ArgumentError

__all__ = ["ImageUrl", "VideoUrl"]


def _web(_: object, __: object, url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ArgumentError(f"url must start with http:// or https://, not {url!r}", "url")


@frozen
class ImageUrl:
    """A picture that the API fetches.

    Attributes:
        url: Where; PNG, JPEG, WebP or GIF.

    Raises:
        ArgumentError: It is no URL of the web.

    Example:
        >>> voyageai.ImageUrl("https://example.com/cat.png").url
        'https://example.com/cat.png'
    """

    url: str = field(validator=_web)


@frozen
class VideoUrl:
    """A video that the API fetches.

    Attributes:
        url: Where; MP4.

    Raises:
        ArgumentError: It is no URL of the web.
    """

    url: str = field(validator=_web)
