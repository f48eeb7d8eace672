"""The command: which contracts it finds, how it shows them, and its exit status."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from generator import paths
from generator.drift.__main__ import main
from generator.drift.loading import load
from generator.drift.reports import NO_DIFFERENCE

from .pairs import base

CIRCLE = """
openapi: 3.1.0
paths:
  /books/{book}:
    get:
      responses:
        "200":
          content: {application/json: {schema: {$ref: "#/components/schemas/Me"}}}
components:
  schemas:
    Me: {allOf: [{$ref: "#/components/schemas/Me"}]}
"""


def written(folder, tree):
    """A folder laid out like spec/."""
    folder.mkdir()
    yaml = YAML()
    for name in ("openapi", "catalogue"):
        with folder.joinpath(f"{name}.yaml").open("w", encoding="utf-8") as file:
            yaml.dump(tree[name], file)
    return folder


@pytest.fixture
def old(tmp_path):
    return written(tmp_path / "old", base())


def changed(tmp_path, change):
    """A folder with a changed contract."""
    tree = base()
    change(tree)
    return written(tmp_path / "new", tree)


def reworded(tree):
    tree["openapi"]["paths"]["/search/{shelf}"]["post"]["summary"] = "Look for <books> | tapes."


def added(tree):
    tree["catalogue"]["models"]["wren-2"] = tree["catalogue"]["models"]["wren-1"]


def gone(tree):
    del tree["catalogue"]["models"]["wren-1"]


@pytest.mark.parametrize(
    ("change", "said", "by_default", "breaking", "additive", "any_"),
    [
        (lambda tree: None, NO_DIFFERENCE, 0, 0, 0, 0),
        (reworded, "documentation (1)", 0, 0, 0, 1),
        (added, "additive (1)", 0, 0, 1, 1),
        (gone, "breaking for senders (1)", 0, 2, 2, 2),
    ],
    ids=["nothing", "words", "a new model", "a model that is gone"],
)
def test_the_exit_status_is_what_fail_on_asks_for(
    change, said, by_default, breaking, additive, any_, old, tmp_path, capsys
):
    """A maintainer wants a report, while a scheduled job must fail."""
    compared = [str(old), str(changed(tmp_path, change))]
    expected = {None: by_default, "breaking": breaking, "additive": additive, "any": any_}
    for fail_on, status in expected.items():
        assert status == main([*compared, *(["--fail-on", fail_on] if fail_on else [])])
        assert said in capsys.readouterr().out


def test_the_text_has_a_line_for_what_many_share(old, tmp_path, capsys):
    """A change that affects all operations, such as a new error, is shown once."""

    def change(tree):
        tree["openapi"]["components"]["schemas"]["Error"]["required"] = []

    main([str(old), str(changed(tmp_path, change))])
    assert (
        "breaking for readers (2)\n"
        "  POST /search/{shelf}: response.400.detail; POST /search/{shelf}: response.429.detail:"
        " `detail` may now be absent\n"
    ) in capsys.readouterr().out


def test_the_markdown_is_fit_for_a_pull_request(old, tmp_path, capsys):
    """Breaking differences are in tables that render, and changes of wording are folded."""

    def change(tree):
        gone(tree)
        reworded(tree)
        tree["openapi"]["paths"]["/search/{shelf}"]["post"]["operationId"] = "a|b"

    new = changed(tmp_path, change)
    main([str(old), str(new), "--format", "markdown"])
    assert [
        f"## Drift from `{old}` to `{new}`",
        "",
        "1 breaking for senders, 2 documentation.",
        "",
        "### Breaking for senders (1)",
        "",
        "| where | what |",
        "|---|---|",
        "| catalogue: models.wren-1 | The model wren-1 is gone. |",
        "",
        "<details><summary>Documentation (2)</summary>",
        "",
        "| where | what |",
        "|---|---|",
        "| POST /search/{shelf} | Its operationId is now a\\|b, was search. |",
        "| POST /search/{shelf} | The summary changed. |",
        "",
        "</details>",
    ] == capsys.readouterr().out.splitlines()


def test_the_json_is_stable(old, tmp_path, capsys):
    """Other programs parse the JSON."""
    new = changed(tmp_path, gone)
    main([str(old), str(new), "--format", "json"])
    assert {
        "version": 1,
        "old": str(old),
        "new": str(new),
        "summary": {
            "breaking for senders": 1,
            "breaking for readers": 0,
            "additive": 0,
            "documentation": 0,
        },
        "differences": [
            {
                "path": "catalogue: models.wren-1",
                "kind": "model-removed",
                "class": "breaking for senders",
                "sentence": "the model wren-1 is gone",
                "subject": "wren-1",
                "before": None,
                "after": None,
            }
        ],
    } == json.loads(capsys.readouterr().out)


def test_files_of_both_forms_are_read(old, tmp_path):
    """A contract may be YAML or JSON, and an OpenAPI document or a catalogue."""
    as_json = tmp_path / "openapi.json"
    as_json.write_text(json.dumps(base()["openapi"]), encoding="utf-8")
    as_json_catalogue = tmp_path / "catalogue.json"
    as_json_catalogue.write_text(json.dumps(base()["catalogue"]), encoding="utf-8")

    assert 0 == main([str(old / "openapi.yaml"), str(as_json)])
    assert 0 == main([str(old), str(as_json)])
    assert 0 == main([str(old / "catalogue.yaml"), str(as_json_catalogue)])


def test_revisions_are_read(old, tmp_path, monkeypatch):
    """A reviewer compares a branch with the revision that it started from."""
    repository = tmp_path / "repository"
    written(repository, base()).rename(tmp_path / "spec")
    repository.mkdir()
    tmp_path.joinpath("spec").rename(repository / "spec")
    who = ("-c", "user.name=A", "-c", "user.email=a@example.com")
    for command in (["init", "-q"], ["add", "-A"], [*who, "commit", "-q", "-m", "As it was"]):
        subprocess.run(["git", "-C", repository, *command], check=True)
    monkeypatch.chdir(repository)

    assert 0 == main(["HEAD", str(old)])
    assert 0 == main(["HEAD:spec/openapi.yaml", str(old)])
    assert load("HEAD").catalogue is not None


def test_every_contract_of_a_spec_is_compared(tmp_path, capsys):
    """A change of the smaller contract must not be missed."""
    spec = Path(shutil.copytree(paths.SPEC, tmp_path / "spec"))
    document = spec / "admin.yaml"
    text = document.read_text(encoding="utf-8")
    assert "maximum: 500" in text
    document.write_text(text.replace("maximum: 500", "maximum: 400"), encoding="utf-8")

    assert 2 == main(["--fail-on", "breaking", str(paths.SPEC), str(spec)])
    shown = capsys.readouterr().out
    assert "voyageai_admin_rest: GET /api/atlas/v2/groups/{groupId}/aiModelApiKeys" in shown
    (spec / "contracts.yaml").unlink()  # as before there was a second contract
    assert 1 == main(["--fail-on", "any", str(spec), str(paths.SPEC)])
    assert "the contract of voyageai_admin_rest is new" in capsys.readouterr().out


def test_a_contracts_file_that_is_wrong_is_named(tmp_path, capsys):
    """The error also names a file in another folder or revision."""
    (tmp_path / "contracts.yaml").write_text("a_rest: {}\n", encoding="utf-8")

    assert 3 == main([str(tmp_path)])
    assert "contracts.yaml: a_rest: 'document' is a required property" in capsys.readouterr().err


def test_addresses_are_read(old):
    """The command downloads published definitions."""
    content = old.joinpath("openapi.yaml").read_bytes()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == "/openapi.yaml" else 404)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments):
            """Log nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            address = f"http://127.0.0.1:{server.server_port}"
            assert 0 == main([f"{address}/openapi.yaml", str(old)])
            assert 3 == main([f"{address}/none.yaml", str(old)])
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("openapi: 2.0", "must be 3.0 or 3.1, not 2.0"),
        ("[", "can't be read"),
        ("- a", "must be a mapping"),
        ('{"openapi": "3.1.0", "paths": {"/a": {"$ref": "other.yaml"}}}', "bundle it first"),
        ('{"openapi": "3.1.0", "paths": {"/a": {"$ref": "#/b"}}}', "#/b is not in the document"),
        ("a: &a {b: *a}", "can't be read"),
        ("openapi: 3.1.0\nservers: [{}]", 'servers.0: "url" is a required property'),
        ("openapi: 3.0.3\ntags: [a]", 'tags.0: "a" is not of type'),
        ("openapi: 3.1.0\npaths: {/a: }", "paths./a: null is not of type"),
        (CIRCLE, "#/components/schemas/Me refers to nothing but itself"),
    ],
)
def test_documents_that_can_not_be_compared_are_an_error(content, message, old, tmp_path, capsys):
    """A job that could not compare must not look like one that found a difference."""
    path = tmp_path / "new.yaml"
    path.write_text(content, encoding="utf-8")

    assert 3 == main([str(old), str(path)])
    assert message in capsys.readouterr().err


