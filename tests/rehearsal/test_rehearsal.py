"""New models, a field and an operation, from the spec to a user who installs the release."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

import pytest
from packaging.version import Version
from voyageai_emulator import running

from generator import git
from generator.commands import environment
from generator.commands import run as run_program
from generator.release import install, publish, steps
from generator.semver import version
from generator.semver.changelog import FILE as CHANGELOG
from generator.semver.changelog import UNRELEASED
from tests.release import repositories

from . import contract_change
from .index import TOKEN

LATER = date(2031, 6, 1)
USE = Path(__file__).parent / "new_model.py"
DEMO = Path("docs", "examples", "search_stdlib")


@pytest.fixture(scope="session")
def described(checkout, run, verdict):
    """Begin the next version with the verdict's draft as changelog; return its number."""
    following = Version(verdict["minimum"])
    steps.bump(checkout, following)
    heading = f"## {following} ({UNRELEASED})"
    changelog = checkout / CHANGELOG
    changelog.write_text(changelog.read_text("utf-8").replace(heading, verdict["draft"]), "utf-8")
    repositories.commit(checkout, f"Begin {following}")
    run("generator.semver")
    return following


@pytest.fixture(scope="session")
def uploads(checkout, run, described):
    """Build and tag the release; return the folder of the files to upload."""
    for step in (["ready"], ["cut", "--day", str(LATER)], ["build"], ["verify"], ["tag"]):
        run("generator.release", *step)
    return checkout / "dist"


@pytest.fixture(scope="session")
def published(run, uploads, index):
    """Publish the release; return the output of the first call made with it."""
    command = ["publish", "--upload-url", index.upload, "--index-url", index.simple]
    return run("generator.release", *command, **{publish.TOKEN: TOKEN}).stdout


@pytest.fixture(scope="session")
def user(published, uploads, index, described, tmp_path_factory):
    """The interpreter of a user who installed the new version from the index."""
    needed = [*install.requirements(next(uploads.glob("*.whl"))), "rich"]
    interpreter = install.make_environment(tmp_path_factory.mktemp("user") / "venv", needed)
    wanted = f"{publish.NAME}=={described}"
    publish.pip(index, "--python", interpreter, "install", "--no-deps", wanted)
    return interpreter


@pytest.fixture(scope="session")
def told(user):
    """Return the output of a user's program for the new model."""
    return json.loads(install.run_smoke_test(user, USE))


def test_only_the_spec_is_changed_by_hand(generated):
    """Code and snapshots follow from the spec, so a maintainer edits nothing else."""
    made = ("generated/", "tests/snapshots/recorded/")
    written = {name for name in generated if not name.startswith(made)}

    assert {"spec/catalogue.yaml", "spec/openapi.yaml"} == written
    assert "generated/voyageai_rest/models/embeddings_request.py" in generated


def test_drift_finds_all_of_it_and_nothing_that_breaks(drift):
    """A reviewer reads this report instead of the generated code."""
    said = json.dumps(drift["differences"])

    assert set() == {
        name
        for name in (*contract_change.MODELS, contract_change.FIELD, "POST /tokens")
        if name not in said
    }
    assert {"additive", "documentation"} == {
        kind for kind, count in drift["summary"].items() if count
    }


def test_the_verdict_asks_for_a_version_that_covers_both(verdict):
    """The minimum version and the drafted changelog follow from the change."""
    assert "1.1.0" == verdict["minimum"]
    assert contract_change.MODEL in verdict["draft"]
    assert contract_change.FIELD in verdict["draft"]


def test_the_release_is_cut_and_tagged(checkout, uploads, described):
    """The tag names the commit from which the files were built."""
    assert described == version.read(checkout)
    assert git.run(checkout, "rev-parse", "HEAD") == git.tagged(checkout, f"v{described}")
    assert f"## {described} ({LATER})" in checkout.joinpath(CHANGELOG).read_text("utf-8")


def test_the_release_has_a_bill_of_materials_and_checksums(uploads, described):
    """Users can inspect the dependencies, and verify the files that they downloaded."""
    bill = json.loads(uploads.joinpath(f"voyageai-{described}.cdx.json").read_text("utf-8"))

    assert "CycloneDX" == bill["bomFormat"]
    assert str(described) == bill["metadata"]["component"]["version"]
    assert {"attrs", "httpx2", "pybase64"} <= {part["name"] for part in bill["components"]}
    assert [] == [part for part in bill["components"] if not part.get("version")]
    assert [] == [part for part in bill["components"] if not part.get("licenses")]
    assert [] == [
        line for line in json.dumps(bill).split('"') if line.startswith(("file:", str(uploads)))
    ]
    assert 3 == len(uploads.joinpath("SHA256SUMS").read_text("utf-8").splitlines())


def test_it_is_published_and_works_where_it_is_installed(published, described):
    """The first call uses the package as the index serves it."""
    assert published.startswith(f"voyageai {described}: ")


def test_a_user_uses_the_new_model_and_the_new_field(told, described):
    """Users install the new version, and need nothing else."""
    assert str(described) == told["version"]
    assert [contract_change.MODEL, 3] == told["sent"]
    assert 2 == told["vectors"]
    assert 3 == told["typed"]


def test_the_new_field_is_held_to_its_limits(told):
    """The emulator and the client enforce the same limits of the contract."""
    assert contract_change.FIELD in told["refusal"]
    assert "priority must be less than or equal to 9, not 30" == told["unsent"]


def test_the_new_operation_is_answered(told):
    """The emulator answers with the contract's example until a handler is written."""
    assert [5] == told["counts"]


def test_the_demo_runs_on_the_new_model(user, checkout):
    """The demo is the first thing that a newcomer tries."""
    command = [
        user,
        checkout / DEMO,
        "--model",
        contract_change.MODEL,
        "How do I unpack a zip file?",
    ]
    keyless = environment({"COLUMNS": "120"}, without=("VOYAGE_", "VOYAGEAI_"))

    assert "zipfile" in run_program(*command, cwd=checkout, env=keyless)


def test_the_first_page_works_as_it_is_written(user, checkout, tmp_path):
    """A new user copies the examples of the README, and has only the package."""
    blocks = re.findall(r"^```python\n(.*?)^```", (checkout / "README.md").read_text(), re.M | re.S)
    with running() as url:
        given = {"VOYAGE_API_KEY": "any", "VOYAGE_BASE_URL": str(url)}
        env = environment(given, without=("VOYAGE", "PYTHONPATH"))
        said = [
            run_program(user, "-W", "error", "-c", code, cwd=tmp_path, env=env) for code in blocks
        ]

    assert 2 == len(said)
    assert said[0].startswith("The keys are on the table.")
    assert "(1, 256)" == said[1].strip()


def test_it_is_published_once(published, run, index):
    """A published version never changes."""
    command = ["publish", "--upload-url", index.upload, "--index-url", index.simple]
    refused = run("generator.release", *command, expect=1, **{publish.TOKEN: TOKEN})

    assert "is already published" in refused.stderr
