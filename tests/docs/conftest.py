"""Makes the modules of the example importable, as running its folder does, and reads its corpus."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from corpus.docstring import Docstring

sys.path.insert(0, str(Path(__file__).parents[2] / "docs/examples/search_stdlib"))


@pytest.fixture(scope="session")
def corpus() -> "list[Docstring]":
    """Return the docstrings of the running Python, read once: it takes seconds."""
    from corpus import harvest

    return harvest()
