"""Fixtures shared by the tests of version verdicts."""

from __future__ import annotations

import shutil

import pytest

from .repository import Repository


@pytest.fixture(scope="session")
def released(tmp_path_factory):
    """A repository in which version 0.6.0 is released."""
    repository = Repository(tmp_path_factory.mktemp("released"))
    repository.release()
    return repository.root


@pytest.fixture
def repository(released, tmp_path):
    """A copy of the repository that a test may change."""
    return Repository(shutil.copytree(released, tmp_path / "repository"))