def test_a_catalogue_of_another_form_is_no_difference(old, tmp_path, capsys):
    """The error says where the catalogue's form is wrong."""
    path = tmp_path / "new.yaml"
    path.write_text("models: [owl-1]", encoding="utf-8")

    assert 3 == main([str(old / "catalogue.yaml"), str(path)])
    assert "models: ['owl-1'] is not of type 'object'" in capsys.readouterr().err


def test_a_crash_is_no_difference(capsys):
    """Python exits with 1 on a crash, which is also the status of an additive difference."""
    assert 3 == main([5])  # an integer makes argparse crash
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["HEAD", "--format", "xml"],
        ["HEAD", "--fail-on", "everything"],
        ["nothing-of-that-name"],
        ["http://["],
        ["http://127.0.0.1:1/a b"],
        ["HTTP://127.0.0.1:1/"],
        ["long" * 2000],
    ],
)
def test_a_wrong_call_is_no_difference(arguments, capsys):
    """Usage errors normally exit with 2, which here means a breaking difference."""
    try:
        status = main(arguments)
    except SystemExit as error:
        status = error.code
    assert 3 == status
    assert capsys.readouterr().err


def test_the_help_names_the_other_comparisons(capsys):
    """Users would not find the subcommands otherwise."""
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "each with --help: live, upstream" in " ".join(capsys.readouterr().out.split())


def test_this_checkout_is_compared_by_default(capsys):
    """The report calls it this checkout, as readers can do nothing with a local path."""
    assert 0 == main([str(paths.SPEC)])
    assert capsys.readouterr().out.startswith("spec -> spec\n")
