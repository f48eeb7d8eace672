"""What kind of file some bytes are."""

from __future__ import annotations

__all__ = ["MP4", "sniff"]

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
"""Where a mark stands, the mark, and whose it is."""


def sniff(data: bytes) -> str | None:
    """The media type of a video from its first bytes; None if they tell nothing.

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
