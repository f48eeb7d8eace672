"""Options of the whole test suite."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that writes snapshots instead of comparing with them."""
    parser.addoption("--update-snapshots", action="store_true", help="write the snapshots anew")
