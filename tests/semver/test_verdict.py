"""The version and the changelog must cover every change since the last release."""

from __future__ import annotations

import json

import pytest
from packaging.version import Version

from generator.semver.__main__ import main
from generator.semver.changes import Level
from generator.semver.interface import rules
from generator.semver.last_release import last_release

from .repository import CLIENT

MYPY = ("mypy", "--no-warn-unused-ignores")
ADDED = "### Added\n\n- The model `owl-2`, and `page` of searches."


def with_a_model_and_a_field(contract):
    contract["catalogue"]["models"]["owl-2"] = {"endpoint": "embeddings", "lifecycle": "active"}
    search = contract["openapi"]["components"]["schemas"]["Search"]
    search["properties"]["page"] = {"type": "integer"}


def without_a_model(contract):
    del contract["catalogue"]["models"]["wren-1"]


@pytest.fixture
def run(repository, capsys):
    """Run the command without type checkers; return its exit status and output."""

    def start(*arguments):
        status = main(arguments, repository.root, ())
        printed = capsys.readouterr()
        return status, printed.out + printed.err

    return start


def test_without_changes_nothing_is_required(repository):
    """Right after a release the tree equals it, so the check must pass."""
    verdict = repository.verdict()

    assert [] == verdict.problems
    assert Level.NONE is verdict.level
    assert Version("0.6.0") == verdict.minimum


def test_a_new_model_asks_for_a_version_and_a_line(repository):
    """The released version does not have the model, so users need a new version."""
    repository.describe(with_a_model_and_a_field)

    assert [
        "overlay/voyageai/version.py: the version is 0.6.0, but must be at least 0.6.1: "
        "`page` is new and optional",
        "CHANGELOG.md: the section of 0.6.0 must name `page`: `page` is new and optional",
        "CHANGELOG.md: the section of 0.6.0 must name `owl-2`: the model owl-2 is new",
    ] == repository.verdict().problems


def test_a_new_model_that_is_named_is_fine(repository):
    """With a new version and a changelog entry the branch can be merged."""
    repository.describe(with_a_model_and_a_field)
    repository.begin("0.6.1", ADDED)

    assert [] == repository.verdict().problems


def test_a_higher_version_than_needed_is_fine(repository):
    """A maintainer may raise the version further than the changes require."""
    repository.describe(with_a_model_and_a_field)
    repository.begin("1.0.0", ADDED)

    assert [] == repository.verdict().problems


def test_a_breaking_change_needs_a_higher_version(repository):
    """A patch release must not break users' code."""
    repository.describe(without_a_model)
    repository.begin("0.6.1", "### Removed\n\n- `wren-1`.")

    assert [
        "overlay/voyageai/version.py: the version is 0.6.1.dev0, but must be at least 0.7.0: "
        "the model wren-1 is gone"
    ] == repository.verdict().problems


@pytest.mark.parametrize(
    ("section", "accepted"),
    [
        ("### Removed\n\n- `wren-1`.", True),
        ("### Added\n\n- Much.\n\n### Changed\n\n- Gone: wren-1.", True),
        ("### Added\n\n- wren-1.\n\n### Changed\n\n- Something.", False),
        ("### Removed\n\n- `wren-1-large`.", False),
        ("### Removed\n\n- `wren-1.5`.", False),
        ("", False),
    ],
)
def test_a_breaking_change_is_listed_as_one(section, accepted, repository):
    """Users who read only the breaking changes must find the entry there."""
    repository.describe(without_a_model)
    repository.begin("0.7.0", section)

    problem = "CHANGELOG.md: the section of 0.7.0 must name `wren-1`: the model wren-1 is gone"
    assert ([] if accepted else [problem]) == repository.verdict().problems[-1:]


@pytest.mark.parametrize(
    ("section", "accepted"), [("### Added\n\n- Much.", False), ("Types.", True)]
)
def test_types_that_break_are_mentioned(section, accepted, repository):
    """A break that only type checkers see has no name that a changelog could be checked for."""
    repository.replace(CLIENT, "text: str", "text: bytes")
    repository.begin("0.7.0", section)

    problem = "CHANGELOG.md: the section of 0.7.0 must say what breaks, under another heading than `Added`"
    assert ([] if accepted else [problem]) == repository.verdict(MYPY).problems


