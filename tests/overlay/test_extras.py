"""Messages about extras that are not installed."""

from __future__ import annotations

import importlib.metadata
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from voyageai.extras import install

PROJECT = tomllib.loads(Path(__file__).parents[2].joinpath("pyproject.toml").read_text("utf-8"))
EXTRAS = PROJECT["project"]["optional-dependencies"]


@pytest.mark.parametrize("extra", sorted({*EXTRAS} - {"all", "chunking"}))
def test_an_extra_is_installed_by_its_packages(extra):
    """The name `voyageai` on a package index may be the vendor's package."""
    hint, *packages = install(extra).split(' "')

    assert f"add the extra `{extra}`: pip install" == hint
    expected = {Requirement(text) for text in EXTRAS[extra]}
    assert expected == {Requirement(package.rstrip('"')) for package in packages}


def test_without_metadata_the_extra_is_still_named(monkeypatch):
    """A source folder on the path has no metadata, and the hint must not fail because of that."""

    def requires(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "requires", requires)

    assert "add the extra `numpy`" == install("numpy")
