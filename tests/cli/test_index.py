"""`voyageai index` and `voyageai search`: what is sent, stored and found."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import voyageai
from voyageai.cli.folder_index.building import Plan, build
from voyageai.cli.folder_index.settings import settings_of
from voyageai.cli.folder_index.store import PART, WORK
from voyageai_emulator import Emulator

from .conftest import SECRET, Run
from .test_index_files import tree

OPERATION = "createEmbeddings"
HERE = Path("notes")
NOTES = {
    "keys.md": "# Keys\n\nThe keys are on the table.\n",
    "weather/rain.md": "# Weather\n\nIt rains in May, and snow comes early.\n",
    "weather/wind.txt": "The wind blows from the west.\n",
    "picture.bin": b"\x00\x01",
}


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """A folder with some texts."""
    return tree(tmp_path / "notes", NOTES)


class Commands:
    """Run command lines, and return their output and the texts that they send."""

    def __init__(self, run: Run, emulator: Emulator) -> None:
        self.run = run
        self._emulator = emulator

    def said(self, *words: object) -> Any:
        """Return the JSON that a command line prints."""
        return json.loads(self.run(*words, "--json").stdout)

    def found(self, *words: object) -> list[str]:
        """Return the files that a search finds, the nearest first."""
        return [hit["path"] for hit in self.said("search", *words)]

    def sent(self) -> list[str]:
        """Return all texts that were embedded as documents, sorted."""
        bodies = [request.body for request in self._emulator.requests.of(OPERATION)]
        return sorted(
            text for body in bodies if body["input_type"] == "document" for text in body["input"]
        )


@pytest.fixture
def cli(run: Run, emulator: Emulator) -> Commands:
    """A runner of command lines."""
    return Commands(run, emulator)


def test_a_folder_is_indexed_and_searched(
    cli: Commands, emulator: Emulator, notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The search works from inside the folder and from elsewhere."""
    result = cli.said("index", "-m", "voyage-4", notes)

    expected = {"files": 3, "chunks": 3, "embedded": 3, "failed": 0}
    assert expected == {name: result[name] for name in expected}
    assert sorted(str(text) for text in NOTES.values() if isinstance(text, str)) == cli.sent()
    first = cli.said("search", "where are the keys?", notes)[0]
    assert (str(HERE / "keys.md"), 1, 3) == (first["path"], first["line"], first["last_line"])
    assert NOTES["keys.md"] == first["text"]
    monkeypatch.chdir(notes / "weather")
    assert "rain.md" == cli.found("does it rain in May?")[0]
    assert "document" not in [
        request.body["input_type"] for request in emulator.requests.of(OPERATION)[1:]
    ]


def test_the_cost_is_printed_before_anything_is_sent(
    cli: Commands, emulator: Emulator, notes: Path
) -> None:
    """A dry run stops at that point, and leaves no files."""
    result = cli.run("index", "-m", "voyage-4", notes, "--dry-run")

    assert {"chunks": 3, "new": 3, "tokens": 26} == {
        name: json.loads(result.stdout)[name] for name in ("chunks", "new", "tokens")
    }
    assert "3 chunks of 3 files (left out: 1 not text); 3 are new: about 26 tokens" in result.stderr
    assert "(at most $" in result.stderr
    assert not emulator.requests
    assert not (notes / ".voyageai").exists()


def test_only_what_has_changed_is_sent_again(
    cli: Commands, emulator: Emulator, notes: Path
) -> None:
    """Renamed, copied and touched files cost nothing, and the index remembers its options."""
    cli.run("index", "-m", "voyage-4", notes, "-d", "512")
    emulator.requests.clear()
    (notes / "weather/rain.md").write_text("The sun shines.\n", "utf-8")
    (notes / "keys.md").rename(notes / "moved.md")
    (notes / "copy.txt").write_bytes((notes / "weather/wind.txt").read_bytes())
    os.utime(notes / "weather/wind.txt")

    assert 4 == cli.said("index", notes)["chunks"]
    assert ["The sun shines.\n"] == cli.sent()
    assert 512 == emulator.requests.of(OPERATION)[0].body["output_dimension"]


