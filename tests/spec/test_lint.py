"""The spec passes its own rules, and each rule fires on a fault of its kind."""

import json
import shutil
from pathlib import Path

import pytest

from generator import lint as command
from generator import paths
from generator.checks import CHECKS, FORM, Documents, lint, problems, rule

from .faults import DROPPED, EMBED, FAULTS, SCHEMAS, Place, changed


def test_the_spec_keeps_its_rules(contracts: dict[str, Documents]) -> None:
    """All generated code relies on these rules."""
    assert [] == problems(contracts.values())
    assert 2 <= len(contracts)


@pytest.mark.parametrize(
    ("expected", "name", "place", "value"),
    [pytest.param(*fault, id=f"{fault[0]}-{number}") for number, fault in enumerate(FAULTS)],
)
def test_a_fault_breaks_its_rule_and_no_other(
    documents: Documents, expected: str, name: str, place: Place, value: object, full: bool
) -> None:
    """A rule that never fires guards nothing; one that fires for another fault misleads."""
    broken = changed(documents, name, place, value)
    if full or expected in map(rule, FORM):
        found = {name for name, _ in lint(broken)}
    else:  # checks of the form take nine tenths of the time
        found = {rule(check) for check in CHECKS if check not in FORM and any(check(broken))}
    assert {expected} == found


def test_every_rule_is_seen_to_fire() -> None:
    """Each new rule needs a sample fault in `faults.py` that breaks it."""
    assert {rule(check) for check in CHECKS} == {fault[0] for fault in FAULTS}


def test_every_rule_says_what_it_holds() -> None:
    """Contributors read the rules' docstrings as the list of rules."""
    assert [] == [rule(check) for check in CHECKS if not check.__doc__]


def test_a_finding_says_where_it_is(documents: Documents) -> None:
    """The spec is too long to search by eye, so each finding gives a path into it."""
    place = (*SCHEMAS, "Embedding", "properties", "index")
    ((_, finding),) = lint(changed(documents, "openapi", (*place, "description"), DROPPED))
    assert place == finding.path
    assert "openapi.yaml:components.schemas.Embedding.properties.index: has no description" == str(
        finding
    )


@pytest.mark.parametrize(
    ("reference", "sentence"),
    [
        ("#/components/requestBodies/Gone", "is not in this document: there is no requestBodies"),
        ("other.yaml#/Body", "does not begin with #/, so it is not in this document"),
        ("#/paths/~1embeddings/post/requestBody", "refers to itself"),
        ("#/components/schemas/InputType/type", "is 'string', not a mapping"),
        (
            "#/components/schemas/InputType",
            "is not in components.requestBodies, as a reference here must be",
        ),
    ],
)
def test_a_wrong_reference_says_what_is_wrong(
    documents: Documents, reference: str, sentence: str
) -> None:
    """The name of a missing key alone does not say which reference to repair."""
    body = changed(documents, "openapi", (*EMBED, "requestBody"), {"$ref": reference})
    ((_, finding),) = lint(body)
    assert (*EMBED, "requestBody", "$ref") == finding.path
    assert f"{reference} {sentence}" == finding.sentence


def test_a_valid_spec_passes_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    """CI goes by the exit status of the command."""
    assert 0 == command.main()
    assert "spec/ complies with all rules\n" == capsys.readouterr().out


def test_a_fault_fails_the_command_and_is_named(
    documents: Documents, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A contributor reads in one line which part of the spec to repair."""
    broken = changed(documents, "openapi", (*EMBED, "summary"), DROPPED).openapi
    folder = Path(shutil.copytree(paths.SPEC, tmp_path / "spec"))
    (folder / "openapi.yaml").write_text(json.dumps(broken), encoding="utf-8")
    assert 1 == command.main(folder)
    expected = "spec/openapi.yaml:paths./embeddings.post: operations-are-described: has no summary"
    assert f"{expected}\n" == capsys.readouterr().out


@pytest.mark.parametrize("text", ["a: 1\na: 2\n", "a: [", "- a\n"])
def test_a_file_that_cannot_be_read_fails_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    """A duplicate key is an error here, as other YAML readers would silently drop one value."""
    folder = Path(shutil.copytree(paths.SPEC, tmp_path / "spec"))
    (folder / "openapi.yaml").write_text(text, encoding="utf-8")
    assert 1 == command.main(folder)
    assert "openapi.yaml" in capsys.readouterr().err
