"""Each release step refuses a tree that is not ready, and can be repeated safely."""

from __future__ import annotations

from datetime import date

import pytest
from packaging.version import Version

from generator import git
from generator.commands import ReleaseError
from generator.release import build, steps
from generator.release.__main__ import main
from generator.semver import version

from . import repositories

DAY = date(2031, 5, 17)
CHANGELOG = "# Changelog\n\n## 1.1.0 (not yet released)\n\n- A model.\n"


@pytest.fixture
def root(tmp_path):
    """A repository with nothing but a version and a changelog."""
    return repositories.empty(tmp_path / "checkout", "1.1.0.dev0", CHANGELOG)


@pytest.fixture
def built(root):
    """The folder of a release, with a file in place of the wheel."""
    folder = root / "dist"
    folder.mkdir()
    folder.joinpath("voyageai-1.1.0-py3-none-any.whl").write_bytes(b"a wheel")
    build.write_sums(folder)
    return folder


def test_what_is_not_committed_is_not_released(root):
    """Nobody else could build a release from uncommitted changes."""
    root.joinpath("new.py").touch()

    with pytest.raises(ReleaseError, match=r"(?s)commit or remove.*new\.py"):
        steps.cut(root, DAY)


def test_a_cut_is_one_commit_with_version_and_day(root):
    """Reviewers can read, and revert, the cut as a single commit."""
    steps.cut(root, DAY)

    assert "Release 1.1.0" == git.run(root, "log", "-1", "--format=%s")
    assert ["CHANGELOG.md", "overlay/voyageai/version.py"] == git.run(
        root, "show", "--name-only", "--format="
    ).split("\n")
    assert Version("1.1.0") == version.read(root)
    assert "## 1.1.0 (2031-05-17)" in root.joinpath("CHANGELOG.md").read_text()


def test_a_cut_is_made_once(root):
    """Repeating the step after a failed test continues the release instead of cutting it twice."""
    steps.cut(root, DAY)
    cut = git.run(root, "rev-parse", "HEAD")
    steps.cut(root, date(2032, 1, 1))

    assert cut == git.run(root, "rev-parse", "HEAD")


def test_a_release_is_tagged_once(root, built):
    """Repeating the step changes nothing; another commit needs another version."""
    steps.cut(root, DAY)
    steps.tag(root, built)
    steps.tag(root, built)
    assert git.run(root, "rev-parse", "HEAD") == git.tagged(root, "v1.1.0")

    root.joinpath("new.py").touch()
    repositories.commit(root, "Too late")
    with pytest.raises(ReleaseError, match="a version can be released only once"):
        steps.tag(root, built)


def test_an_uncut_release_is_not_tagged(root, built):
    """The tag would name a development version."""
    with pytest.raises(ReleaseError, match=r"does not contain a build of 1\.1\.0\.dev0"):
        steps.tag(root, built)


def test_files_that_changed_after_they_were_built_are_not_tagged(root, built):
    """Only the files that were tested may be published."""
    steps.cut(root, DAY)
    next(built.glob("*.whl")).write_bytes(b"another wheel")

    with pytest.raises(ReleaseError, match=r"do not match SHA256SUMS: .*\.whl"):
        steps.tag(root, built)


def test_the_next_version_is_begun_after_a_release(root):
    """The new changelog section is empty, so the version can't be released by mistake."""
    steps.cut(root, DAY)
    steps.bump(root, Version("1.2.0"))
    repositories.commit(root, "Begin 1.2.0")

    assert Version("1.2.0.dev0") == version.read(root)
    with pytest.raises(ReleaseError, match=r"section of 1\.2\.0 is empty"):
        steps.cut(root, DAY)


def test_the_next_version_comes_after_the_last(root):
    """Package managers would never install a lower version as an upgrade."""
    steps.cut(root, DAY)

    with pytest.raises(ReleaseError, match=r"1\.1\.0 is not later than 1\.1\.0"):
        steps.bump(root, Version("1.1.0"))


def test_a_refusal_is_a_sentence_and_an_exit_status(root, capsys):
    """Workflows stop on the status, and maintainers read the reason without a traceback."""
    root.joinpath("new.py").touch()

    assert 1 == main(["--root", str(root), "cut"])
    said = "the tree has uncommitted changes; commit or remove them first:\n?? new.py\n"
    assert said == capsys.readouterr().err


@pytest.mark.parametrize("following", ["1.2", "1.2.0rc1", "1.2.0.dev1", "1.2.0.post1", "1!1.2.0"])
def test_a_version_that_could_not_be_cut_is_not_begun(following, root):
    """Cutting a release turns a development version into a number that the changelog must have."""
    steps.cut(root, DAY)

    with pytest.raises(ReleaseError, match="not a version of three numbers, such as"):
        steps.bump(root, Version(following))
