"""The cache of the Hugging Face Hub, and a Hub without a connection."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path
from typing import Any

import pytest

__all__ = ["hide_hub", "keep"]

COMMIT = "0" * 40


def keep(cache: Path, model: str, name: str, content: str) -> None:
    """Put a repository with one file into the cache, as if it had been fetched."""
    repository = cache / f"models--voyageai--{model}"
    shutil.rmtree(repository, ignore_errors=True)
    for path, text in {f"snapshots/{COMMIT}/{name}": content, "refs/main": COMMIT}.items():
        (repository / path).parent.mkdir(parents=True)
        (repository / path).write_text(text, encoding="utf-8")


def hide_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the Hub's name fail to resolve, as on a machine without a connection."""
    look_up = socket.getaddrinfo

    def refuse(host: Any, *arguments: Any, **options: Any) -> Any:
        if host in ("huggingface.co", b"huggingface.co"):
            raise socket.gaierror(socket.EAI_NONAME, "no route to the Hub")
        return look_up(host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