def test_code_that_works_otherwise_asks_for_a_version(repository):
    """The content of a released version never changes, so new behaviour needs a new version."""
    repository.replace(CLIENT, "return []", 'return [""]')

    verdict = repository.verdict()
    assert Level.PATCH is verdict.level
    assert Version("0.6.1") == verdict.minimum


@pytest.mark.parametrize(
    ("file", "old", "new", "level"),
    [
        ("pyproject.toml", ">=0.27", ">=0.28", Level.PATCH),
        ("pyproject.toml", "strict", "warn_unused_configs", Level.NONE),
        ("CHANGELOG.md", "Everything", "All", Level.NONE),
        ("tests/typing/usage.py", '"a"', '"b"', Level.NONE),
    ],
)
def test_only_what_users_get_counts(file, old, new, level, repository):
    """Changes to tests and tools reach no user, so they need no new version."""
    repository.replace(file, old, new)

    assert level is repository.verdict().level


def test_what_is_generated_is_named_once(repository):
    """A generated name is covered by its contract entry; a hand-written name needs its own."""
    repository.describe(with_a_model_and_a_field)
    repository.replace("generated/voyageai_rest/models.py", "text: str", "text: str\n    page: int")
    repository.write("generated/voyageai_rest/types.py", "class Unset: ...\n")

    headings = {item.sentence: item.heading for item in repository.verdict().changes}
    assert {
        "the model owl-2 is new": "Added",
        "`page` is new and optional": "Added",
        "`voyageai_rest.models.Search.page` is new": None,
        "`voyageai_rest.types` is new": None,
    } == headings


def test_what_is_no_longer_generated_is_named(repository):
    """Programs on the generated client break although the wire format is unchanged."""
    repository.replace("generated/voyageai_rest/models.py", "class Search", "class Find")

    item = repository.verdict().changes[0]
    assert ("Removed", "Search") == (item.heading, item.subject)


def test_the_draft_is_in_plain_words(repository):
    """A maintainer starts from the draft, which lists a change made in many places only once."""

    def change(contract):
        with_a_model_and_a_field(contract)
        without_a_model(contract)
        owl = contract["catalogue"]["models"]["owl-1"]
        owl["lifecycle"] = "deprecated"
        owl["price"]["usd_per_million_tokens"] = 0.1
        contract["openapi"]["components"]["schemas"]["Error"]["required"] = []

    repository.describe(change)
    repository.replace(CLIENT, "retries: int = 0", "retries: int = 0, page: int = 0")

    assert (
        """\
## 0.7.0 (not yet released)

### Added

- `page` is new and optional (`POST /search/{shelf}`).
- The model owl-2 is new.
- `voyageai.Client` has the new optional parameter `page`.

### Changed

- `detail` may now be absent (`POST /search/{shelf}`).
- `price.usd_per_million_tokens` of owl-1 changed from 0.12 to 0.1.

### Deprecated

- The model owl-1 is now deprecated; it was active.

### Removed

- The model wren-1 is gone."""
        == repository.verdict().draft
    )


def test_a_draft_is_enough(repository):
    """A maintainer who pastes the draft into the changelog passes the check."""
    repository.describe(with_a_model_and_a_field)
    repository.describe(without_a_model)
    repository.replace(CLIENT, "def search", "def find")
    lines = repository.verdict().draft.partition("\n")[2]
    repository.begin("0.7.0", lines)

    assert [] == repository.verdict().problems


def test_narrower_types_are_a_breaking_change(repository):
    """Stricter annotations break users' type checks although nothing fails at run time."""
    repository.replace(CLIENT, "-> list[str]", "-> tuple[str, ...]")
    repository.replace(CLIENT, "return []", "return ()")
    repository.replace("tests/typing/usage.py", "list[str]", "tuple[str, ...]")
    repository.begin("0.6.1", "### Changed\n\n- `search`.")
    verdict = repository.verdict(MYPY)

    assert Level.MAJOR is verdict.level
    assert "tests/typing/usage.py:3: error: Incompatible types" in verdict.changes[0].sentence
    assert ["mypy reports errors in code that the last release accepted"] == [
        problem.rpartition(": ")[2] for problem in verdict.problems
    ]
    repository.replace("overlay/voyageai/version.py", "0.6.1", "0.7.0")
    repository.replace("CHANGELOG.md", "0.6.1", "0.7.0")
    assert [] == repository.verdict(MYPY).problems


