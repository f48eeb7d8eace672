"""Files that stand in a request as base64."""

from __future__ import annotations

import binascii

from .medium import UnreadableError, check_bytes

__all__ = ["decode"]

SCHEME = "data:"
MARK = ";base64"


def decode(value: str, most: int | None) -> bytes:
    """The bytes of a data URL, or of base64 by itself. The media type that it claims is ignored.

    >>> decode("data:image/png;base64,iVBORw0KGgo=", 1000)[1:4]
    b'PNG'

    Args:
        value: The data URL.
        most: The most bytes to take.

    Raises:
        UnreadableError: It is no base64 or too large.
    """
    content = value
    if value[: len(SCHEME)].lower() == SCHEME:
        head, comma, content = value.partition(",")
        if not comma or not head.lower().endswith(MARK):
            raise UnreadableError("a data URL must be of the form data:[<mediatype>];base64,<data>")
    check_bytes(len(content) // 4 * 3 - content.endswith("=") - content.endswith("=="), most)
    try:
        # Both leniencies of the default are off: foreign characters, and data after the padding.
        return binascii.a2b_base64(content, strict_mode=True)
    except ValueError as error:  # also what is raised where it is not ASCII
        raise UnreadableError(f"the data is not valid base64: {error}") from error
