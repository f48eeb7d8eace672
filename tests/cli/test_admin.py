"""`voyageai admin`: keys, rate limits, and where the secret of a new key is stored."""

from __future__ import annotations

import json
import os
import pty
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import voyageai_emulator
from voyageai_emulator import Emulator

from .conftest import Run, answered

COMMAND = (sys.executable, "-m", "voyageai", "admin")
EMBED = ("embed", "-m", "voyage-4", "-d", "256", "hello", "--max-retries", "0")
ACCOUNT = {"MONGODB_ATLAS_CLIENT_ID": "an-account", "MONGODB_ATLAS_CLIENT_SECRET": "its-secret"}


@pytest.fixture
def project(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> str:
    """A new project, which the environment names."""
    environment["MONGODB_ATLAS_PROJECT_ID"] = secrets.token_hex(12)
    return environment["MONGODB_ATLAS_PROJECT_ID"]


def create(run: Run, name: str, *more: object) -> dict[str, Any]:
    """Create a key and return it with its secret."""
    return json.loads(run("admin", "keys", "create", name, *more).stdout)


def listed(run: Run, *words: object) -> list[dict[str, Any]]:
    """Return the keys or limits of the project."""
    return [json.loads(line) for line in run("admin", *words).stdout.splitlines()]


def test_a_key_lives_until_it_is_deleted(run: Run, project: str) -> None:
    """Each command prints the id that the next one needs."""
    key = create(run, "search")
    assert (project, "search") == (key["project"], key["name"])
    run(*EMBED, VOYAGE_API_KEY=key["secret"])
    run("admin", "keys", "rename", key["id"], "search in production")
    shown = json.loads(run("admin", "keys", "get", key["id"]).stdout)
    assert ("search in production", False) == (shown["name"], "secret" in shown)
    assert [shown] == listed(run, "keys", "list")
    assert [] == listed(run, "keys", "list", "--project", secrets.token_hex(12))
    assert f"{key['id']}\n" == run("admin", "keys", "delete", key["id"], "--yes").stdout
    run(*EMBED, VOYAGE_API_KEY=key["secret"], status=3)
    assert [] == listed(run, "keys", "list")


def test_a_table_has_what_a_person_looks_for(run: Run, project: str) -> None:
    """The table shows the key as Atlas masks it, never the secret."""
    key = create(run, "search")
    shown = run("admin", "keys", "list", "-o", "table").stdout
    heading, row = shown.splitlines()
    assert ["id", "name", "key", "geography", "status", "created", "last", "used"] == (
        heading.split()
    )
    assert [key["id"], "search", key["masked_secret"], "ANY", "ACTIVE"] == row.split()[:5]
    assert key["secret"] not in shown


@pytest.mark.parametrize("option", ["--env-file", "--secret-file"])
def test_a_secret_goes_into_a_file_alone(
    run: Run, project: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, option: str
) -> None:
    """The secret is in a file that only its user can read, and in no output or log."""
    done = run("admin", "keys", "create", "search", option, "kept", "-vv")
    text = (tmp_path / "kept").read_text()
    secret = text.splitlines()[0].removeprefix("VOYAGE_API_KEY=")
    assert 0o600 == (tmp_path / "kept").stat().st_mode & 0o777 or os.name == "nt"
    assert secret not in done.output + caplog.text
    assert "aiModelApiKeys 201" in caplog.text
    run(*EMBED, VOYAGE_API_KEY=secret)
    run("admin", "keys", "create", "shown", option, "other", "--show")
    assert "secret" in listed(run, "keys", "create", "both", option, "third", "--show")[0]


def test_an_env_file_keeps_its_other_lines(
    run: Run, project: str, tmp_path: Path, emulator: Emulator
) -> None:
    """The file belongs to a whole program; it gets a base URL unless the key implies one."""
    env = tmp_path / ".env"
    env.write_text("# of the search\nexport DEBUG='1'")
    run("admin", "keys", "create", "search", "--env-file", ".env")
    *before, key, host = env.read_text().splitlines()
    assert ["# of the search", "export DEBUG='1'"] == before
    assert key.startswith("VOYAGE_API_KEY=al-")
    assert f"VOYAGE_BASE_URL={emulator.url}" == host


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--env-file", "taken"], "taken has a VOYAGE_API_KEY already"),
        (["--secret-file", "taken"], "--secret-file names taken, which exists already"),
        (["--secret-file", "."], "--secret-file names ., which is a folder"),
        (["--secret-file", "-"], "--secret-file must name a file"),
        (["--secret-file", "nowhere/key"], "there is no folder nowhere"),
        (["--secret-file", "a", "--env-file", "b"], "name one of --env-file and --secret-file"),
        (["-O", "nowhere/key.json"], "there is no folder nowhere"),
        (["--geography", "a b"], "--geography: geography must be a string without spaces"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_key_is_not_created_without_a_place_for_its_secret(
    run: Run, project: str, tmp_path: Path, emulator: Emulator, words: list[str], message: str
) -> None:
    """A key whose secret is lost is useless, and dangerous."""
    (tmp_path / "taken").write_text("VOYAGE_API_KEY=older\n")
    assert message in run("admin", "keys", "create", "search", *words, status=2).stderr
    assert "VOYAGE_API_KEY=older\n" == (tmp_path / "taken").read_text()
    assert not [each for each in emulator.requests if each.operation == "createGroupModelKey"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_key_whose_secret_can_not_be_written_is_deleted_again(run: Run, project: str) -> None:
    """Otherwise a usable key would exist that nobody knows of."""
    done = run("admin", "keys", "create", "search", "-O", "/dev/full", "-o", "json", status=1)
    assert "The key was deleted again" in done.stderr
    assert [] == listed(run, "keys", "list")


def test_a_terminal_gets_a_secret_only_on_demand(
    environment: dict[str, str], emulator: Emulator, project: str, tmp_path: Path
) -> None:
    """The secret would stay in the terminal's scrollback."""
    for words, status in ((["search"], 2), (["search", "--show"], 0)):
        ours, theirs = pty.openpty()
        done = subprocess.run(
            [*COMMAND, "keys", "create", *words],
            env=environment,
            stdout=theirs,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        assert status == done.returncode, done.stderr
        if status:
            assert "say where to write it" in done.stderr
            assert not emulator.requests
        else:
            assert b"secret         al-" in os.read(ours, 4000)
        os.close(theirs)
        os.close(ours)


@pytest.mark.parametrize(("answer", "status"), [("n", 6), ("y", 0)])
def test_a_terminal_is_asked_before_a_key_is_deleted(
    run: Run, environment: dict[str, str], project: str, answer: str, status: int
) -> None:
    """Programs that use the key would fail from then on."""
    key = create(run, "search")
    said = answered(environment, answer, status, "admin", "keys", "delete", key["id"])
    assert f"Delete {key['id']}?" in said
    assert (status != 0) == ("nothing was deleted" in said) == bool(listed(run, "keys", "list"))


@pytest.mark.parametrize(("answer", "status"), [("n", 6), ("y", 0)])
def test_a_terminal_is_asked_before_limits_are_reset(
    run: Run, environment: dict[str, str], project: str, answer: str, status: int
) -> None:
    """The organization's limits may be much higher than the project's."""
    run("admin", "limits", "set", "voyage_4", "--rpm", 1, "--tpm", 1000)
    said = answered(environment, answer, status, "admin", "limits", "reset", "voyage_4")
    assert "Reset the rate limits of voyage_4?" in said
    kept = listed(run, "limits", "get", "voyage_4")[0]["rpm"] == 1
    assert (status != 0) == ("nothing was reset" in said) == kept


@pytest.mark.parametrize("words", [["keys", "delete", "a-key"], ["limits", "reset", "voyage_4"]])
def test_destructive_commands_need_yes_without_a_terminal(
    run: Run, project: str, emulator: Emulator, words: list[str]
) -> None:
    """A script that waits for an answer would hang forever."""
    assert "needs --yes" in run("admin", *words, status=2).stderr
    assert not emulator.requests


def test_limits_are_set_and_reset(run: Run, project: str) -> None:
    """The server enforces the limits that the command sets."""
    usual = listed(run, "limits", "list")
    name = "voyage_4"
    of_it = listed(run, "limits", "get", name)
    assert of_it[0] in usual
    lower = json.loads(run("admin", "limits", "set", name, "--rpm", 1, "--tpm", 1000).stdout)
    assert {**of_it[0], "rpm": 1, "tpm": 1000} == lower
    assert [lower] == listed(run, "limits", "get", name)
    secret = create(run, "search")["secret"]
    run(*EMBED, VOYAGE_API_KEY=secret)
    run(*EMBED, VOYAGE_API_KEY=secret, status=4)
    assert f"{name}\n" == run("admin", "limits", "reset", name, "--yes").stdout
    assert of_it == listed(run, "limits", "get", name)
    run("admin", "limits", "set", name, "--rpm", 1, "--tpm", 1000)
    assert "" == run("admin", "limits", "reset", "--all", "--yes").stdout
    assert usual == listed(run, "limits", "list")
    shown = run("admin", "limits", "list", "-o", "table", "-n", 1).stdout
    assert "group" == shown.split()[0]
    assert 2 == len(shown.splitlines())


@pytest.mark.parametrize("words", [[], ["voyage_4", "--all"], ["--all", "--geography", "EU"]])
def test_a_reset_must_name_what_it_resets(run: Run, project: str, words: list[str]) -> None:
    """A forgotten option must not reset everything."""
    run("admin", "limits", "reset", *words, "--yes", status=2)


def test_an_organization_is_all_its_projects(run: Run, project: str) -> None:
    """With `--organization` the commands cover all its projects, whatever the environment names."""
    key = create(run, "search")
    organization = ("--organization", secrets.token_hex(12))
    assert key["id"] in {each["id"] for each in listed(run, "keys", "list", *organization)}
    assert listed(run, "limits", "get", "voyage_4", *organization)
    both = run("admin", "keys", "list", *organization, "--project", project, status=2)
    assert "name one of --project and --organization" in both.stderr


def test_without_a_project_the_command_says_how_to_name_one(run: Run) -> None:
    """The error names the option and the environment variable of MongoDB's own tools."""
    for words in (["keys", "list"], ["keys", "create", "search", "--show"]):
        assert "--project" in run("admin", *words, status=2).stderr
    output = run("admin", "keys", "list", status=2).stderr
    assert "or set MONGODB_ATLAS_PROJECT_ID" in output
    assert "MONGODB_ATLAS_PROJECT_ID" in run("admin", "keys", "create", "--help").stdout


def test_credentials_are_read_from_a_file(run: Run, tmp_path: Path, project: str) -> None:
    """A secret given as an argument would be visible in the process list."""
    nobody = dict.fromkeys(ACCOUNT, "")
    with voyageai_emulator.running(admin_credentials={"an-account": "its-secret"}) as guarded:
        where = {"MONGODB_ATLAS_BASE_URL": guarded.origin, **nobody}
        lines = [f"export {name}='{value}'" for name, value in ACCOUNT.items()]
        (tmp_path / "account.env").write_text("\n".join(["# ours", *lines]))
        command = ("admin", "keys", "list", "--credentials-file")
        run(*command, "account.env", **where)
        (tmp_path / "account.env").write_text("\n".join(lines).replace("its-", "no-"))
        done = run(*command, "account.env", **where, status=3)
        assert "no-secret" not in done.output
        (tmp_path / "account.env").write_text(lines[0])
        done = run(*command, "account.env", **where, status=3)
        assert (
            "The credentials file 'account.env': MONGODB_ATLAS_CLIENT_ID is given, but "
            "MONGODB_ATLAS_CLIENT_SECRET is missing" in done.stderr
        )
        assert "can't be read" in run(*command, "nowhere", **where, status=3).stderr
        assert "needs a service account" in run("admin", "keys", "list", **where, status=3).stderr


def test_errors_are_json_where_it_is_asked_for(run: Run, project: str) -> None:
    """The JSON holds Atlas's reason and the HTTP status."""
    done = run("admin", "keys", "get", "none", "--json", status=1)
    error = json.loads(done.stderr)["error"]
    assert ("NotFoundError", 404) == (error["type"], error["http_status"])
    assert "RESOURCE_NOT_FOUND" in error["message"]
