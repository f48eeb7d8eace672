"""Starting and stopping the emulator, and what every answer has."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import httpx2
import pytest
import voyageai_emulator
from voyageai_emulator import running
from voyageai_emulator.__main__ import main
from voyageai_emulator.engine import LexicalEngine

pytestmark = pytest.mark.smoke

BODY = {"input": "hello", "model": "voyage-4"}
KEY = {"authorization": "Bearer any"}


@contextmanager
def command(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run the emulator as a process; yield it with the first line of its output."""
    process = subprocess.Popen(
        [sys.executable, "-m", "voyageai_emulator", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline()
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
def test_the_command_prints_its_address_and_stops_on_request(number: signal.Signals) -> None:
    """Scripts read the last word of the first line, and can send requests from then on."""
    with command("--port", "0") as (process, line):
        url = line.split()[-1]
        assert "not the Voyage AI models" in line
        assert 200 == httpx2.post(f"{url}/embeddings", json=BODY, headers=KEY).status_code
        assert process.stdout is not None
        assert process.stdout.readline().startswith("page: ")
        process.send_signal(number)
        output, errors = process.communicate(timeout=20)
        assert (0, "", "") == (process.returncode, output, errors)


def test_the_help_says_that_it_is_not_the_models(capsys: pytest.CaptureFixture[str]) -> None:
    """Users must not take its vectors for those of the models."""
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    assert "IT IS NOT THE MODELS" in " ".join(capsys.readouterr().out.split())


def test_a_port_that_is_taken_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """The user gets a message and an exit status, not a traceback."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SystemExit, match="1"):
            main(["--port", str(port)])
        assert f"cannot listen at 127.0.0.1 port {port}:" in capsys.readouterr().err
        with pytest.raises(OSError, match="in use"), running(port=port):
            pass


def test_without_the_extra_the_command_to_install_it_is_given(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Importing the package works without the extra, and using it names the extra."""
    monkeypatch.setitem(sys.modules, "voyageai_emulator.server", None)
    with (
        pytest.raises(ImportError, match=r'extra `emulator`: pip install ".*jsonschema'),
        running(),
    ):
        pass
    with pytest.raises(SystemExit, match="1"):
        main([])
    assert 'extra `emulator`: pip install "' in capsys.readouterr().err


def test_importing_the_package_starts_and_loads_nothing() -> None:
    """Tests import the package everywhere, so only starting a server loads it."""
    program = (
        "import sys, voyageai_emulator\n"
        "print({'numpy', 'starlette', 'uvicorn', 'jsonschema_rs'} & set(sys.modules))"
    )
    output = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    ).stdout
    assert "set()" == output.strip()


def test_several_servers_run_at_once_and_agree(url: str) -> None:
    """Parallel tests have an emulator each, all with the same vectors."""
    with running() as other, running() as third:
        assert len({url, other, third}) == 3
        first, second = (
            httpx2.post(f"{base}/embeddings", json=BODY, headers=KEY).json()
            for base in (other, third)
        )
        assert first == second
    with pytest.raises(httpx2.ConnectError):
        httpx2.post(f"{other}/embeddings", json=BODY, headers=KEY)
    assert 200 == httpx2.post(f"{url}/embeddings", json=BODY, headers=KEY).status_code


def test_a_server_is_stopped_when_the_block_fails() -> None:
    """A failing test must not leave a server behind."""
    with pytest.raises(ZeroDivisionError), running() as url:
        _ = 1 / 0
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(url)


def test_it_listens_on_loopback_only_by_default(url: str) -> None:
    """The emulator has no real authentication."""
    assert "127.0.0.1" == httpx2.URL(url).host


def test_the_key_can_be_pinned() -> None:
    """Users can test how their code handles a refused key."""
    with running(api_key="right") as url:

        def post(key: str) -> httpx2.Response:
            headers = {"authorization": f"bearer {key}"}
            return httpx2.post(f"{url}/embeddings", json=BODY, headers=headers)

        assert 200 == post("right").status_code
        wrong = post("wrong")
        detail = {"detail": "Provided API key is invalid."}
        assert (401, detail) == (wrong.status_code, wrong.json())


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/embeddings"), ("GET", "/embeddings"), ("GET", "/nowhere"), ("GET", "/files")],
)
def test_every_answer_has_an_id_and_says_what_it_is(url: str, method: str, path: str) -> None:
    """Logs of client code show the id, and that the answer came from the emulator."""
    answers = [httpx2.request(method, url + path, headers=KEY) for _ in range(2)]
    ids = {answer.headers["x-request-id"] for answer in answers}
    assert 2 == len(ids)
    assert "not the Voyage AI models" in answers[0].headers["x-emulator"]
    assert "application/json" == answers[0].headers["content-type"]
    assert "retry-after" not in answers[0].headers


def test_what_goes_wrong_inside_is_a_500_in_the_apis_shape(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A bug of the emulator is logged, and answered like any other error."""

    class Broken(LexicalEngine):
        def embed(self, *_: object) -> NoReturn:
            raise ZeroDivisionError("a fault")

    with running() as url:
        url.engine = Broken()
        response = httpx2.post(f"{url}/embeddings", json=BODY, headers=KEY)
    assert (500, {"detail": "Internal Server Error"}) == (response.status_code, response.json())
    assert response.headers["x-request-id"]
    assert "a fault" in caplog.text


def test_the_package_says_what_it_is_not() -> None:
    """It is the first thing that `help()` shows."""
    assert "without the models." in (voyageai_emulator.__doc__ or "")
