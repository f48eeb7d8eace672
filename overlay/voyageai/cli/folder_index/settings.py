"""The settings of an index, which are stored in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from attrs import frozen

from ...argument_checks import catalogue_entry
from ...error import ArgumentError
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
        chunk_tokens: Most tokens of a chunk, by estimate.
        overlap: Most tokens that a chunk repeats from the end of the one before.
        roots: Folders and files, relative to the indexed folder.
        only: Patterns of the files to index; all files if empty.
        without: Patterns of the files and folders to leave out.
        most_bytes: Maximum size of a file in bytes.
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
        """Return the default dtype for a model's vectors: int8 if the model has it, else float."""
        entry = catalogue_entry(model)
        return "int8" if entry is None or not entry.dtypes or "int8" in entry.dtypes else "float"


def settings_of(folder: Path) -> Settings | None:
    """Read the settings of the last build of an index; None if there is no index."""
    found = about(folder / PART)
    if found is None or KEY not in found:
        return None
    lists = {name: tuple(found[KEY][name]) for name in ("roots", "only", "without")}
    own: dict[str, Any] = {**found[KEY], **lists}
    return Settings(**own)


def check_settings(settings: Settings) -> None:
    """Refuse settings that no index can have.

    Raises:
        ArgumentError: The model does not embed texts, or a number is out of its range.
    """
    entry = catalogue_entry(settings.model)
    if entry is not None and entry.endpoint not in (None, "embeddings"):
        raise ArgumentError(
            f"{settings.model} does not embed single texts; choose a model from "
            "`voyageai models --endpoint embeddings`",
            "model",
        )
    for name in ("chunk_tokens", "overlap", "most_bytes"):
        value, minimum = getattr(settings, name), 0 if name == "overlap" else 1
        if value < minimum:
            raise ArgumentError(f"{name} must be at least {minimum}, not {value}", name)
    if settings.overlap >= settings.chunk_tokens:
        raise ArgumentError(
            f"overlap must be less than chunk_tokens, {settings.chunk_tokens}, "
            f"not {settings.overlap}",
            "overlap",
        )
