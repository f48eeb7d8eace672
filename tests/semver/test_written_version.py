"""The version is written in one place only."""

from __future__ import annotations

import pytest
from packaging.version import Version

from generator import git, paths
from generator.commands import ReleaseError
from generator.semver import version
from tests.release import repositories


def test_no_other_file_names_the_version():
    """A second copy would be forgotten at some release."""
    known = str(version.read(paths.ROOT))
    places = ("overlay", "noxfile.py", "pyproject.toml", "README.md")
    search = ("--files-with-matches", "--word-regexp", "--fixed-strings", known, "--", *places)

    assert str(version.FILE) == git.run(paths.ROOT, "grep", *search)


@pytest.mark.parametrize(
    ("written", "released"),
    [("0.6.0.dev0", "0.6.0"), ("0.6.0", "0.6.0"), ("1.0.0rc1", "1.0.0rc1")],
)
def test_a_version_in_the_making_becomes_final(written, released):
    """Cutting a release drops the development suffix; pre-releases keep theirs."""
    assert released == str(version.final(Version(written)))


def test_a_version_is_read_as_it_was_written(tmp_path):
    """Cutting a release writes the version, and the next step reads it back."""
    root = repositories.empty(tmp_path, "1.0.0.dev0", "")
    version.write(root, Version("1.0.0"))

    assert Version("1.0.0") == version.read(root)


def test_an_invalid_version_is_refused(tmp_path):
    """Package indexes would refuse it only at the upload."""
    with pytest.raises(ReleaseError, match="'next' is not a version"):
        version.read(repositories.empty(tmp_path, "next", ""))
