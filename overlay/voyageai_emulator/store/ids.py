"""Ids of files and jobs."""

from __future__ import annotations

import secrets

__all__ = ["new_id"]

# Without those that are taken for one another, as in the ids that have been seen.
CHARACTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
LENGTH = 37


def new_id(kind: str) -> str:
    """An id that no other has, such as ``file-7vT5tYiajeqrFpsqCT8fbxCp46vwf8R4Qwdh8``."""
    return f"{kind}-{''.join(secrets.choice(CHARACTERS) for _ in range(LENGTH))}"