def test_what_is_gone_is_not_found_any_more(cli: Commands, emulator: Emulator, notes: Path) -> None:
    """Deleted files, and files that git ignores by now, disappear from the results."""
    cli.run("index", "-m", "voyage-4", notes)
    (notes / "keys.md").unlink()
    (notes / ".gitignore").write_text("wind.txt\n")
    emulator.requests.clear()

    assert {"chunks": 1, "embedded": 0} == {
        name: cli.said("index", notes)[name] for name in ("chunks", "embedded")
    }
    assert [str(HERE / "weather/rain.md")] == cli.found("keys and wind", notes)
    assert not cli.sent()


def test_files_that_did_not_change_are_not_read(
    cli: Commands, emulator: Emulator, notes: Path
) -> None:
    """Size and time show whether a file changed, unless it changed just before it was read."""
    ages = dict(zip(sorted(NOTES), (10, 10, 10, 0), strict=True))
    for name, seconds in ages.items():
        then = time.time() - seconds
        os.utime(notes / name, (then, then))
    cli.run("index", "-m", "voyage-4", notes)
    plans: list[Plan] = []
    settings = settings_of(notes / ".voyageai")
    assert settings is not None
    with voyageai.Client(SECRET, base_url=emulator) as client:
        build(client, notes / ".voyageai", settings, confirm=lambda plan: bool(plans.append(plan)))

    assert [(3, 2)] == [(plan.files, plan.unchanged) for plan in plans]


def test_an_index_that_is_up_to_date_is_left_as_it_is(
    cli: Commands, emulator: Emulator, notes: Path
) -> None:
    """Writing a million rows for nothing would waste time and disk."""
    for file in notes.rglob("*.*"):
        os.utime(file, (1, 1))  # times of files just written are not trusted
    cli.run("index", "-m", "voyage-4", notes)
    path = notes / ".voyageai" / PART
    before = path.stat().st_ino, path.read_bytes()
    cli.run("index", notes)

    assert before == (path.stat().st_ino, path.read_bytes())


@pytest.mark.parametrize(
    "options", [("-m", "voyage-4-lite"), ("-d", "256"), ("--dtype", "float")], ids=str
)
def test_other_vectors_are_refused_or_embedded_again(
    cli: Commands, emulator: Emulator, notes: Path, options: tuple[str, str]
) -> None:
    """Vectors of two models can't be compared, and no index is discarded unless asked for."""
    cli.run("index", "-m", "voyage-4", notes)
    emulator.requests.clear()

    assert "rebuild it (--rebuild)" in cli.run("index", notes, *options, status=2).stderr
    assert not emulator.requests
    assert 3 == cli.said("index", notes, *options, "--rebuild")["embedded"]
    assert 3 == len(cli.sent())
    assert str(HERE / "keys.md") == cli.found("where are the keys?", notes)[0]


def test_what_was_answered_is_kept_when_a_run_fails(
    cli: Commands, emulator: Emulator, notes: Path
) -> None:
    """The next run sends only the rest, even if files changed in between."""
    for number in range(1500):  # more than one request holds
        (notes / f"{number}.txt").write_text(f"This is note {number}.\n")
    emulator.faults.next("delay", operation=OPERATION, seconds=0)  # the first request succeeds
    emulator.faults.next("unauthorized", operation=OPERATION)
    cli.run("index", "-m", "voyage-4", notes, status=3)
    refused, answered = [
        [text for request in emulator.requests.of(OPERATION) for text in request.body["input"]
         if (request.status == 200) == good]
        for good in (False, True)
    ]  # fmt: skip
    assert refused
    assert answered
    assert not (notes / ".voyageai" / PART).exists()
    emulator.requests.clear()
    (notes / "7.txt").write_text("This is another note.\n")
    result = cli.said("index", "-m", "voyage-4", notes)

    expected = {*refused, "This is another note.\n"} - {"This is note 7.\n"}
    assert sorted(expected) == cli.sent()
    assert 1503 == result["chunks"] == len(refused) + len(answered)
    assert not (notes / ".voyageai" / WORK).exists()


def test_a_process_that_is_killed_loses_only_what_was_in_flight(
    cli: Commands, emulator: Emulator, environment: dict[str, str], tmp_path: Path
) -> None:
    """No answered text is sent twice, and none is missing."""
    for number in range(2600):
        (tmp_path / f"{number}.txt").write_text(f"This is note {number}.\n")
    emulator.faults.next("hang", operation=OPERATION)
    command = [sys.executable, "-m", "voyageai", "index", "-m", "voyage-4", str(tmp_path)]
    path = tmp_path / ".voyageai" / WORK / "job" / "_job" / "000000" / "log.jsonl"
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        while not path.exists() or path.read_bytes().count(b'"answered"') < 2:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL) if os.name != "nt" else process.kill()
    hung = emulator.requests.of(OPERATION)[0].body["input"]

    assert 2600 == cli.said("index", "-m", "voyage-4", tmp_path)["chunks"]
    twice = Counter(cli.sent()) - Counter(set(cli.sent()))
    assert sorted(hung) == sorted(twice.elements())
    assert 2600 == len(set(cli.sent()))


