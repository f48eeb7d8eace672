"""Shared fixtures of the tests of the spec."""

import pytest

from generator.checks import Documents, read


@pytest.fixture(scope="session")
def documents() -> Documents:
    """Return the files of `spec/`, loaded once; copy before changing."""
    return read()
