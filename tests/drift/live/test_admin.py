"""The `live` command for the Atlas administration API, with its own credentials and ids."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from voyageai.admin import Admin
from voyageai_admin_rest.operations import OPERATIONS
from voyageai_emulator import Emulator, running

from generator import spec
from generator.drift.__main__ import main
from generator.drift.live import plan
from tests.drift.live.conftest import Ran

PACKAGE = "voyageai_admin_rest"
SECRET = "a-very-secret-text"
ACCOUNT = {"client_id": "an-account", "client_secret": SECRET}
PROJECT = "65f0a1b2c3d4e5f6a7b8c9d0"


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """An emulator with one model API key, for one service account."""
    with running(admin_credentials={"an-account": SECRET}) as found:
        with Admin(**ACCOUNT, base_url=found.origin) as admin:
            admin.keys.create("search", project=PROJECT)
        yield found


@pytest.fixture
def environment(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Set the environment variables that the command reads."""
    for name, value in {
        "MONGODB_ATLAS_BASE_URL": emulator.origin,
        "MONGODB_ATLAS_CLIENT_ID": "an-account",
        "MONGODB_ATLAS_CLIENT_SECRET": SECRET,
        "MONGODB_ATLAS_PROJECT_ID": PROJECT,
        "MONGODB_ATLAS_ORG_ID": "5f0e1d2c3b4a596877665544",
    }.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def ran(capsys: pytest.CaptureFixture[str], *arguments: str) -> Ran:
    """Run the command for this contract, and return its result."""
    status = main(["live", PACKAGE, *arguments])
    found = Ran(status, *capsys.readouterr())
    assert SECRET not in found.out + found.err
    return found


def test_a_host_that_keeps_the_contract_shows_nothing(
    emulator: Emulator, environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every operation is requested, and those that write are requested without credentials."""
    emulator.requests.clear()
    found = ran(capsys, "--fail-on", "any", "--format", "json")
    assert ([], []) == (found.report["differences"], found.report["unseen"])
    assert 0 == found.status
    assert {"at_most": 0, "counted": 0} == found.report["usd"]
    asked = {each.operation for each in emulator.requests}
    assert {operation.id for operation in OPERATIONS} <= asked
    writing = [each for each in emulator.requests if each.method != "GET" and each.operation]
    assert {401} == {each.status for each in writing}


@pytest.mark.parametrize(
    ("operation", "path"),
    [
        ("getGroupModelKey", "aiModelApiKeys/{apiKeyId}: response.200."),
        ("listOrgModelKeys", "aiModelApiKeys: response.200."),
        ("getGroupRateLimits", "rateLimits: response.200."),
    ],
)
def test_a_new_field_is_found(
    emulator: Emulator,
    environment: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    operation: str,
    path: str,
) -> None:
    """The media type of a versioned response must not keep its body from being compared."""
    emulator.faults.always("extra_fields", operation=operation)
    found = ran(capsys, "--fail-on", "any", "--format", "json")
    assert {"field-added"} == {each["kind"] for each in found.report["differences"]}
    assert all(path in each["path"] for each in found.report["differences"])
    assert 1 == found.status


def test_an_operation_that_is_gone_is_found(
    emulator: Emulator, environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Writing operations are probed without credentials, so another refusal reveals a loss."""
    emulator.faults.always("status", operation="updateGroupRateLimits", status=405)
    found = ran(capsys, "--fail-on", "any", "--format", "json")
    assert {"error-added", "refused-otherwise"} == {
        each["kind"] for each in found.report["differences"]
    }
    assert 2 == found.status


def test_requests_without_an_id_are_reported_as_unchecked(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A scheduled job that lacks the variable must not look complete."""
    environment.delenv("MONGODB_ATLAS_ORG_ID")
    found = ran(capsys, "--format", "json")
    assert {"orgId"} == {
        each["reason"].split(" returned the ")[1].split()[0] for each in found.report["unseen"]
    }
    assert 3 == found.status


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("MONGODB_ATLAS_CLIENT_SECRET", "", "MONGODB_ATLAS_CLIENT_SECRET is not set"),
        ("MONGODB_ATLAS_CLIENT_ID", "", "MONGODB_ATLAS_CLIENT_ID is not set"),
        ("MONGODB_ATLAS_CLIENT_ID", "another", "the host returns no token: its status is"),
        ("MONGODB_ATLAS_BASE_URL", "http://127.0.0.1:1", "127.0.0.1 can't be reached"),
        ("MONGODB_ATLAS_BASE_URL", "cloud", "MONGODB_ATLAS_BASE_URL must be a URL"),
    ],
)
def test_invalid_settings_are_reported_at_once(
    environment: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    variable: str,
    value: str,
    said: str,
) -> None:
    """The error is one line, and shows no secret."""
    environment.setenv(variable, value)
    found = ran(capsys)
    assert (3, "") == (found.status, found.out)
    assert said in found.err.splitlines()[-1]


@pytest.mark.parametrize("entry", spec.contracts(), ids=lambda entry: entry.package)
def test_every_contract_can_be_probed(entry: spec.Contract) -> None:
    """A new contract needs a table by hand, as nobody can generate which requests are harmless."""
    assert plan.load_table(entry.package).probes
    with pytest.raises(spec.GenerationError, match=f"no_such_contract.*{entry.package}"):
        plan.load_table("no_such_contract")


def test_nothing_is_sent_in_a_dry_run(
    emulator: Emulator, environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A dry run sends nothing, not even the request for an access token."""
    emulator.requests.clear()
    found = ran(capsys, "--dry-run")
    assert (0, "") == (found.status, found.out)
    assert "no_such_key" in found.err
    assert not emulator.requests
    assert json.dumps(SECRET) not in found.err