def test_texts_that_are_refused_are_named_and_sent_again(
    cli: Commands, emulator: Emulator, notes: Path
) -> None:
    """The other texts can be searched in the meantime."""
    emulator.faults.next("status", status=400, times=3, operation=OPERATION)
    result = cli.run("index", "-m", "voyage-4", notes, "--json", status=5)

    assert 1 == json.loads(result.stdout)["failed"]
    assert "1 texts were refused and are not in the index" in result.stderr
    assert 2 == len(cli.found("anything", notes))
    emulator.requests.clear()
    assert {"embedded": 1, "chunks": 3} == {
        name: value
        for name, value in cli.said("index", notes).items()
        if name in {"embedded", "chunks"}
    }


def test_a_run_that_costs_too_much_is_refused(
    cli: Commands, emulator: Emulator, notes: Path
) -> None:
    """The run is refused before anything is sent, and leaves no text behind."""
    result = cli.run("index", "-m", "voyage-4", notes, "--max-cost", "0.0000001", status=6)

    assert "--max-cost: max_cost is $0.0000001" in result.stderr
    assert not (notes / ".voyageai").exists()
    assert not emulator.requests


@pytest.mark.skipif(os.name == "nt", reason="there are no pseudo terminals")
@pytest.mark.parametrize(("answer", "status", "requests"), [("n", 6, 0), ("y", 0, 1)])
def test_a_terminal_is_asked_before_much_is_spent(
    emulator: Emulator,
    environment: dict[str, str],
    notes: Path,
    answer: str,
    status: int,
    requests: int,
) -> None:
    """A script can't answer a question, so only a terminal is asked."""
    import pty

    above = ("--confirm-above", "0.0000001")
    command = [sys.executable, "-m", "voyageai", "index", "-m", "voyage-4", str(notes), *above]
    terminal, other = pty.openpty()
    with subprocess.Popen(
        command, env=environment, stdin=other, stderr=other, stdout=subprocess.PIPE
    ) as process:
        os.close(other)
        os.write(terminal, f"{answer}\n".encode())
        shown = b""
        while b"Send these texts?" not in shown:
            shown += os.read(terminal, 1000)
        process.communicate()
    os.close(terminal)

    assert status == process.returncode, shown
    assert requests == len(emulator.requests.of(OPERATION))


def test_a_run_that_is_stopped_by_its_limit_resumes(
    cli: Commands, emulator: Emulator, notes: Path
) -> None:
    """The next run does not pay again for what was billed."""
    for number in range(1500):
        (notes / f"{number}.txt").write_text(f"This is note {number}.\n")
    plan = cli.said("index", "-m", "voyage-4", notes, "--dry-run")
    stopped = cli.run(
        "index", "-m", "voyage-4", notes, "--max-cost", plan["cost_usd"] * 1.2, status=6
    )
    assert "finished work is kept" in stopped.stderr
    done = {text for request in emulator.requests.of(OPERATION) for text in request.body["input"]}
    emulator.requests.clear()
    result = cli.said("index", "-m", "voyage-4", notes)

    assert 0 < len(done) < 1503
    assert 1503 == result["chunks"] == len(done) + result["embedded"]
    assert not done & set(cli.sent())


def test_an_index_that_another_process_writes_is_refused(
    cli: Commands, emulator: Emulator, notes: Path
) -> None:
    """Two processes would send every text twice."""
    cli.run("index", "-m", "voyage-4", notes)
    settings = settings_of(notes / ".voyageai")
    assert settings is not None

    def confirm(plan: Plan) -> bool:
        assert "in use by another process" in cli.run("index", notes, status=4).stderr
        return False

    with voyageai.Client(SECRET, base_url=emulator) as client:
        assert None is build(client, notes / ".voyageai", settings, confirm=confirm)


