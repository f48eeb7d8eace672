"""A release is published once, is downloaded as it was built, and works once installed."""

from __future__ import annotations

import shutil

import pytest
from packaging.version import Version

from generator import git
from generator.commands import ReleaseError
from generator.release import build, publish, steps
from generator.release.publish import Index
from tests.release import repositories

from .index import TOKEN, serving

WRONG = "a token of somebody else"


@pytest.fixture
def index(tmp_path):
    """An empty package index."""
    with serving(tmp_path / "index") as found:
        yield found


@pytest.fixture
def token(monkeypatch):
    """The index's token in the environment."""
    monkeypatch.setenv(publish.TOKEN, TOKEN)


def never(seconds):
    raise AssertionError("there is nothing to wait for")


def test_a_release_is_published_installed_back_and_used_but_not_twice(released, index, token):
    """The test takes a version through all steps until a user has it."""
    said = publish.publish(released, released / "dist", index, never)
    assert said.startswith("voyageai 1.0.0: ")
    assert "gave 2 vectors" in said

    with pytest.raises(ReleaseError, match=r"is already published, .* start the next one"):
        publish.publish(released, released / "dist", index, never)


def test_what_was_uploaded_elsewhere_is_compared_and_used(released, index, token):
    """The upload runs in a job without our code, so another job checks its result."""
    publish.upload(index, [*released.glob("dist/*.whl"), *released.glob("dist/*.tar.gz")])

    assert "gave 2 vectors" in publish.first_call(released / "dist", index, never)


def test_a_build_of_another_machine_is_built_again(released, tmp_path):
    """The same commit builds the same bytes, so a difference means that something was added."""
    built = tmp_path / "dist"
    shutil.copytree(released / "dist", built)
    assert "identical" in steps.compare(released, built)

    with next(built.glob("*.whl")).open("ab") as file:
        file.write(b"and something else")
    build.write_sums(built)

    with pytest.raises(ReleaseError, match="differ: voyageai-"):
        steps.compare(released, built)


def test_an_upload_that_stopped_half_way_is_finished(released, index, token, tmp_path):
    """Otherwise a version with a wheel and no source distribution could never be completed."""
    wheel = next(released.joinpath("dist").glob("*.whl"))
    publish.upload(index, [wheel])

    publish.publish(released, released / "dist", index, never)

    expected = {path.name for path in released.joinpath("dist").glob("voyageai-*[lz]")}
    assert expected == {path.name for path in tmp_path.joinpath("index").iterdir()}


def test_a_refused_token_is_not_in_the_message(released, index, monkeypatch):
    """Everybody can read the output of a workflow."""
    monkeypatch.setenv(publish.TOKEN, WRONG)

    with pytest.raises(ReleaseError, match="403 Forbidden") as refusal:
        publish.publish(released, released / "dist", index, never)

    assert WRONG not in str(refusal.value)


def test_without_a_token_nothing_is_asked_for(released, index, monkeypatch):
    """Nobody can answer a prompt in a workflow."""
    monkeypatch.delenv(publish.TOKEN, raising=False)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")

    with pytest.raises(ReleaseError, match="Credential not found"):
        publish.upload(index, [next(released.joinpath("dist").glob("*.whl"))])


def test_what_comes_back_changed_is_found(released, index, token, tmp_path):
    """A file replaced in the index or in transit must not pass as published."""
    wheel = next(released.joinpath("dist").glob("*.whl"))
    publish.upload(index, [wheel])
    with tmp_path.joinpath("index", wheel.name).open("ab") as file:
        file.write(b"and something else")

    with pytest.raises(ReleaseError, match=r"another .* than was uploaded"):
        publish.require_published(Version(wheel.name.split("-")[1]), index, [wheel], never)


def test_what_is_not_shown_at_once_is_waited_for(released, index):
    """Indexes list a new version with a delay, and the wait for it has a limit."""
    wheel = next(released.joinpath("dist").glob("*.whl"))
    waited = []

    with pytest.raises(ReleaseError, match="was uploaded, but pip does not find it"):
        publish.require_published(
            Version(wheel.name.split("-")[1]), index, [wheel], waited.append, max_attempts=3
        )

    assert [publish.DELAY] * 2 == waited


def test_only_what_is_tagged_is_published(released, tmp_path):
    """Users of a published version must be able to find its source."""
    root = tmp_path / "checkout"
    shutil.copytree(released, root)
    git.run(root, "commit", "--quiet", "--allow-empty", "--message", "One more")

    with pytest.raises(ReleaseError, match="the last commit is not tagged v1"):
        publish.publish(root, root / "dist", Index(), never)


def test_only_what_was_built_is_published(released, tmp_path):
    """No file can be added between the checks and the upload."""
    built = tmp_path / "dist"
    shutil.copytree(released / "dist", built)
    built.joinpath("voyageai-9-py3-none-any.whl").touch()

    with pytest.raises(ReleaseError, match="do not match SHA256SUMS: voyageai-9"):
        publish.publish(released, built, Index(), never)


def test_checksums_are_in_the_form_of_sha256sum(released):
    """Users verify the files with the common tool `sha256sum`."""
    lines = released.joinpath("dist", build.SUMS).read_text().splitlines()
    expected = {f"{build.digest(path)}  {path.name}" for path in released.glob("dist/voyageai-*")}

    assert expected == {*lines}


def test_nothing_is_published_that_was_not_released(tmp_path):
    """The error names the command that has to run first."""
    root = repositories.empty(tmp_path / "checkout", "1.0.0", "")

    with pytest.raises(ReleaseError, match="run `nox -s release` first"):
        publish.publish(root, root / "dist", Index(), never)
