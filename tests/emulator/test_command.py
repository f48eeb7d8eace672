"""The command line: its flags, its output, and which machines can reach the emulator."""

from __future__ import annotations

import logging
import shlex
import socket
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import httpx2
import pytest
from voyageai_emulator import running
from voyageai_emulator.__main__ import _announce, main
from voyageai_emulator.settings import Settings, SettingsDict

from tests.emulator.test_serving import command


class FakeServer:
    """A stand-in for the server that records its arguments."""

    def __init__(self) -> None:
        self.address: tuple[str, int] | None = None
        self.settings: Settings | None = None
        self.runs = 0

    def __call__(self, host: str, port: int, settings: Settings, on_ready: Any) -> FakeServer:
        self.address = host, port
        self.settings = settings
        return self

    def run(self) -> None:
        """Do nothing."""
        self.runs += 1


@pytest.fixture
def server() -> FakeServer:
    """A server that does not listen."""
    return FakeServer()


def help_text(capsys: pytest.CaptureFixture[str]) -> str:
    """Return the output of ``--help``."""
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    return capsys.readouterr().out


def test_every_setting_has_a_flag(server: FakeServer, tmp_path: Path) -> None:
    """A shell can set everything that Python tests can, except for the clock."""
    credentials = tmp_path / "credentials.json"
    credentials.write_text('{"client id": "secret"}', encoding="utf-8")
    given: dict[str, Any] = {
        "api_key": "key",
        "platform": "atlas",
        "tier": "free",
        "retry_after": True,
        "latency": "0.5",
        "concurrency": 3,
        "max_connections": 20,
        "allow_hosts": ["a.example", "b.example:8080"],
        "engine": "lexical",
        "state": "state.db",
        "faults": ["gone", "status:0.1; status=503"],
        "record": "requests.jsonl",
        "admin_token": "token",
        "admin_credentials": {"client id": "secret"},
        "deployment": "sagemaker:voyage-4",
        "old_images": True,
        "aws_credentials": {"client id": "secret"},
    }
    assert set(SettingsDict.__annotations__) - {"clock"} == set(given)
    main(
        shlex.split(
            "--host 127.0.0.2 --port 8000 --api-key key --platform atlas --tier free --retry-after "
            "--latency 0.5 --concurrency 3 --max-connections 20 --allow-host a.example "
            "--allow-host b.example:8080 --engine lexical --state state.db --fault gone --fault 'status:0.1; status=503' "
            "--record requests.jsonl --admin-token token "
            f"--admin-credentials-file '{credentials}' --deployment sagemaker:voyage-4 --old-images "
            f"--aws-credentials-file '{credentials}'"
        ),
        server_class=server,
    )
    assert server.settings is not None
    assert given == {name: getattr(server.settings, name) for name in given}
    assert (("127.0.0.2", 8000), 1) == (server.address, server.runs)


@pytest.mark.parametrize("content", ["[]", '{"client id": 5}', "no JSON"])
def test_malformed_credentials_are_refused(content, tmp_path: Path, capsys: Any) -> None:
    """Otherwise anybody could administer keys; the error does not show the file's content."""
    file = tmp_path / "credentials.json"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(SystemExit, match="2"):
        main(["--admin-credentials-file", str(file)])
    error = capsys.readouterr().err
    assert "does not hold a JSON object of strings" in error
    assert content not in error


def test_credentials_of_a_deployment_need_a_deployment(tmp_path: Path, capsys: Any) -> None:
    """Otherwise nobody would check signatures, and any request would be accepted."""
    file = tmp_path / "credentials.json"
    file.write_text('{"an id": "its secret"}', encoding="utf-8")
    with pytest.raises(SystemExit, match="2"):
        main(["--aws-credentials-file", str(file)])
    error = capsys.readouterr().err
    assert "aws_credentials is an option of deployments; set deployment too" in error
    assert "its secret" not in error


SECRETS = [("api_key", "--api-key"), ("admin_token", "--admin-token")]


