"""Versions, licences and vulnerabilities of dependencies, and secrets in the tree."""

from __future__ import annotations

import ast
import re

import pytest

from generator import git, paths
from generator.commands import ReleaseError
from generator.release import audit, lock
from tests.release.test_workflows import defined

KEYS = [
    pytest.param("pa-" + "kR7_-" * 8, id="the API's"),
    pytest.param("al-" + "aB3_-" * 8, id="an Atlas key"),
    pytest.param("pypi-" + "AgEI" * 12, id="a package index's"),
    pytest.param("ghp_" + "a1B2" * 9, id="a forge's"),
    pytest.param("hf_" + "aB1" * 11, id="a model hub's"),
    pytest.param("AKIA" + "ABCD1234" * 2, id="a cloud's"),
    pytest.param("-----BEGIN RSA " + "PRIVATE KEY-----", id="a private key"),
]


@pytest.mark.parametrize("key", KEYS)
def test_a_key_is_found_and_not_told(key, tmp_path):
    """More people may read the scan's report than the tree, so it never shows the key itself."""
    tmp_path.joinpath("notes.py").write_text(f"# notes\nKEY = '{key}'\n")

    (found,) = audit.secrets(tmp_path, ["notes.py"])

    assert found.startswith("notes.py:2: ")
    assert key not in found


@pytest.mark.parametrize(
    "text",
    [
        "pa-secret-5f2e",
        "spa-treatments-for-everybody-who-likes-them",
        "sk-learn",
        "pa-a-key-that-nobody-may-see",
    ],
)
def test_text_that_is_not_a_key_is_kept(text, tmp_path):
    """Maintainers would switch off a scan that reports false positives."""
    tmp_path.joinpath("notes.py").write_text(text)

    assert [] == list(audit.secrets(tmp_path, ["notes.py"]))


def test_this_tree_holds_no_secrets():
    """A committed secret would be in every clone."""
    assert [] == list(audit.secrets(paths.ROOT, git.files(paths.ROOT)))


def test_every_package_that_is_used_here_is_locked():
    """Locked versions keep tomorrow's test runs the same as today's."""
    assert [] == list(lock.faults(paths.ROOT))


def test_what_the_tests_are_run_with_is_locked():
    """An extra that the lock omits would have neither locked versions nor a licence check."""
    (tested,) = [
        {word.value for word in ast.walk(node.value) if isinstance(word, ast.Constant)}
        for node in ast.parse(paths.ROOT.joinpath("noxfile.py").read_text("utf-8")).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets) == "OPTIONAL"
    ]

    assert tested == {*lock.EXTRAS}


# Sessions that must work with other or newer versions.
FREE = {"engines", "frameworks", "gateways", "local", "lock", "lowest", "newest"}


def test_sessions_install_what_is_locked():
    """A new release of an unlocked tool could break CI overnight; the exceptions are listed."""
    installing = {name: code for name, _, code in defined() if "session.install(" in code}

    assert len(installing) > 20
    assert FREE == {
        name for name, code in installing.items() if not re.search(r"\bgroups\(|AS_LOCKED", code)
    }


@pytest.mark.parametrize("file", [lock.FILE, lock.FIRST], ids=lambda file: file.name)
def test_a_lock_names_versions_and_hashes_and_no_places(file):
    """The lock works with any package index or mirror, as it names no URLs."""
    text = paths.ROOT.joinpath(file).read_text()

    assert "://" not in text
    assert "/" not in text
    assert all("==" in line or "--hash=sha256:" in line for line in text.splitlines())


def test_nox_is_locked_to_one_version():
    """The workflows first install the same nox that the sessions are tested with."""
    first, everything = (
        {
            f"{pin.name}{pin.specifier}": hashes
            for pin, hashes in lock.pins(paths.ROOT.joinpath(file).read_text())
        }
        for file in (lock.FIRST, lock.FILE)
    )

    assert any(pin.startswith("nox==") for pin in first)
    assert first == {pin: everything.get(pin) for pin in first}


