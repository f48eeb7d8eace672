"""The import path and the corpus of the example `search_stdlib`."""

import pickle
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from corpus.docstring import Docstring

EXAMPLE = Path(__file__).parents[2] / "docs/examples/search_stdlib"
sys.path.insert(0, str(EXAMPLE))
HARVEST = """
import pickle, sys
from corpus import harvest
pickle.dump((harvest(), {*sys.modules}), sys.stdout.buffer)
"""


@pytest.fixture(scope="session")
def harvested() -> "tuple[list[Docstring], set[str]]":
    """Docstrings of the running Python, and the modules imported by reading them.

    Reading takes seconds, so all tests share the result.
    """
    command = [sys.executable, "-W", "error", "-c", HARVEST]
    done = subprocess.run(command, capture_output=True, check=True, cwd=EXAMPLE)
    found: tuple[list[Docstring], set[str]] = pickle.loads(done.stdout)
    return found


@pytest.fixture(scope="session")
def corpus(harvested: "tuple[list[Docstring], set[str]]") -> "list[Docstring]":
    """Docstrings of the running Python."""
    return harvested[0]