@pytest.mark.parametrize(("name", "flag"), SECRETS)
def test_a_secret_can_be_kept_out_of_the_process_list(
    name: str, flag: str, server: FakeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every user of the machine can read the flags of every process."""
    file = tmp_path / "secret"
    file.write_bytes(b"of-the-file\r\nsecond line\n")
    monkeypatch.setenv(f"VOYAGEAI_EMULATOR_{name.upper()}", "of-the-environment")
    for given, expected in (
        ([], "of-the-environment"),
        ([f"{flag}-file", str(file)], "of-the-file"),
        ([flag, "of-the-flag"], "of-the-flag"),
    ):
        main(given, server_class=server)
        assert expected == getattr(server.settings, name)


@pytest.mark.parametrize(("name", "flag"), SECRETS)
def test_an_empty_secret_is_no_secret(
    name: str, flag: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """A file without content must not accept every request."""
    file = tmp_path / "secret"
    file.touch()
    with pytest.raises(SystemExit, match="2"):
        main([f"{flag}-file", str(file)])
    monkeypatch.setenv(f"VOYAGEAI_EMULATOR_{name.upper()}", "")
    with pytest.raises(SystemExit, match="2"):
        main([])
    assert 2 == capsys.readouterr().err.count(f"error: {name} must be")


@pytest.mark.parametrize(("name", "flag"), SECRETS)
def test_no_message_shows_a_secret(
    name: str, flag: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """Help texts and errors end up in logs."""
    secret = "clé-secrète"
    file = tmp_path / "secret"
    file.write_text(secret, "utf-8")
    monkeypatch.setenv(f"VOYAGEAI_EMULATOR_{name.upper()}", secret)
    for given in (["--help"], [], [f"{flag}-file", str(file)], [f"{flag}-file", "nowhere"]):
        with pytest.raises(SystemExit):
            main(given)
    with pytest.raises(SystemExit, match="2"):
        main([flag, "a", f"{flag}-file", str(file)])
    shown = "".join(capsys.readouterr())
    assert "cannot read nowhere: No such file or directory" in shown
    assert f"{flag}-file: not allowed with argument {flag}" in shown
    assert secret not in shown


def test_without_flags_it_is_as_by_default_in_python(server: FakeServer) -> None:
    """The emulator must not behave differently when started in another way."""
    main([], server_class=server)
    default = Settings()
    assert server.settings is not None
    for name in set(SettingsDict.__annotations__) - {"faults", "allow_hosts"}:
        assert getattr(default, name) == getattr(server.settings, name)
    assert ([], []) == (server.settings.faults, server.settings.allow_hosts)
    assert ("127.0.0.1", 0) == server.address


def test_the_examples_of_the_help_are_accepted(
    server: FakeServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """Users copy the examples of the help."""
    name = "voyageai-emulator "
    shown = help_text(capsys).partition("examples:")[2].splitlines()
    lines = [line.strip() for line in shown if line.strip().startswith(name)]
    assert 4 <= len(lines)
    for line in lines:
        main(shlex.split(line.removeprefix(name)), server_class=server)
    assert len(lines) == server.runs


def test_the_help_has_groups(capsys: pytest.CaptureFixture[str]) -> None:
    """A flag is hard to find in one long list."""
    shown = help_text(capsys)
    groups = ["address:", "behaviour:", "limits and latency:", "faults:"]
    assert [] == [group for group in groups if f"\n{group}\n" not in shown]
    assert 100 >= max(map(len, shown.splitlines()))


def test_the_command_is_installed() -> None:
    """The installed command has the name that its help shows."""
    (script,) = entry_points(group="console_scripts", name="voyageai-emulator")
    assert script.load() is main


def test_the_page_is_given_with_its_token() -> None:
    """Browsers do not send the fragment of a URL to any server."""
    with command("--admin-token", "of mine") as (process, line):
        assert process.stdout is not None
        origin = line.split()[-1].removesuffix("/v1")
        assert f"page: {origin}/#token=of%20mine\n" == process.stdout.readline()
        assert f"export VOYAGE_BASE_URL={origin}/v1\n" == process.stdout.readline()
        assert f"export HF_ENDPOINT={origin}\n" == process.stdout.readline()
        headers = {"x-emulator-token": "of mine"}
        assert 200 == httpx2.get(f"{origin}/_emulator/faults", headers=headers).status_code


def test_the_faults_are_listed(capsys: pytest.CaptureFixture[str], server: FakeServer) -> None:
    """Each fault is listed with its parameters and its effect."""
    main(["--faults"], server_class=server)
    assert "status; status=" in capsys.readouterr().out
    assert 0 == server.runs


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--fault", "resett_before"], "did you mean reset_before"),
        (["--fault", "status:two"], "a share of requests is from 0 to 1, not 'two'"),
        (["--port", "many"], "argument --port: invalid int value: 'many'"),
        (["--concurrency", "x"], "argument --concurrency: invalid int value"),
        (["--max-connections", "0"], "max_connections must be a whole number from 1, not 0"),
        (["--fau"], "unrecognized arguments: --fau"),
        (["--port", "65536"], "port must be from 0, for a free one, to 65535, not 65536"),
        (["--port", "-1"], "port must be from 0, for a free one, to 65535, not -1"),
        (["--admin-token", ""], "admin_token must be printable ASCII"),
        (["--admin-token", "clé"], "admin_token must be printable ASCII"),
        (["--admin-token", " token"], "admin_token must be printable ASCII"),
        (["--old-images"], "old_images is an option of deployments; set deployment too"),
        (["--deployment", "openrouter:rerank-2.5"], "openrouter serves all models; leave out"),
        (["--deployment", "openrouter:"], "openrouter serves all models; leave out ':'"),
    ],
)
def test_a_wrong_value_is_named(
    flags: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The user gets a usage error instead of a traceback."""
    with pytest.raises(SystemExit, match="2"):
        main(flags)
    assert message in capsys.readouterr().err


def test_a_file_that_cannot_be_written_is_named(
    tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """The error must not blame the port, which was free."""
    with pytest.raises(SystemExit, match="1"):
        main(["--record", str(tmp_path)])
    assert f"cannot use {tmp_path}: Is a directory" in capsys.readouterr().err


def test_without_an_output_nothing_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A caller that chose the port itself may close the output."""
    monkeypatch.setattr(sys, "stdout", None)
    with running() as emulator:
        _announce(emulator)


# Addresses


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.0.2.1", "emulator.example"])
def test_other_machines_reach_it_only_with_a_flag(
    host: str, server: FakeServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """The emulator accepts any key, so listening on other addresses needs a flag."""
    with pytest.raises(SystemExit, match="2"):
        main(["--host", host], server_class=server)
    assert "add --expose" in capsys.readouterr().err
    with pytest.raises(ValueError, match="add expose=True"), running(host=host):
        pass
    main(["--host", host, "--expose"], server_class=server)
    assert 1 == server.runs


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_a_loopback_address_needs_no_flag(
    host: str, server: FakeServer, caplog: pytest.LogCaptureFixture
) -> None:
    """No other machine can reach a loopback address."""
    main(["--host", host], server_class=server)
    assert (1, []) == (server.runs, caplog.records)


def test_listening_on_other_addresses_logs_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    """The person who starts the emulator may not have written the command."""
    with running(host="0.0.0.0", expose=True) as emulator:
        port = httpx2.URL(emulator.url).port
        with socket.create_connection(("127.0.0.1", port or 0), timeout=10):
            pass
    (record,) = [each for each in caplog.records if each.name == "voyageai_emulator"]
    assert logging.WARNING == record.levelno
    assert "everyone who can reach its port can use it" in record.message


def test_the_command_prints_the_warning() -> None:
    """The warning goes to standard error, as programs parse the first line of the output."""
    with command("--host", "0.0.0.0", "--expose") as (process, line):
        assert "http://" in line
        process.terminate()
        _, errors = process.communicate(timeout=20)
    assert "everyone who can reach its port can use it" in errors
