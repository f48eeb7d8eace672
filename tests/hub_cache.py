"""The Hugging Face Hub without a connection: what was fetched before is in its cache."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path
from typing import Any

import pytest

__all__ = ["hide_hub", "keep"]

COMMIT = "0" * 40


def keep(cache: Path, model: str, name: str, content: str) -> None:
    """Let a model's repository consist of one file, fetched before."""
    repository = cache / f"models--voyageai--{model}"
    shutil.rmtree(repository, ignore_errors=True)
    for path, text in {f"snapshots/{COMMIT}/{name}": content, "refs/main": COMMIT}.items():
        (repository / path).parent.mkdir(parents=True)
        (repository / path).write_text(text, encoding="utf-8")


def hide_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the Hub's name lead nowhere, as on a machine without a connection."""
    look_up = socket.getaddrinfo

    def refuse(host: Any, *arguments: Any, **options: Any) -> Any:
        if host in ("huggingface.co", b"huggingface.co"):
            raise socket.gaierror(socket.EAI_NONAME, "no route to the Hub")
        return look_up(host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
