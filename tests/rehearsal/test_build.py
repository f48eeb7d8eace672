"""A build depends on the commit alone, and contains everything that it must."""

from __future__ import annotations

import pytest
from packaging.requirements import Requirement

from generator.commands import ReleaseError
from generator.release import build, contents, install
from generator.semver import version


def test_a_release_is_built_the_same_anywhere_at_any_time(released):
    """Anybody can verify that the published files were built from the tagged commit."""
    again = released.parent / "again"

    build.build(released, again)

    expected = [path.name for path in again.iterdir()]
    assert 2 == len(expected)
    assert [build.digest(released / "dist" / name) for name in expected] == [
        build.digest(again / name) for name in expected
    ]


def test_what_is_built_is_the_version_that_is_written(released):
    """Users read the version in the package, and package indexes read it in the metadata."""
    said = {f"voyageai-{version.read(released)}{end}" for end in (".tar.gz", "-py3-none-any.whl")}
    content = contents.members(next(released.joinpath("dist").glob("*.whl")))
    (metadata,) = (data for name, data in content.items() if name.endswith("/METADATA"))

    assert said < {path.name for path in released.joinpath("dist").iterdir()}
    assert f"Version: {version.read(released)}" in metadata.decode().splitlines()
    assert "Metadata-Version: 2.4" == metadata.decode().splitlines()[0]


def test_builds_that_differ_are_named(tmp_path):
    """The maintainer, not a user, finds out that a build is not reproducible."""
    one, other = tmp_path / "one", tmp_path / "other"
    for folder, content in ((one, "made at noon"), (other, "made at night")):
        folder.mkdir()
        folder.joinpath("same.whl").write_text("same")
        folder.joinpath("different.tar.gz").write_text(content)
    one.joinpath("only here.whl").touch()

    with pytest.raises(ReleaseError, match=r"differ: different\.tar\.gz, only here\.whl;"):
        build.require_same(one, other)


def test_the_source_distribution_builds_the_wheel_that_is_published(released, tmp_path):
    """Linux distributions build from the source, and must get the same package."""
    source = next(released.joinpath("dist").glob("*.tar.gz"))
    wheel = next(released.joinpath("dist").glob("*.whl"))
    inside = contents.members(wheel)
    packaged = contents.members(source)

    assert all(
        packaged[f"{'generated' if name.split('/')[0].endswith('_rest') else 'overlay'}/{name}"]
        == data
        for name, data in inside.items()
        if ".dist-info/" not in name
    )


def test_a_wheel_says_what_it_needs_with_and_without_extras(released):
    """The lists of oldest and newest dependencies are derived from these requirements."""
    wheel = next(released.joinpath("dist").glob("*.whl"))

    bare = {Requirement(text).name for text in install.requirements(wheel, ())}
    assert {"attrs", "httpcore2", "httpx2", "pybase64"} == bare
    with_extras = {Requirement(text).name for text in install.requirements(wheel, ("emulator",))}
    assert bare | {"starlette", "uvicorn"} < with_extras


WHEEL = {
    "voyageai/py.typed": b"",
    "voyageai_emulator/py.typed": b"",
    "voyageai_admin_rest/py.typed": b"",
    "voyageai_rest/py.typed": b"",
    "voyageai_admin_rest/openapi.json": b"{}",
    "voyageai_rest/openapi.json": b"{}",
    "voyageai_rest/catalogue.py": b"",
    "voyageai_emulator/tokenizer/README.md": b"BSD-3-Clause, WordNet",
    "voyageai-1.dist-info/licenses/LICENSE": b"MIT",
    "voyageai-1.dist-info/METADATA": b"",
}
KEPT = [
    *(f"overlay/{name}" for name in WHEEL if name.startswith(("voyageai/", "voyageai_emulator/"))),
    *(f"generated/{name}" for name in WHEEL if name.split("/")[0].endswith("_rest")),
    *("tests/test_something.py", "noxfile.py"),
]


def faults(content, tmp_path):
    return list(contents.faults(tmp_path / "a.whl", content, KEPT, [b"index.example.com"]))


def test_a_wheel_with_all_that_it_must_hold_has_no_fault(tmp_path):
    """Each case below changes exactly one thing in this wheel."""
    assert [] == faults(WHEEL, tmp_path)


@pytest.mark.parametrize("name", sorted(WHEEL))
def test_a_file_that_is_missing_is_a_fault(name, tmp_path):
    """Users need the types, the contract and the licences in the wheel."""
    content = {other: data for other, data in WHEEL.items() if other != name}

    assert any("missing" in fault for fault in faults(content, tmp_path))


@pytest.mark.parametrize(
    ("name", "data", "fault"),
    [
        ("voyageai/tests/test_a.py", b"", "voyageai/tests/test_a.py must not be included: tests"),
        ("voyageai/__pycache__/a.pyc", b"", "must not be included: __pycache__"),
        ("voyageai/jobs.sqlite", b"", "voyageai/jobs.sqlite must not be included: .sqlite"),
        ("voyageai/notes.py", b"", "voyageai/notes.py is not tracked by git"),
        ("voyageai/large.bin", bytes(1_000_001), "has 1,000,001 bytes, more than 1,000,000"),
        ("voyageai/a.py", b'ROOT = "/home/me/a"', "contains a path of a machine: /home/m..."),
        ("voyageai/a.py", rb"C:\Users\me", "contains a path of a machine: C:\\Users\\..."),
        ("voyageai/a.py", b"https://index.example.com/simple", "built: index.example.com"),
    ],
)
def test_a_file_that_must_not_be_in_it_is_a_fault(name, data, fault, tmp_path):
    """A published file can't be withdrawn."""
    assert any(fault in found for found in faults({**WHEEL, name: data}, tmp_path))
