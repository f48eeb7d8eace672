"""A tiny model with the vectors of a few words, created here and loaded like any other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.local import tiny_model


@pytest.fixture(scope="session")
def make_model(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return a function that creates a tiny model of a width, with prompts if given."""
    pytest.importorskip("sentence_transformers", reason="the extra `local` is not installed")

    def make(width: int = tiny_model.WIDTH, **prompts: str) -> Path:
        return tiny_model.make(tmp_path_factory.mktemp("tiny"), prompts, width)

    return make


@pytest.fixture(scope="session")
def model(make_model: Callable[..., Path]) -> Path:
    """Return the folder of a tiny model without prompts."""
    return make_model()
