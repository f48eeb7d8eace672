"""Snapshots: any change of the wire, the interface or the contract shows up in review."""

from __future__ import annotations

import copy
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from generator import paths, spec
from generator.build import build

from . import contract, interface, wire
from .conftest import differences

PACKAGES = ("voyageai", "voyageai_emulator", *(entry.package for entry in spec.contracts()))
OPENAPI = paths.SPEC / "openapi.yaml"


def home(package: str) -> Path:
    """Return the folder that holds an installed package."""
    found = find_spec(package)
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent.parent


def test_requests_are_as_recorded(same_as_recorded):
    """A reviewer sees each change of a request; both clients send the same."""
    same_as_recorded("wire.txt", wire.record())


@pytest.mark.parametrize("package", PACKAGES)
def test_public_interfaces_are_as_recorded(same_as_recorded, package):
    """A removed or changed public name breaks users' code, so a reviewer sees it."""
    same_as_recorded(f"interface_{package}.txt", interface.record(package, home(package)))


@pytest.mark.parametrize(
    "path",
    [
        path
        for entry in spec.contracts()
        for path in (entry.document, entry.catalogue, entry.deployments)
        if path
    ],
    ids=lambda path: path.stem,
)
def test_the_contract_is_as_recorded(same_as_recorded, path):
    """A reviewer sees changed facts apart from changed wording."""
    same_as_recorded(f"contract_{path.stem}.txt", contract.record(spec.load(path)))


@pytest.fixture(scope="module")
def renamed(tmp_path_factory) -> Path:
    """Generate a tree from a spec in which a field of a request has another name."""
    folder = tmp_path_factory.mktemp("renamed")
    text = OPENAPI.read_text(encoding="utf-8")
    assert 3 <= text.count("truncation:")
    shutil.copytree(paths.SPEC, folder / "spec")
    (folder / "spec/openapi.yaml").write_text(
        text.replace("truncation:", "cutting:"), encoding="utf-8"
    )
    (folder / "generated").mkdir()
    build(folder / "generated", folder / "spec")
    return folder / "generated"


def test_all_lines_that_differ_are_shown():
    """A rename reaches many lines, and the first alone does not say how many."""
    shown = differences("wire.txt", "a: 1\nb: 2\nc: 3\n", "a: 0\nb: 2\nc: 0\n")

    assert ["-a: 1", "+a: 0", "-c: 3", "+c: 0"] == [line for line in shown[2:] if line[0] != "@"]
    assert [] == differences("wire.txt", "a: 1\n", "a: 1\n")


def test_a_renamed_field_shows_in_the_contract():
    """A snapshot that misses a renamed field would be worthless."""
    document = spec.load(OPENAPI)
    changed = copy.deepcopy(document)
    fields = changed["components"]["schemas"]["RerankRequest"]["properties"]
    fields["top"] = fields.pop("top_k")

    assert contract.record(document) != contract.record(changed)


def test_a_changed_default_shows_in_the_contract():
    """A changed default changes users' results without a change of their code."""
    document = spec.load(OPENAPI)
    changed = copy.deepcopy(document)
    changed["components"]["schemas"]["RerankRequest"]["properties"]["truncation"]["default"] = False

    assert contract.record(document) != contract.record(changed)


@pytest.mark.parametrize(
    ("place", "item"),
    [
        (["tags"], {"name": "a first tag", "x-servers": ["eu"]}),
        (["servers"], {"url": "https://example.com/v1", "x-name": "a-first-host"}),
        (["paths", "/batches", "get", "parameters"], {"name": "first", "in": "query"}),
    ],
    ids=["tag", "host", "parameter"],
)
def test_a_new_item_of_a_list_adds_lines_and_changes_none(place, item):
    """The snapshot names items instead of numbering them, so a diff shows only what is new."""
    document = spec.load(OPENAPI)
    changed = copy.deepcopy(document)
    items = changed
    for key in place:
        items = items[key]
    items.insert(0, item)

    before, after = (set(contract.record(each).splitlines()) for each in (document, changed))
    assert before < after


def test_a_changed_sentence_does_not_show_in_the_contract():
    """Reviewers would stop reading diffs full of rewording."""
    document = spec.load(OPENAPI)
    changed = copy.deepcopy(document)
    changed["components"]["schemas"]["RerankRequest"]["description"] = "Something else."

    assert contract.record(document) == contract.record(changed)


def test_a_renamed_field_shows_on_the_wire(renamed):
    """Only the generated client is tested, as the overlay can't be imported after a rename."""
    script = (
        "from voyageai_rest.api.reranking import rerank\n"
        "from voyageai_rest.models import RerankRequest\n"
        "body = RerankRequest(query='q', documents=['d'], model='m', cutting=True)\n"
        "print(rerank.build_request(body=body).json)"
    )
    environment = {**os.environ, "PYTHONPATH": str(renamed)}
    shown = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )

    assert "'cutting': True" in shown.stdout
    assert "cutting" not in wire.record()


def test_a_renamed_field_shows_in_the_interface(renamed):
    """Users of the generated client write the field's name in their code."""
    recorded = interface.record("voyageai_rest", home("voyageai_rest"))

    assert recorded != interface.record("voyageai_rest", renamed)


def test_a_changed_name_default_or_type_shows_in_the_interface(tmp_path):
    """A snapshot that misses such a change would be worthless."""
    changes = {
        "def embed_query(": "def _embed_query(",
        "truncation: bool | None = True": "truncation: bool | None = False",
        "model: RerankModel | str": "model: RerankModel",
    }
    recorded = interface.record("voyageai", home("voyageai")).splitlines()
    shutil.copytree(home("voyageai") / "voyageai", tmp_path / "voyageai")
    path = tmp_path / "voyageai/client.py"
    text = path.read_text(encoding="utf-8")
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")

    found = interface.record("voyageai", tmp_path).splitlines()
    gone, new = set(recorded) - set(found), set(found) - set(recorded)
    assert any(line.startswith("voyageai.client.Client.embed_query(") for line in gone)
    assert any("truncation: bool | None = False" in line for line in new), new
    assert any("model: RerankModel | None = None" in line for line in new), new