def test_wider_types_break_nobody(repository):
    """Wider annotations break nobody, though a user's `type: ignore` may become unused."""
    repository.replace(CLIENT, "key: str", "key: str | int")
    repository.begin("0.6.1")

    assert [] == repository.verdict(MYPY).problems


def test_the_last_release_is_the_newest_that_it_goes_on_from(repository):
    """Users have neither a release candidate nor a release of another branch."""
    repository.begin("0.9.1")
    repository.commit("Begin 0.9.1")
    repository.git("tag", "v0.7.0rc1")
    repository.git("tag", "viewed")
    repository.git("checkout", "--quiet", "-b", "other")
    repository.git("commit", "--quiet", "--allow-empty", "--message", "Elsewhere")
    repository.git("tag", "v0.9.0")
    repository.git("checkout", "--quiet", "-")

    assert "v0.6.0" == last_release(repository.root)
    repository.git("merge", "--quiet", "other")
    assert "v0.9.0" == last_release(repository.root)


def test_a_release_is_judged_by_the_one_before(repository, run):
    """A release tagged by hand and pushed at once would otherwise be compared with itself."""
    repository.describe(without_a_model)
    repository.write("overlay/voyageai/version.py", 'VERSION = "0.6.1"\n')
    repository.commit("Release 0.6.1")
    repository.git("tag", "v0.6.1")

    status, said = run()
    assert 1 == status
    assert "the version is 0.6.1, but must be at least 0.7.0: the model wren-1 is gone" in said


def test_a_change_after_a_release_is_judged_by_that(repository):
    """A released version number can't be reused for a later change."""
    repository.describe(without_a_model)

    assert "v0.6.0" == last_release(repository.root)


def test_a_crash_is_no_verdict(repository, run, monkeypatch):
    """Python exits with 1 on a crash, which is also the status of a failed verdict."""
    monkeypatch.delitem(rules(), "added")
    repository.replace(CLIENT, "def search", "def found(self) -> None: ...\n\n    def search")

    status, said = run("v0.6.0")
    assert 3 == status
    assert "KeyError: 'added'" in said


def test_before_the_first_release_anything_goes(repository, run):
    """No user depends on anything before the first release."""
    repository.git("tag", "--delete", "v0.6.0")
    repository.describe(without_a_model)

    status, said = run()
    assert 0 == status
    assert "There is no earlier release" in said


@pytest.mark.parametrize("form", ["text", "markdown", "draft"])
def test_every_form_tells_what_to_write(form, repository, run):
    """A verdict is read in a terminal, in a pull request, or pasted into the changelog."""
    repository.describe(without_a_model)

    status, said = run("--format", form)
    assert 1 == status
    assert "## 0.7.0 (not yet released)\n\n### Removed\n\n- The model wren-1 is gone." in said
    assert (form == "draft") == ("0.6.0 -> 0.6.0: programs have to change" not in said)


def test_the_json_is_stable(repository, run):
    """Other programs parse the JSON, so its keys stay."""
    repository.describe(without_a_model)
    repository.begin("0.7.0", "### Removed\n\n- `wren-1`.")

    status, said = run("v0.6.0", "--format", "json")
    assert 0 == status
    assert {
        "version": 2,
        "base": "v0.6.0",
        "released": "0.6.0",
        "now": "0.7.0.dev0",
        "level": "major",
        "minimum": "0.7.0",
        "problems": [],
        "changes": [
            {
                "path": "catalogue: models.wren-1",
                "level": "major",
                "heading": "Removed",
                "sentence": "the model wren-1 is gone",
                "subject": "wren-1",
            }
        ],
        "draft": "## 0.7.0 (not yet released)\n\n### Removed\n\n- The model wren-1 is gone.",
    } == json.loads(said)


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (lambda repository: repository.git("tag", "--delete", "v0.6.0"), "v0.6.0"),
        (lambda repository: repository.write("spec/openapi.yaml", "["), "can't be read"),
        (lambda repository: repository.write("overlay/voyageai/version.py", ""), "VERSION"),
    ],
)
def test_a_failed_comparison_is_no_verdict(break_it, message, repository, run):
    """A job that could not compare must not look like one that found a problem."""
    break_it(repository)

    status, said = run("v0.6.0")
    assert 3 == status
    assert message in said
