"""Options of the whole test suite."""

from __future__ import annotations

import pytest

try:
    from hypothesis import HealthCheck, settings
except ImportError:  # some sessions have no such tests
    pass
else:
    # How long a busy machine takes says nothing about the code.
    busy = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.register_profile("busy", busy)
    settings.load_profile("busy")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that writes snapshots instead of comparing with them."""
    parser.addoption("--update-snapshots", action="store_true", help="write the snapshots anew")
