"""The changelog states which version was released when."""

from __future__ import annotations

from datetime import date

import pytest
from packaging.version import Version

from generator.commands import ReleaseError
from generator.semver import changelog

DAY = date(2031, 5, 7)
ONE, TWO = Version("1.0.0"), Version("1.1.0")
TEXT = """# Changelog

## 1.1.0 (not yet released)

- A model.

## 1.0.0 (2030-01-02)

- Everything.
"""


def test_the_heading_of_a_release_gets_its_day():
    """Readers see which versions they can install, and since when."""
    expected = TEXT.replace("(not yet released)", "(2031-05-07)")

    assert expected == changelog.cut(TEXT, TWO, DAY)


def test_a_dated_section_keeps_its_day():
    """Repeating the release of a version keeps the date of its first attempt."""
    dated = changelog.cut(TEXT, TWO, DAY)

    assert dated == changelog.cut(dated, TWO, date(2032, 1, 1))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(TEXT.replace("1.1.0", "1.2.0"), "first section is for 1.2.0", id="another"),
        pytest.param(TEXT.replace("- A model.", ""), "section of 1.1.0 is empty", id="empty"),
        pytest.param("# Changelog\n", "no heading such as", id="none"),
    ],
)
def test_a_version_is_released_only_when_it_is_described(text, message):
    """Users read the changelog, not the git log."""
    with pytest.raises(ReleaseError, match=message):
        changelog.cut(text, TWO, DAY)


def test_the_next_version_gets_a_section_of_its_own():
    """New entries never go into the section of a released version."""
    dated = changelog.cut(TEXT, TWO, DAY)
    begun = changelog.begin(dated, Version("1.2.0"))

    assert "" == changelog.section(begun, Version("1.2.0"))
    assert "- A model." == changelog.section(begun, TWO)
    assert "- Everything." == changelog.section(begun, ONE)


def test_two_versions_are_not_begun_at_once():
    """With two unreleased sections, nobody could tell where a new entry belongs."""
    with pytest.raises(ReleaseError, match=r"1\.1\.0 is not yet released"):
        changelog.begin(TEXT, Version("1.2.0"))
