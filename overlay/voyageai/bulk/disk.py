"""Writing so that a crash leaves the old or the new, and nothing in between."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["dumps", "sync_folder", "write_json"]


def dumps(value: Any) -> bytes:
    """A value as one line of JSON that a person can read."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"


def write_json(path: Path, value: Any) -> None:
    """Write a file whole, or leave what was there."""
    fresh = path.with_name(path.name + ".part")
    with fresh.open("wb") as file:
        file.write(json.dumps(value, ensure_ascii=False, indent=2).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make sure that the names in a folder outlive a crash, where the system lets folders be."""
    if os.name == "nt":
        return
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