def test_a_requirement_that_the_lock_breaks_is_named(tmp_path):
    """Raising a dependency's lower bound requires a new lock."""
    tmp_path.joinpath(lock.FILE).parent.mkdir(parents=True)
    tmp_path.joinpath(lock.FILE).write_text(
        "attrs==23.2.0 \\\n    --hash=sha256:99 \\\n    --hash=sha256:01\nhttpx==0.28.1\n"
    )
    tmp_path.joinpath(lock.FIRST).write_text("nox==2026.1.1 \\\n    --hash=sha256:02\n")
    extras = "\n".join(f"{extra} = []" for extra in lock.EXTRAS)
    tmp_path.joinpath("pyproject.toml").write_text(
        '[project]\ndependencies = ["attrs>=24", "httpx>=0.27"]\n'
        f"[project.optional-dependencies]\n{extras}\n"
        '[dependency-groups]\ntest = ["pytest>=9"]\nlocal = ["torch"]\n'
    )

    expected = [
        "httpx is locked without hashes in generator/release/locked.txt: run `nox -s lock`",
        "attrs is locked to 23.2.0, which does not match attrs>=24: run `nox -s lock`",
        "pytest is not locked: run `nox -s lock`",
    ]
    assert expected == list(lock.faults(tmp_path))


def component(**said):
    return {"components": [{"name": "thing", "licenses": [said]}]}


@pytest.mark.parametrize(
    "said",
    [
        {"license": {"id": "MIT"}},
        {"license": {"name": "License :: OSI Approved :: BSD License"}},
        {"expression": "MPL-2.0 AND (Apache-2.0 OR MIT)"},
    ],
)
def test_a_licence_that_lets_users_do_as_they_like_is_allowed(said):
    """Packages state a licence as an identifier, a classifier or an SPDX expression."""
    assert [] == list(audit.licence_faults(component(**said)))


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ({"license": {"id": "AGPL-3.0-only"}}, "thing is under AGPL-3.0-only, which is not"),
        ({"expression": "MIT AND GPL-2.0-only"}, "thing is under GPL-2.0-only, which is not"),
        ({"license": {"name": "My own terms"}}, "thing is under My own terms, which is not"),
        ({}, "thing states no licence"),
    ],
)
def test_any_other_licence_is_a_fault(said, fault):
    """The audit fails when a dependency changes to terms that restrict users."""
    (found,) = audit.licence_faults(component(**said))

    assert found.startswith(fault)


def answer(*packages):
    return {"dependencies": list(packages)}


SOUND = {"name": "sound", "version": "1", "vulns": []}
WEAK = {"name": "weak", "version": "2", "vulns": [{"id": "CVE-1", "fix_versions": ["3"]}]}
UNKNOWN = {"name": "unknown", "skip_reason": "nobody to ask"}


def test_a_known_vulnerability_is_a_fault():
    """The finding names the first version that fixes the vulnerability."""
    with pytest.raises(ReleaseError, match="weak 2: CVE-1, fixed in 3"):
        audit.read_pip_audit(answer(SOUND, WEAK, UNKNOWN))


def test_sound_packages_are_no_fault():
    """The report says how many packages were checked."""
    assert ("no known vulnerabilities in 1 checked packages", True) == audit.read_pip_audit(
        answer(SOUND)
    )


@pytest.mark.parametrize(
    ("packages", "sentence"),
    [
        ([SOUND, UNKNOWN], "in 1 checked packages; 1 could not be checked: unknown"),
        ([UNKNOWN], "in 0 checked packages; 1 could not be checked: unknown"),
        ([], "in 0 checked packages"),
    ],
)
def test_packages_that_were_not_checked_are_not_reported_as_sound(packages, sentence):
    """An incomplete answer of pip-audit must not look like a clean audit."""
    said, complete = audit.read_pip_audit(answer(*packages))

    assert said.endswith(sentence)
    assert not complete


def test_only_versions_for_this_interpreter_are_asked_about():
    """A lock for all interpreters lists some packages twice, with different versions."""
    locked = (
        "one==1 \\\n    --hash=sha256:01\n"
        "old==1 ; python_version < '3' \\\n    --hash=sha256:02 \\\n    --hash=sha256:03\n"
        "new==2 ; python_version >= '3' \\\n    --hash=sha256:04\n"
    )

    assert ["one==1", "new==2"] == audit.pins_here(locked)
