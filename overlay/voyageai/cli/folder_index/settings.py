"""The settings of an index, which it remembers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from attrs import frozen

from ...error import ArgumentError
from ...limits import known
from .store import PART, about

__all__ = ["KEY", "Settings", "check_settings", "settings_of"]

KEY = "index"
"""Key of the settings in the metadata of an index."""


@frozen(kw_only=True)
class Settings:
    """Settings that an index is built with.

    Attributes:
        model: Name of a text embedding model.
        output_dtype: The vectors' dtype.
        output_dimension: Their dimension; None for the model's default.
        chunk_tokens: Tokens of a chunk, at most, as they are estimated.
        overlap: Tokens at the end of a chunk with which the next one begins again, at most.
        roots: Folders and files, relative to the folder that the index is in.
        only: Patterns of the files that count; all without any.
        without: Patterns of files and folders that do not.
        most_bytes: Bytes of a file, at most.
    """

    model: str
    output_dtype: str = "int8"
    output_dimension: int | None = None
    chunk_tokens: int = 400
    overlap: int = 50
    roots: tuple[str, ...] = (".",)
    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    most_bytes: int = 1_000_000

    @staticmethod
    def dtype(model: str) -> str:
        """Return the dtype that a model's vectors are kept in: int8, a byte, where it has that."""
        entry = known(model)
        return "int8" if entry is None or not entry.dtypes or "int8" in entry.dtypes else "float"


def settings_of(folder: Path) -> Settings | None:
    """Read the settings that an index was last built with; None if there is none."""
    found = about(folder / PART)
    if found is None or KEY not in found:
        return None
    lists = {name: tuple(found[KEY][name]) for name in ("roots", "only", "without")}
    own: dict[str, Any] = {**found[KEY], **lists}
    return Settings(**own)


def check_settings(settings: Settings) -> None:
    """Refuse settings that make no index.

    Raises:
        ArgumentError: Names the setting at fault.
    """
    entry = known(settings.model)
    if entry is not None and entry.endpoint not in (None, "embeddings"):
        raise ArgumentError(
            f"{settings.model} does not embed texts one by one; take a model of "
            "`voyageai models --endpoint embeddings`",
            "model",
        )
    for name in ("chunk_tokens", "overlap", "most_bytes"):
        value, least = getattr(settings, name), 0 if name == "overlap" else 1
        if value < least:
            raise ArgumentError(f"{name} must be at least {least}, not {value}", name)
    if settings.overlap >= settings.chunk_tokens:
        raise ArgumentError(
            f"overlap must be less than chunk_tokens, {settings.chunk_tokens}, "
            f"not {settings.overlap}",
            "overlap",
        )
