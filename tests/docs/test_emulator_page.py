"""Every command and program of docs/emulator.md, run as the page shows it."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import urllib.error
from collections.abc import Iterator
from pathlib import Path

import pytest
from voyageai_emulator import Emulator, running
from voyageai_emulator.__main__ import main
from voyageai_emulator.settings import Settings

pytest_plugins = ["pytester"]

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "emulator.md").read_text(encoding="utf-8")
CONTAINERFILE = (DOCS / "emulator/Containerfile").read_text(encoding="utf-8")
COMMAND = "voyageai-emulator"


def blocks(language: str) -> list[str]:
    """Return the code blocks of the page in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


TOKEN = "VOYAGEAI_EMULATOR_ADMIN_TOKEN"
EXPORTS = dict(re.findall(r"^export (\w+)=(\S+)$", "\n".join(blocks("sh")), re.MULTILINE))
"""The environment variables that the page tells its readers to set."""


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """A new emulator with the token that the page uses."""
    with running(admin_token=EXPORTS[TOKEN]) as emulator:
        yield emulator


def environment(emulator: Emulator) -> dict[str, str]:
    """The environment variables of a reader, with this emulator's URL."""
    return {**os.environ, **EXPORTS, "VOYAGE_BASE_URL": emulator.url}


def run(emulator: Emulator, *command: str, cwd: Path, timeout: float = 60) -> str:
    """Run a program that must succeed, and return its standard output."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env=environment(emulator),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert 0 == done.returncode, done.stdout + done.stderr
    return done.stdout


def test_the_curl_commands_work(emulator: Emulator, tmp_path: Path) -> None:
    """Users of other languages try the emulator with curl first."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed: the page's commands are NOT tested")
    script = "".join(block for block in blocks("sh") if "curl" in block)
    used = set(re.findall(r"\$\{?([A-Z_]+)", script))
    assert set(EXPORTS) == used  # only variables that the page sets
    output = run(emulator, "sh", "-eu", "-c", script.replace("curl ", "curl -sS "), cwd=tmp_path)
    operations = [request.operation for request in emulator.requests]
    assert [
        "createEmbeddings",
        "createContextualizedEmbeddings",
        "createMultimodalEmbeddings",
        "rerank",
        "uploadFile",
        "createBatch",
        "retrieveBatch",
        "retrieveFileContent",
    ] == operations
    assert {200} == {request.status for request in emulator.requests}
    assert (2, 1) == (output.count('"custom_id"'), output.count('"relevance_score"'))
    assert 2 == emulator.faults.as_json()[0]["times"]


def test_the_javascript_works(emulator: Emulator, tmp_path: Path) -> None:
    """Users of other languages need no package of this project."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed: the page's JavaScript is NOT tested")
    (block,) = blocks("js")
    (tmp_path / "example.mjs").write_text(block, encoding="utf-8")
    length, tokens = run(emulator, node, "example.mjs", cwd=tmp_path).split()
    assert (1024, emulator.requests.last.tokens) == (int(length), int(tokens))


def test_the_tests_pass(pytester: pytest.Pytester) -> None:
    """The page's tests pass with warnings as errors, as many projects run pytest."""
    found = [block for block in blocks("python") if "def test_" in block]
    pytester.makepyfile(*found)
    count = "".join(found).count("def test_")
    assert 3 <= count
    pytester.runpytest_subprocess("-W", "error").assert_outcomes(passed=count)


class FakeServer:
    """A stand-in for the server that records its arguments."""

    def __init__(self) -> None:
        self.addresses: list[tuple[str, int]] = []
        self.tokens: list[str | None] = []

    def __call__(self, host: str, port: int, settings: Settings, **_: object) -> FakeServer:
        self.addresses.append((host, port))
        self.tokens.append(settings.admin_token)
        return self

    def run(self) -> None:
        """Do nothing."""


@pytest.fixture
def server() -> FakeServer:
    """A server that does not listen."""
    return FakeServer()


