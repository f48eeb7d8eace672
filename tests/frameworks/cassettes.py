"""A pytest plugin for cassettes that were recorded with the official client.

Its asynchronous half wrote methods in small letters, as its HTTP library was told them.
"""

from __future__ import annotations

from typing import Any


def pytest_recording_configure(config: Any, vcr: Any) -> None:
    """Compare methods without their case."""
    vcr.register_matcher("method", _same_method)


def _same_method(one: Any, other: Any) -> None:
    assert one.method.upper() == other.method.upper()
