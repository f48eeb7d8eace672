"""The lowest version that covers the changes."""

from __future__ import annotations

import pytest
from packaging.version import Version

from generator.semver.changes import Level
from generator.semver.version import minimum


@pytest.mark.parametrize(
    ("released", "level", "expected"),
    [
        ("1.2.3", Level.NONE, "1.2.3"),
        ("1.2.3", Level.PATCH, "1.2.4"),
        ("1.2.3", Level.MINOR, "1.3.0"),
        ("1.2.3", Level.MAJOR, "2.0.0"),
        ("0.6.1", Level.NONE, "0.6.1"),
        ("0.6.1", Level.PATCH, "0.6.2"),
        ("0.6.1", Level.MINOR, "0.6.2"),
        ("0.6.1", Level.MAJOR, "0.7.0"),
        ("0.7.0rc1", Level.MAJOR, "0.7.0"),
        ("0.7.0.dev0", Level.MAJOR, "0.7.0"),
    ],
)
def test_the_number_tells_how_much_has_changed(released, level, expected):
    """Users who pin `>=0.6,<0.7` rely on the number to exclude breaking changes."""
    assert Version(expected) == minimum(Version(released), level)