@pytest.mark.parametrize("dtype", ["float", "int8", "uint8", "binary", "ubinary"])
def test_scores_are_cosines_in_each_dtype(
    cli: Commands, emulator: Emulator, notes: Path, dtype: str
) -> None:
    """Users can read a score whatever the dtype of the stored vectors."""
    cli.run("index", "-m", "voyage-4", notes, "--dtype", dtype)
    hits = cli.said("search", "The wind blows from the west.", notes)
    with voyageai.Client(SECRET, base_url=emulator) as vo:
        documents = vo.embed_documents([hit["text"] for hit in hits], model="voyage-4").to_numpy()
        query = vo.embed_query("The wind blows from the west.", model="voyage-4").to_numpy()[0]

    if "binary" in dtype:  # of whose bits it is the cosine
        documents, query = np.sign(documents), np.sign(query) / len(query)
    assert str(HERE / "weather/wind.txt") == hits[0]["path"]
    scores = [hit["score"] for hit in hits]
    assert sorted(scores, reverse=True) == scores
    np.testing.assert_allclose(scores, documents @ query, atol=0.02)


def test_a_search_keeps_to_the_folder_that_is_named(
    cli: Commands, emulator: Emulator, notes: Path
) -> None:
    """The parent folder's index is used, but its nearer chunks elsewhere are left out."""
    cli.run("index", "-m", "voyage-4", notes)

    assert str(HERE / "keys.md") == cli.found("where are the keys?", notes)[0]
    inside = cli.found("where are the keys?", notes / "weather")
    assert {str(HERE / name) for name in NOTES if "weather" in name} == set(inside)
    file = HERE / "weather/wind.txt"
    assert [str(file)] == cli.found("where are the keys?", file)
    assert 1 == len(cli.found("where are the keys?", notes, "-k", 1))


def test_a_reranker_sorts_what_was_found(cli: Commands, emulator: Emulator, notes: Path) -> None:
    """The reranker gets more chunks than requested, with their texts."""
    cli.run("index", "-m", "voyage-4", notes)
    hits = cli.said("search", "rain in May", notes, "-k", 2, "--rerank-model", "rerank-2.5")
    body = emulator.requests.of("rerank")[0].body

    assert ("rerank-2.5", "rain in May", 3) == (
        body["model"],
        body["query"],
        len(body["documents"]),
    )
    assert 2 == len(hits)
    assert hits[0]["relevance_score"] >= hits[1]["relevance_score"]
    cli.said("search", "rain in May", notes, "--rerank")
    assert "rerank-3" == emulator.requests.of("rerank")[1].body["model"]


def test_a_query_of_another_embedding_space_is_warned_of(
    cli: Commands, emulator: Emulator, notes: Path
) -> None:
    """There is no warning for models of one series, which share a space."""
    cli.run("index", "-m", "voyage-4", notes)

    assert "warning" not in cli.run("search", "keys", notes, "-m", "voyage-4-lite").stderr
    warned = cli.run("search", "keys", notes, "-m", "voyage-code-3").stderr
    assert "voyage-code-3 is not known to share the embedding space of voyage-4" in warned


