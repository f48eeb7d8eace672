"""Comparing our contracts with published definitions, without known disagreements."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest
from attrs import evolve

from generator import paths, spec
from generator.drift import documents, upstream
from generator.drift.__main__ import main
from generator.drift.contracts import Contract
from generator.drift.differences import rules
from generator.drift.documents import Document, DriftError

from .pairs import base, contract
from .published import EXACT, LANGUAGES, held, listed, theirs


def test_what_is_listed_is_not_reported():
    """Maintainers do not read a report that always says the same."""
    outcome = held(theirs(), listed(EXACT, LANGUAGES))

    assert [] == outcome.unlisted
    assert 2 == outcome.listed
    assert 0 == outcome.status("any")


def test_what_is_not_listed_is_reported():
    """A new disagreement must reach the maintainer."""
    outcome = held(theirs(), listed(LANGUAGES))

    assert ["POST /search/{shelf}: request.exact"] == [item.path for item in outcome.unlisted]
    assert 2 == outcome.status("any")


def test_a_listed_value_covers_no_other():
    """A listed disagreement must not hide another one of the same field."""
    tree = theirs()
    del tree["openapi"]["components"]["schemas"]["Search"]["properties"]["language"]["default"]
    tree["openapi"]["components"]["schemas"]["Search"]["properties"]["language"]["enum"] = ["fr"]
    outcome = held(tree, listed(EXACT, LANGUAGES))

    found = {(item.kind, item.before, item.after) for item in outcome.unlisted}
    assert {
        ("default-dropped", "en", None),
        ("value-added", None, "fr"),
        ("value-removed", "en", None),
    } == found


def test_a_disagreement_that_is_gone_is_reported():
    """Its reason may be gone as well, so our contract may have to follow."""
    outcome = held(base(), listed(EXACT, LANGUAGES))

    assert [
        "exact searches: field-removed",
        "exact searches: *: request.exact",
        "languages: value-removed",
        "languages: *: request.language",
        "languages: de",
    ] == outcome.gone
    assert [1, 0, 0] == [outcome.status(on) for on in ("any", "additive", None)]


def test_a_lasting_disagreement_is_never_gone():
    """A deliberate difference stays, whatever the vendor publishes."""
    outcome = held(base(), listed({**EXACT, "lasting": True}))

    assert [] == outcome.gone
    assert 0 == outcome.status("any")


def test_a_disagreement_of_another_definition_covers_nothing():
    """A field that is optional for one vendor is still required for another."""
    outcome = held(theirs(), listed(EXACT, {**LANGUAGES, "in": ["reading"]}))

    assert ["value-removed"] == [item.kind for item in outcome.unlisted]


def test_changed_descriptions_are_reported_until_reviewed():
    """Vendors often state limits in descriptions only."""
    read = upstream.digest(contract(theirs(), "theirs"))
    tree = theirs()
    tree["openapi"]["components"]["schemas"]["Search"]["description"] = "At most 9."
    words = {**EXACT, "kinds": ["description-changed"], "paths": ["*"], "lasting": True}

    assert held(theirs(), listed(EXACT, LANGUAGES, words, read=read)).unread is None
    outcome = held(tree, listed(EXACT, LANGUAGES, words, read=read))
    assert upstream.digest(contract(tree, "theirs")) == outcome.unread
    assert [1, 0, 0] == [outcome.status(on) for on in ("any", "additive", None)]


def test_a_definition_is_recognized_by_most_of_its_operations():
    """Another definition may contain all operations of a small one."""
    tree = base()
    found = upstream.read_known(listed())

    def name() -> str | None:
        definition = upstream.identify(contract(tree, "it"), found)
        return definition.name if definition else None

    tree["openapi"]["paths"]["/books"] = {"put": {"operationId": "lend", "responses": {}}}
    assert "whole" == name()
    del tree["openapi"]["paths"]["/books"]
    del tree["openapi"]["paths"]["/books/{book}"]
    assert "library" == name()
    del tree["openapi"]["paths"]["/search/{shelf}"]
    assert name() is None


def test_an_unknown_definition_has_no_lost_disagreements():
    """Only definitions in the list can have lost a disagreement."""
    tree = theirs()
    for item in tree["openapi"]["paths"].values():
        for operation in item.values():
            if isinstance(operation, dict):
                operation.pop("operationId")
    outcome = held(tree, listed(EXACT, {**LANGUAGES, "paths": ["nowhere"]}))

    assert outcome.definition is None
    assert [] == outcome.gone


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ({"kinds": []}, "known-disagreements.yaml:disagreements.0.kinds"),
        ({"source": ["somewhere"]}, "known-disagreements.yaml:disagreements.0.source.0"),
        ({"reasons": ""}, "'reasons' was unexpected"),
    ],
)
def test_a_list_of_another_form_is_refused(broken, message):
    """A typing error in the list would hide differences permanently."""
    with pytest.raises(DriftError, match=message):
        upstream.read_known(listed({**EXACT, **broken}))


def test_our_own_list_refers_to_what_there_is():
    """A misspelled kind, source or definition would match nothing."""
    raw, ours = spec.load(upstream.KNOWN), spec.contracts()
    entries = raw["disagreements"]
    assert raw["definitions"].keys() >= {name for entry in entries for name in entry.get("in", [])}
    assert rules().keys() >= {kind for entry in entries for kind in entry["kinds"]}
    sources = {source.partition(" ")[0] for entry in entries for source in entry["source"]}
    stated = {name for entry in ours for name in spec.load(entry.document)["x-sources"]}
    assert stated | {"convention"} >= sources
    about = {entry["contract"] for entry in raw["definitions"].values() if "contract" in entry}
    assert {entry.package for entry in ours} >= about


@pytest.mark.parametrize("form", ["text", "markdown", "json"])
def test_the_command_tells_what_it_compared(form, tmp_path, capsys):
    """A scheduled job publishes the summary, and acts on the exit status."""
    path = tmp_path / "theirs.json"
    path.write_text(json.dumps(theirs()["openapi"]), encoding="utf-8")
    ours = tmp_path / "ours.json"
    ours.write_text(json.dumps(base()["openapi"]), encoding="utf-8")
    known = tmp_path / "known.yaml"
    known.write_text(json.dumps(listed(LANGUAGES)), encoding="utf-8")
    command = ["upstream", str(path), "--ours", str(ours), "--known", str(known), "--format", form]
    assert 2 == main([*command, "--fail-on", "breaking"])

    output = capsys.readouterr().out
    assert "theirs.json" in output
    assert "xact` is no longer accepted" in output
    if form == "json":
        assert {"name", "ours", "definition", "listed", "gone", "unread", "differences"} == set(
            json.loads(output)["published"][0]
        )
    else:
        assert "This is the library's own definition." in output
        assert "Differences left out, as known-disagreements.yaml lists them: 1." in output


def test_an_unreadable_definition_does_not_hide_the_others(tmp_path, capsys):
    """The job fails, but still reports the definitions that it could read."""
    path = tmp_path / "theirs.json"
    path.write_text(json.dumps(theirs()["openapi"]), encoding="utf-8")
    assert 3 == main(["upstream", str(tmp_path / "none.json"), str(path)])

    said = capsys.readouterr()
    assert "none.json" in said.err
    assert "theirs.json" in said.out


def whole_administration() -> dict[str, Any]:
    """Return our second contract as a vendor publishes it: within a larger one, and renamed."""
    document = deepcopy(spec.load(paths.SPEC / "admin.yaml"))
    document["paths"]["/api/atlas/v2/clusters"] = {
        "get": {
            "operationId": "listClusters",
            "tags": ["clusters"],
            "responses": {
                "200": {
                    "description": "All.",
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/Cluster"}}
                    },
                }
            },
        }
    }
    document["tags"].append({"name": "clusters"})
    document["components"]["schemas"]["Cluster"] = {"type": "object"}
    return document


def test_each_definition_is_compared_with_the_contract_that_it_is_about(tmp_path, capsys):
    """Comparing with the first contract would report all operations of the second as new."""
    path = tmp_path / "atlas.json"
    document = whole_administration()
    path.write_text(json.dumps(document), encoding="utf-8")
    assert 0 == main(["upstream", str(path), "--fail-on", "additive", "--format", "json"])
    [whole] = json.loads(capsys.readouterr().out)["published"]
    assert ("atlas-admin", "spec: voyageai_admin_rest") == (whole["definition"], whole["ours"])
    assert [] == whole["differences"]

    del document["components"]["schemas"]["ModelKey"]["properties"]["endpoint"]
    document["components"]["schemas"]["Cluster"]["type"] = "array"
    path.write_text(json.dumps(document), encoding="utf-8")
    assert 2 == main(["upstream", str(path), "--fail-on", "breaking"])
    output = capsys.readouterr().out
    assert "endpoint" in output
    assert "luster" not in output


def test_an_unknown_definition_is_compared_with_the_contract_that_is_nearest():
    """Its operations show which contract it is about."""
    ours = contract(base(), "ours")
    other = Document(whole_administration(), "other")
    both = evolve(ours, others={"second": other})
    found = upstream.read_known(listed())
    outcome = upstream.compare_published(both, Contract("theirs", other), found)
    assert ("ours: second", None, []) == (outcome.ours, outcome.definition, outcome.unlisted)
    assert "ours" == upstream.compare_published(both, contract(theirs(), "theirs"), found).ours


def test_a_definition_of_no_contract_is_an_error():
    """With a mistyped name the definition would be compared with nothing."""
    both = evolve(
        contract(base(), "ours"), others={"second": Document(base()["openapi"], "second")}
    )
    found = upstream.read_known(listed(contract="third"))
    with pytest.raises(DriftError, match="library is about third, which ours does not have"):
        upstream.compare_published(both, contract(theirs(), "theirs"), found)


def test_words_elsewhere_in_a_large_definition_are_not_reported():
    """Descriptions of other operations in a large definition change every week."""
    found = upstream.read_known()
    ours = Contract("spec", Document(base()["openapi"], "first"))
    ours = evolve(
        ours,
        others={"voyageai_admin_rest": Document(spec.load(paths.SPEC / "admin.yaml"), "admin")},
    )
    document = whole_administration()
    part = documents.part_of(Document(document, "it"), lambda path: "aiModelApi" in path)
    definition = next(each for each in found.definitions if each.name == "atlas-admin")
    read = evolve(definition, read=upstream.digest(Contract("it", part)))
    known = evolve(found, definitions=(read,))
    document["components"]["schemas"]["Cluster"]["description"] = "Another."
    one = Contract("it", Document(document, "it"))
    assert upstream.compare_published(ours, one, known).unread is None
    document["components"]["schemas"]["ModelKey"]["description"] = "Another."
    assert upstream.compare_published(ours, one, known).unread
