"""The example run as a command, with a small corpus, over real HTTP against the emulator."""

import importlib.util
import json
import re
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import ModuleType
from typing import Any

import corpus as corpus_module
import evaluation
import httpx2
import pytest
import voyageai_emulator
from cache import kept_corpus
from corpus.docstring import Docstring
from voyageai_rest.operations import SERVERS

EXAMPLE = Path(evaluation.__file__).parent
Run = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module")
def command() -> ModuleType:
    """Return the module that Python runs for the example's folder."""
    spec = importlib.util.spec_from_file_location("search_stdlib", EXAMPLE / "__main__.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def library(corpus: list[Docstring]) -> list[Docstring]:
    """Return the docstrings in which the example searches."""
    return [entry for entry in corpus if entry.name.startswith(("gzip", "zipfile", "random"))]


@pytest.fixture
def run(
    command: ModuleType,
    library: list[Docstring],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """Return a function that runs the example and returns its status and its output.

    It finds the docstrings in the cache of an earlier run, so it does not read the library.
    """
    kept_corpus(tmp_path / "cache", lambda: library)
    for name in ("VOYAGE_API_KEY", "VOYAGE_API_KEY_PATH", "VOYAGE_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "100")

    def run(*words: str) -> tuple[int, str]:
        status = command.main([*words, "--cache", str(tmp_path / "cache")])
        return status, " ".join(capsys.readouterr().out.split())

    return run


@pytest.fixture
def hosted(monkeypatch: pytest.MonkeyPatch) -> Iterator[voyageai_emulator.Emulator]:
    """Run an emulator; set the environment's key and base URL to it."""
    with voyageai_emulator.running() as emulator:
        monkeypatch.setenv("VOYAGE_API_KEY", "pa-key")
        monkeypatch.setenv("VOYAGE_BASE_URL", emulator)
        yield emulator


@pytest.fixture
def unknown(
    hosted: voyageai_emulator.Emulator, monkeypatch: pytest.MonkeyPatch
) -> Iterator[voyageai_emulator.Emulator]:
    """Run an emulator behind a host that does not identify itself."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {"authorization": self.headers["authorization"]}
            headers["content-type"] = self.headers["content-type"]
            response = httpx2.post(f"{hosted.origin}{self.path}", content=body, headers=headers)
            self.send_response(response.status_code)
            self.send_header("content-length", str(len(response.content)))
            self.end_headers()
            self.wfile.write(response.content)

        def do_HEAD(self) -> None:
            self.send_response(404)
            self.end_headers()

        def log_message(self, *arguments: Any) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            monkeypatch.setenv("VOYAGE_BASE_URL", f"http://127.0.0.1:{server.server_port}/v1")
            yield hosted
        finally:
            server.shutdown()
            thread.join()


def sent(emulator: voyageai_emulator.Emulator) -> list[list[str]]:
    """Return the texts of each request to an emulator since the last call."""
    emulator.requests.settle()
    bodies = [request.body for request in emulator.requests]
    emulator.requests.clear()
    texts = [body.get("input", body.get("query")) for body in bodies]
    return [each if isinstance(each, list) else [each] for each in texts]


def test_without_a_key_it_runs_on_the_emulator_and_says_so(run: Run) -> None:
    """A reader must not mistake the emulator's results for those of the models."""
    status, output = run("shuffle a list")
    assert 0 == status
    assert "No API key found" in output
    assert "not the models'" in output
    assert "random.shuffle" in output


def test_an_emulator_at_the_base_url_is_called_one(
    run: Run, hosted: voyageai_emulator.Emulator
) -> None:
    """An API key in the environment does not make the emulator the API."""
    status, output = run("shuffle a list")
    assert 0 == status
    assert output.startswith("This runs on an emulator, at 127.0.0.1.")
    assert "API" not in output
    assert "It will cost" not in output


def test_a_host_that_does_not_say_what_it_is_may_charge(
    run: Run, unknown: voyageai_emulator.Emulator
) -> None:
    """An unknown host may forward requests to the API, so the example states the cost first."""
    status, output = run("compress", "some", "data")
    assert 0 == status
    assert "neither a known host of the API nor an emulator" in output
    assert -1 < output.find("It will cost about $") < output.find("Embedding")


@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.name)
def test_hosts_of_the_contract_are_the_api(command: ModuleType, server: Any) -> None:
    """A documented host is recognised by its name, so no request is sent to find out."""
    assert command.API == command.kind_of(server.url)


def test_a_host_that_can_not_be_reached_is_unknown(command: ModuleType) -> None:
    """The client's own connection error then says what is wrong with the host."""
    assert command.UNKNOWN == command.kind_of("http://127.0.0.1:1/v1")


def test_the_second_run_embeds_the_question_alone(
    run: Run, hosted: voyageai_emulator.Emulator, library: list[Docstring]
) -> None:
    """Embedding the documents again would cost money and time."""
    run("shuffle a list")
    first = sent(hosted)
    assert {entry.text for entry in library} <= {text for texts in first for text in texts}
    status, output = run("compress some data")
    assert 0 == status
    assert [["compress some data"]] * 2 == sent(hosted)  # embeds, then reranks
    assert f"{len(library)} of {len(library)} vectors" in output
    assert "Reading the library" not in output
    assert "Embedding" not in output


def test_another_host_has_vectors_of_its_own(
    run: Run, unknown: voyageai_emulator.Emulator, library: list[Docstring]
) -> None:
    """The emulator's vectors would spoil the results of the API."""
    run("shuffle a list", "--model", "voyage-4-lite")
    sent(unknown)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VOYAGE_BASE_URL", unknown)
        run("shuffle a list", "--model", "voyage-4-lite")
        assert len(library) == len(sent(unknown)[0])
        run("shuffle a list", "--model", "voyage-4")
        assert len(library) == len(sent(unknown)[0])


def test_three_results_are_shown_with_the_line_that_matched(
    run: Run, library: list[Docstring]
) -> None:
    """A reader opens the source at the line that matched."""
    _, output = run("list, in place, and return None")
    (found,) = [entry for entry in library if entry.name == "random.shuffle"]
    file, _, number = corpus_module.place(found, "Shuffle list x in place").rpartition(":")
    source = corpus_module.LIBRARY.joinpath(file).read_text(encoding="utf-8").splitlines()
    assert "Shuffle list x in place" in source[int(number) - 1]
    assert f"random.shuffle {file}:{number} Shuffle list x in place, and return None." in output
    assert ["1", "2", "3"] == re.findall(r"(\d) -?0\.\d+ 0\.\d+ [a-z]", output)


def test_words_without_quotes_are_one_question(command: ModuleType) -> None:
    """A person who forgets the quotes means one question, not one per word."""
    assert ["compress some data"] == command.arguments(["compress", "some", "data"]).questions
    assert ["shuffle a list", "zip"] == command.arguments(["shuffle a list", "zip"]).questions


def test_without_a_question_it_asks_its_own_and_measures(run: Run, tmp_path: Path) -> None:
    """The demo runs it this way, and the recorded scores can be compared between runs."""
    status, output = run("--record", str(tmp_path / "record.json"))
    record = json.loads((tmp_path / "record.json").read_text(encoding="utf-8"))
    assert 0 == status
    assert "recall@10" in output
    assert "emulator" == record["engine"]
    assert {*evaluation.labelled_questions(), "all"} == set(record["scores"])
    for scores in record["scores"]["all"].values():
        assert 0 < scores["mrr"] < 1 > scores["recall"] > 0
    assert {"voyage-4", "rerank-3"} == set(record["tokens"])


def test_a_model_that_is_not_known_ends_it_at_once(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    """A mistyped model gets suggestions before anything is read or sent."""
    with pytest.raises(SystemExit):
        run("--model", "voyage-44", "compress some data")
    assert "did you mean voyage-4" in capsys.readouterr().err


def test_a_failed_call_ends_it_with_a_sentence(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A newcomer's first error is a wrong key, whose reason a traceback would hide."""
    with voyageai_emulator.running(api_key="the-right-one") as url:
        monkeypatch.setenv("VOYAGE_API_KEY", "pa-wrong")
        monkeypatch.setenv("VOYAGE_BASE_URL", url)
        status, output = run("compress some data")
    assert 1 == status
    assert "AuthenticationError: " in output


def test_a_folder_that_can_not_be_written_ends_it_with_a_sentence(run: Run, tmp_path: Path) -> None:
    """The folder of a clone may belong to another user."""
    tmp_path.joinpath("cache", "vectors").write_text("a file", encoding="utf-8")
    status, output = run("compress some data")
    assert 1 == status
    assert "Error: " in output
    assert "cache" in output