def test_a_search_builds_the_index_of_a_folder_that_has_none(
    cli: Commands, emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cost is shown first, and without a folder or model the error says what to do."""
    folder = tree(tmp_path / "notes", NOTES)
    monkeypatch.chdir(tmp_path)

    assert "name a folder to index" in cli.run("search", "keys", status=2).stderr
    assert "name a model for a new one" in cli.run("search", "keys", "notes", status=2).stderr
    result = cli.run("search", "where are the keys?", "notes", "-m", "voyage-4")
    assert "3 are new: about" in result.stderr
    assert str(Path("notes/keys.md")) == json.loads(result.stdout.splitlines()[0])["path"]
    assert settings_of(folder / ".voyageai") is not None


def test_a_text_that_has_changed_since_is_not_shown(
    cli: Commands, emulator: Emulator, notes: Path
) -> None:
    """The stored line number would point to another line."""
    cli.run("index", "-m", "voyage-4", notes)
    (notes / "keys.md").write_text("Something else.\n", "utf-8")
    result = cli.run("search", "where are the keys?", notes, "--out", "table")

    assert "1 of the nearest chunks have changed" in result.stderr
    assert "(changed)" in result.stdout
    assert f"{HERE / 'weather/wind.txt'}:1" in result.stdout
    ranked = cli.found("where are the keys?", notes, "--rerank")
    assert str(HERE / "keys.md") not in ranked


def test_several_paths_are_one_index_where_the_command_runs(
    cli: Commands, emulator: Emulator, notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Later the command needs no paths to update the index."""
    monkeypatch.chdir(notes)
    cli.run("index", "-m", "voyage-4", "weather", "keys.md", "--exclude", "*.txt")
    emulator.requests.clear()
    (notes / "keys.md").write_text("They are gone.\n", "utf-8")
    cli.run("index")

    assert ["They are gone.\n"] == cli.sent()
    assert {"keys.md", str(Path("weather/rain.md"))} == set(cli.found("keys"))


def test_an_index_is_a_table(cli: Commands, emulator: Emulator, notes: Path) -> None:
    """Python reads the index like any other table."""
    cli.run("index", "-m", "voyage-4", notes, "-d", "256")
    table = voyageai.tables.open(notes / ".voyageai")
    with voyageai.Client(SECRET, base_url=emulator) as vo:
        query = vo.embed_query(
            "where are the keys?", model="voyage-4", output_dtype="int8", output_dimension=256
        )

    assert (3, "voyage-4", "int8", 256) == (
        table.rows,
        table.about["model"],
        table.about["output_dtype"],
        table.about["dimension"],
    )
    assert ["keys.md"] == table.search(query, k=1).column("path").to_pylist()
    assert 3 == table.dataset().count_rows()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("-m", "voyage-context-3"), "does not embed single texts"),
        (("-m", "voyage-4", "--overlap", "400"), "--overlap: overlap must be less than"),
        (("-m", "voyage-4", "--chunk-tokens", "0"), "--chunk-tokens: chunk_tokens must be"),
        (("-m", "voyage-4", "-d", "100"), "is not a dimension of voyage-4"),
        (("-m", "voyage-4", "--glob", "*.none"), "there is no text to index in"),
        (("-m", "voyage-4", "--index", "."), "--index: "),
        (("-m", "voyage-4", "nowhere"), "there is no "),
    ],
    ids=lambda value: "-".join(value).strip("-") if isinstance(value, tuple) else "",
)
def test_errors_are_reported_before_anything_is_sent(
    cli: Commands,
    emulator: Emulator,
    notes: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: Any,
    message: str,
) -> None:
    """A failed command leaves no files."""
    monkeypatch.chdir(notes)

    assert message in cli.run("index", *words, status=2).stderr
    assert not emulator.requests
    assert not (notes / ".voyageai").exists()


@pytest.mark.parametrize("data", [b"garbage", b"ARROW1\0\0" + bytes(200)], ids=["text", "cut"])
def test_a_damaged_index_is_called_one(cli: Commands, notes: Path, data: bytes) -> None:
    """The error says that the index is damaged, and how to repair it."""
    cli.run("index", "-m", "voyage-4", notes)
    (notes / ".voyageai" / PART).write_bytes(data)

    for words in (("search", "keys", notes), ("index", notes)):
        assert "is damaged" in cli.run(*words, status=2).stderr
    (notes / ".voyageai" / PART).unlink()
    assert 3 == cli.said("index", "-m", "voyage-4", notes)["embedded"]


def test_a_table_is_no_index(cli: Commands, tmp_path: Path) -> None:
    """A table does not record the files that its rows come from."""
    cli.run("embed", "-m", "voyage-4", "--into", "table", input="a\n")
    assert (
        "is a table, not an index" in cli.run("search", "keys", "--index", "table", status=2).stderr
    )
    assert "does not exist" in cli.run("search", "where", "today", status=2).stderr


def test_an_unknown_model_creates_no_index(cli: Commands, notes: Path) -> None:
    """The server's error is shown, and no files are left."""
    done = cli.run("index", "-m", "voyage-99", notes, status=5)
    assert "voyage-99 is not supported" in done.stderr
    assert not (notes / ".voyageai").exists()


def test_an_index_is_private_and_not_versioned(
    cli: Commands, emulator: Emulator, notes: Path
) -> None:
    """The index contains users' texts and can be rebuilt, so it does not belong in git."""
    cli.run("index", "-m", "voyage-4", notes)
    folder = notes / ".voyageai"

    assert "*\n" == (folder / ".gitignore").read_text()
    if os.name != "nt":
        assert 0o700 == folder.stat().st_mode & 0o777
        assert 0o600 == (folder / PART).stat().st_mode & 0o777
