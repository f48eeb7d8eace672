"""A small model that knows what a few words mean, made here and loaded as any other is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.local import tiny_model


@pytest.fixture(scope="session")
def make_model(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Makes a folder with a tiny model of any width, which may bring prompts."""
    pytest.importorskip("sentence_transformers", reason="the extra `local` is not installed")

    def make(width: int = tiny_model.WIDTH, **prompts: str) -> Path:
        return tiny_model.make(tmp_path_factory.mktemp("tiny"), prompts, width)

    return make


@pytest.fixture(scope="session")
def model(make_model: Callable[..., Path]) -> Path:
    """A tiny model without prompts."""
    return make_model()
