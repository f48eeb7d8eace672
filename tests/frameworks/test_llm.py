"""The plugin for `llm` works with its own commands, over real HTTP."""

from __future__ import annotations

import io
import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from voyageai_emulator import Emulator

from .conftest import ANSWER, CORPUS, QUESTION

pytest.importorskip("llm")


def llm(tmp_path: Path, *words: str, input: bytes = b"") -> str:
    """Return the output of a command of `llm`."""
    done = subprocess.run(
        [sys.executable, "-m", "llm", *words],
        cwd=tmp_path,
        input=input,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert 0 == done.returncode, done.stderr.decode()
    return done.stdout.decode()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give `llm` an empty folder for its keys and collections."""
    monkeypatch.setenv("LLM_USER_PATH", str(tmp_path / "llm"))


def test_llm_lists_the_models(tmp_path: Path) -> None:
    """Users find all embedding models by the API's name or with the prefix `voyageai/`."""
    listed = llm(tmp_path, "embed-models")

    assert "VoyageModel: voyageai/voyage-4 (aliases: voyage-4)" in listed
    assert "voyageai/voyage-multimodal-3.5" in listed
    assert "rerank" not in listed
    assert "voyage-context" not in listed


def test_llm_embeds_a_folder_and_finds_what_is_similar(tmp_path: Path, emulator: Emulator) -> None:
    """`llm` can't tell queries from documents, so both are embedded without an input type."""
    for number, text in enumerate(CORPUS):
        (tmp_path / f"{number}.md").write_text(text, "utf-8")
    files = ("--files", ".", "*.md", "--store")
    llm(tmp_path, "embed-multi", "notes", "-m", "voyageai/voyage-4", *files)
    found = llm(tmp_path, "similar", "notes", "-c", QUESTION, "-n", "1")

    assert f"{ANSWER}.md" == json.loads(found)["id"]
    assert CORPUS[ANSWER] == json.loads(found)["content"]
    bodies = [request.body for request in emulator.requests.of("createEmbeddings")]
    assert {None} == {body.get("input_type") for body in bodies}
    assert [len(CORPUS), 1] == [len(body["input"]) for body in bodies]


def test_llm_embeds_pictures(tmp_path: Path, emulator: Emulator) -> None:
    """Multimodal models embed pictures and texts from the command line."""
    image = pytest.importorskip("PIL.Image")
    data = io.BytesIO()
    image.new("RGB", (64, 64), "red").save(data, "PNG")
    (tmp_path / "red.png").write_bytes(data.getvalue())
    model = ("-m", "voyage-multimodal-3.5")
    vector = json.loads(llm(tmp_path, "embed", *model, "--binary", "-i", "red.png"))
    text = json.loads(llm(tmp_path, "embed", *model, "-c", "a red square"))

    assert {1024} == {len(vector), len(text)}
    kinds = [
        request.body["inputs"][0]["content"][0]["type"]
        for request in emulator.requests.of("createMultimodalEmbeddings")
    ]
    assert ["image_base64", "text"] == kinds


def test_llm_sends_long_texts_in_several_requests(tmp_path: Path, emulator: Emulator) -> None:
    """A batch of `llm` can exceed the tokens of one request."""
    with sqlite3.connect(tmp_path / "texts.db") as base:
        base.execute("create table texts (id integer, text text)")
        base.executemany(
            "insert into texts values (?, ?)", [(n, "tree " * 15000) for n in range(9)]
        )
    base.close()
    query = ("--attach", "texts", "texts.db", "--sql", "select id, text from texts.texts")
    llm(tmp_path, "embed-multi", "trees", "-m", "voyage-4-large", *query)
    requests = emulator.requests.of("createEmbeddings")

    assert {200} == {request.status for request in requests}
    assert 9 == sum(len(request.body["input"]) for request in requests)
    assert len(requests) > 1


def test_llm_takes_the_key_that_it_keeps(
    tmp_path: Path, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key set by `llm keys set voyage` is used and never printed."""
    monkeypatch.delenv("VOYAGE_API_KEY")
    llm(tmp_path, "keys", "set", "voyage", "--value", "pa-kept-by-llm")
    printed = llm(tmp_path, "embed", "-m", "voyage-4", "-c", "some text")

    assert "pa-kept" not in printed
    assert 200 == emulator.requests.of("createEmbeddings")[-1].status
