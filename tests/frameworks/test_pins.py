"""The requirements of frameworks in docs/moving.md are those of their packages."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
import voyageai
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

PAGE = Path(__file__).parents[2] / "docs/moving.md"
ROW = re.compile(r"^\| (`[^|]+) \| ([^|]+) \| (yes|no) \|$", re.MULTILINE)
NAMED = re.compile(r"`([\w-]+)(?:\[(\w+)\])?` (\d[\d.]*)")
NOTHING = "nothing, though they use it"
ROWS = [
    (*named, asked, fits)
    for packages, asked, fits in ROW.findall(PAGE.read_text(encoding="utf-8"))
    for named in NAMED.findall(packages)
]


def test_there_are_rows():
    """If the table changed its shape, the tests would find no rows and pass."""
    assert len(ROWS) > 5


@pytest.mark.parametrize(("name", "extra", "version", "requirement", "fits"), ROWS)
def test_a_framework_asks_for_what_the_page_says(name, extra, version, requirement, fits):
    """Users learn from the page which framework's requirement excludes this package."""
    try:
        found = distribution(name)
    except PackageNotFoundError:
        pytest.skip(f"{name} is not installed")
    needs = [Requirement(text) for text in found.requires or []]
    pins = [
        need.specifier
        for need in needs
        if need.name == "voyageai" and (not need.marker or need.marker.evaluate({"extra": extra}))
    ]
    expected = [] if requirement == NOTHING else [Requirement(requirement.strip("`")).specifier]

    assert found.version.startswith(f"{version}.")
    assert expected == pins
    every = SpecifierSet(",".join(map(str, pins)))
    assert (fits == "yes") == every.contains(Version(voyageai.__version__), prereleases=True)
