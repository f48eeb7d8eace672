"""The example as a person runs it, with a small corpus, over real HTTP against the emulator."""

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import evaluation
import pytest
import voyageai.emulator
from corpus.docstring import Docstring

EXAMPLE = Path(evaluation.__file__).parent
Run = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module")
def command() -> ModuleType:
    """Return the module that Python runs when it is given the folder."""
    spec = importlib.util.spec_from_file_location("search_stdlib", EXAMPLE / "__main__.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def run(
    command: ModuleType,
    corpus: list[Docstring],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """Return a function that runs the example and returns its status and its output."""
    some = [entry for entry in corpus if entry.name.startswith(("gzip", "zipfile", "random"))]
    monkeypatch.setattr(command, "harvest", lambda: some)
    for name in ("VOYAGE_API_KEY", "VOYAGE_API_KEY_PATH", "VOYAGE_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "100")

    def run(*words: str) -> tuple[int, str]:
        status = command.main(words)
        return status, capsys.readouterr().out

    return run


def test_without_a_key_it_runs_on_the_emulator_and_says_so(run: Run) -> None:
    """Nobody should take the emulator's results for the models'."""
    status, output = run("shuffle a list")
    assert 0 == status
    assert "not the models'" in " ".join(output.split())
    assert "random.shuffle" in output


def test_with_a_key_the_cost_is_told_before_anything_is_sent(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a key it is real money."""
    with voyageai.emulator.running() as url:
        monkeypatch.setenv("VOYAGE_API_KEY", "pa-key")
        monkeypatch.setenv("VOYAGE_BASE_URL", url)
        status, output = run("compress", "some", "data")
    assert 0 == status
    assert -1 < output.find("It will cost about $") < output.find("Embedding")


def test_words_without_quotes_are_one_question(command: ModuleType) -> None:
    """A person who forgets the quotes does not mean a question a word."""
    assert ["compress some data"] == command.arguments(["compress", "some", "data"]).questions
    assert ["shuffle a list", "zip"] == command.arguments(["shuffle a list", "zip"]).questions


def test_without_a_question_it_asks_its_own_and_measures(run: Run, tmp_path: Path) -> None:
    """The demo does this; the record lets one run be compared with another."""
    status, output = run("--record", str(tmp_path / "record.json"))
    record = json.loads((tmp_path / "record.json").read_text(encoding="utf-8"))
    assert 0 == status
    assert "recall@10" in output
    assert "emulator" == record["engine"]
    assert {*evaluation.labelled_questions(), "all"} == set(record["scores"])
    for scores in record["scores"]["all"].values():
        assert 0 < scores["recall_at_1"] <= scores["recall_at_10"] < 1
    assert {"voyage-4", "rerank-3"} == set(record["tokens"])


def test_a_model_that_is_not_known_ends_it_at_once(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    """A slip of the fingers deserves the nearest names, before anything is read or sent."""
    with pytest.raises(SystemExit):
        run("--model", "voyage-44", "compress some data")
    assert "did you mean voyage-4" in capsys.readouterr().err


def test_a_failed_call_ends_it_with_a_sentence(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A newcomer's first error is a wrong key; a traceback would hide the reason."""
    with voyageai.emulator.running(api_key="the-right-one") as url:
        monkeypatch.setenv("VOYAGE_API_KEY", "pa-wrong")
        monkeypatch.setenv("VOYAGE_BASE_URL", url)
        status, output = run("compress some data")
    assert 1 == status
    assert "AuthenticationError: " in output