def test_the_commands_are_accepted(server: FakeServer) -> None:
    """The commands that start an emulator, with or without a container, parse."""
    lines = [line for block in blocks("sh") + blocks("text") for line in block.splitlines()]
    started = [line.partition(f"{COMMAND} --")[2] for line in lines if f"{COMMAND} --" in line]
    for flags in started:
        main(shlex.split(f"--{flags}"), server_class=server)
    assert [8000, 0] == [port for _, port in server.addresses]


def test_the_token_of_the_page_is_the_emulators(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command reads the environment variable that the page sets."""
    monkeypatch.setenv(TOKEN, EXPORTS[TOKEN])
    main([], server_class=server)
    assert [EXPORTS[TOKEN]] == server.tokens


def test_the_flags_that_are_mentioned_are_there(capsys: pytest.CaptureFixture[str]) -> None:
    """A renamed flag must be renamed in the text, too."""
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    known = set(re.findall(r"--[a-z-]+", capsys.readouterr().out))
    mentioned = re.findall(r"`(?:voyageai-emulator\s)?(--[a-z-]+)[^`]*`", PAGE)
    assert 12 < len(mentioned)
    assert set() == set(mentioned) - known


def test_a_thousand_requests_of_ten_workers_are_answered(
    emulator: Emulator, tmp_path: Path
) -> None:
    """The example of high concurrency runs unchanged."""
    example = DOCS / "examples/many_workers.py"
    output = run(emulator, sys.executable, "-W", "error", str(example), cwd=tmp_path, timeout=120)
    assert 1000 == len(emulator.requests)
    assert {("createEmbeddings", 200)} == {
        (request.operation, request.status) for request in emulator.requests
    }
    tokens = sum(request.tokens or 0 for request in emulator.requests)
    assert f"total: 1000 requests, {tokens:,} tokens" in output
    assert 10 == output.count("worker ")


# The container


def instruction(name: str) -> list[list[str]]:
    """Return the arguments of each occurrence of a Dockerfile instruction."""
    joined = CONTAINERFILE.replace("\\\n", " ")
    found = re.findall(rf"^{name} (.*)$", joined, re.MULTILINE)
    return [
        json.loads(text[text.index("[") :]) if "[" in text and text.endswith("]") else text.split()
        for text in found
    ]


def test_the_container_runs_a_command_that_there_is(server: FakeServer) -> None:
    """The container's command accepts its flags and listens on the exposed port."""
    (words,) = instruction("ENTRYPOINT")
    (exposed,) = instruction("EXPOSE")
    assert COMMAND == words[0]
    main(words[1:], server_class=server)
    assert [("0.0.0.0", int(exposed[0]))] == server.addresses


def test_the_containers_check_tells_a_running_emulator(emulator: Emulator, tmp_path: Path) -> None:
    """The health check succeeds for a running emulator and fails without one."""
    (words,) = instruction("HEALTHCHECK")
    port = emulator.origin.rpartition(":")[2]
    assert "http://127.0.0.1:8000/" in words[-1]
    code = words[-1].replace("8000", port)
    run(emulator, sys.executable, *words[1:-1], code, cwd=tmp_path)
    with running() as stopped:
        gone = stopped.origin.rpartition(":")[2]
    with pytest.raises(urllib.error.URLError, match="refused"):
        exec(words[-1].replace("8000", gone), {})


def test_the_container_copies_what_there_is() -> None:
    """The image gets every file that a wheel is built from, and nothing else."""
    sources = [word for words in instruction("COPY") for word in words[:-1]]
    assert [] == [source for source in sources if not (DOCS.parent / source).exists()]
    assert {"pyproject.toml", "README.md", "LICENSE", "generated", "overlay"} == set(sources)


def test_the_container_gives_no_rights() -> None:
    """The base image is pinned, and the user is not root."""
    bases = [words[0] for words in instruction("FROM")]
    assert [] == [base for base in bases if not re.fullmatch(r"python:3\.\d+-slim", base)]
    assert [["emulator"]] == instruction("USER")
