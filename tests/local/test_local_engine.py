"""The emulator with a model behind it: the same routes, and vectors with meaning."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
import voyageai
from voyageai_emulator import running
from voyageai_emulator.engine import LexicalEngine, Passage, Space, create_engine
from voyageai_rest.catalogue import PROMPTS

from tests.local.tiny_model import LENGTH, WIDTH

DOCUMENTS = [
    "the dwelling is the home of a physician",
    "who can acquire a rapid vehicle",
    "this movie is joyful",
]
QUERIES = {"where can i buy a fast car": 1, "film for the glad": 2, "house of the doctor": 0}
SPACE = Space("voyage-4", "voyage-4")


@pytest.fixture(scope="module")
def url(model: Path) -> Iterator[str]:
    """Run an emulator with the tiny model behind it; return its base URL."""
    with running(engine=f"sentence-transformers:{model}") as url:
        yield url


@pytest.fixture(scope="module")
def vo(url: str) -> Iterator[voyageai.Client]:
    """Return a client of the emulator."""
    with voyageai.Client(api_key="any", base_url=url) as client:
        yield client


@pytest.fixture(scope="module")
def engine(model: Path) -> Any:
    """Return the engine of the tiny model."""
    return create_engine(f"sentence-transformers:{model}")


def embed(engine: Any, *passages: Passage, dimension: int = WIDTH) -> np.ndarray:
    """Embed passages; return their vectors."""
    return engine.embed(list(passages), SPACE, dimension)


def test_search_finds_what_shares_the_meaning_and_no_word(vo: voyageai.Client) -> None:
    """The lexical engine would find nothing, as query and document share no word."""
    documents = vo.embed(DOCUMENTS, model="voyage-4-large", input_type="document").embeddings
    queries = vo.embed(list(QUERIES), model="voyage-4-lite", input_type="query").embeddings
    found = (np.array(queries) @ np.array(documents).T).argmax(axis=1)
    assert list(QUERIES.values()) == found.tolist()


@pytest.mark.parametrize(("query", "expected"), QUERIES.items())
def test_reranking_puts_the_relevant_document_first(
    vo: voyageai.Client, query: str, expected: int
) -> None:
    """Scores are between 0 and 1 as the API's are, and do not depend on other documents."""
    ranked = vo.rerank(query, DOCUMENTS, model="rerank-2.5").results
    alone = vo.rerank(query, [DOCUMENTS[expected]], model="rerank-2.5").results[0]
    assert expected == ranked[0].index
    assert 1 >= ranked[0].relevance_score > ranked[1].relevance_score >= 0
    assert ranked[0].relevance_score == pytest.approx(alone.relevance_score, abs=1e-6)


@pytest.mark.parametrize("dimension", [256, 512, 2048])
def test_vectors_have_the_length_that_is_asked_for(vo: voyageai.Client, dimension: int) -> None:
    """Any requested dimension works, whatever the model's own is, and has length 1."""
    vectors = np.array(vo.embed(DOCUMENTS, model="voyage-4", output_dimension=dimension).embeddings)
    assert (len(DOCUMENTS), dimension) == vectors.shape
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(len(DOCUMENTS)), abs=1e-6)


def test_a_shorter_vector_is_the_longer_ones_beginning(engine: Any) -> None:
    """Vectors can be shortened afterwards, as those of the API's models can."""
    passages = [Passage(text) for text in DOCUMENTS]
    cut = embed(engine, *passages)[:, :256]
    cut /= np.linalg.norm(cut, axis=1, keepdims=True)
    assert cut == pytest.approx(embed(engine, *passages, dimension=256), abs=1e-6)


def test_a_longer_vector_is_filled_up_with_zeros(engine: Any) -> None:
    """Zeros change no cosine, so a small model serves every dimension."""
    passages = [Passage(text) for text in DOCUMENTS]
    longer = embed(engine, *passages, dimension=1024)
    assert embed(engine, *passages).tobytes() == longer[:, :WIDTH].tobytes()
    assert not longer[:, WIDTH:].any()


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        ("float", (np.float32, 256)),
        ("int8", (np.int8, 256)),
        ("uint8", (np.uint8, 256)),
        ("binary", (np.int8, 32)),
        ("ubinary", (np.uint8, 32)),
    ],
)
def test_base64_and_numbers_give_equal_vectors(
    url: str, dtype: str, expected: tuple[Any, int]
) -> None:
    """All dtypes and both encodings come from the same vectors."""
    body = {
        "input": DOCUMENTS,
        "model": "voyage-4",
        "output_dimension": 256,
        "output_dtype": dtype,
    }
    answers = [
        httpx2.post(
            f"{url}/embeddings",
            json={**body, **encoding},
            headers={"authorization": "Bearer any"},
        ).json()
        for encoding in ({}, {"encoding_format": "base64"})
    ]
    numbers, packed = ([item["embedding"] for item in answer["data"]] for answer in answers)
    number, length = expected
    decoded = [np.frombuffer(base64.b64decode(item), number) for item in packed]
    assert [length] * len(DOCUMENTS) == [len(item) for item in decoded]
    assert np.array(numbers, number) == pytest.approx(np.array(decoded), abs=1e-6)


def test_tokens_are_counted_as_without_a_model(vo: voyageai.Client) -> None:
    """The usage, and so the cost, of a request does not depend on the engine."""
    with running() as lexical, voyageai.Client(api_key="any", base_url=lexical) as other:
        for text in (DOCUMENTS[0], "word " * 300):
            expected = other.embed([text], model="voyage-4").total_tokens
            assert expected == vo.embed([text], model="voyage-4").total_tokens
        expected = other.rerank("car", DOCUMENTS, model="rerank-2.5").total_tokens
        assert expected == vo.rerank("car", DOCUMENTS, model="rerank-2.5").total_tokens


def test_chunks_lean_towards_their_document(vo: voyageai.Client) -> None:
    """A short chunk is found by the subject of its document."""
    chunks = ["this is a car", "where can this be"]
    others = ["this is a doctor", "where can this be"]
    results = vo.contextualized_embed([chunks, others], model="voyage-context-3").results
    query = (
        vo.contextualized_embed([["vehicle"]], model="voyage-context-3", input_type="query")
        .results[0]
        .embeddings[0]
    )
    mine, theirs = (np.array(result.embeddings[1]) @ np.array(query) for result in results)
    assert mine > theirs + 0.05


def test_media_are_known_by_name(engine: Any) -> None:
    """Requests with pictures work, and equal pictures have equal vectors."""
    plain, pictured, other, alone, again = embed(
        engine,
        Passage("a car"),
        Passage("a car", "", ("u",)),
        Passage("a car", "", ("v",)),
        Passage("", "document", ("u",)),
        Passage("", "", ("u",)),
    )
    assert 0.5 < plain @ pictured < 0.9
    assert pictured @ other < 0.7
    assert 0.5 < pictured @ alone < 0.9
    assert 1 == pytest.approx(float(alone @ again), abs=1e-6)


def test_any_text_has_a_vector(engine: Any) -> None:
    """JSON can hold lone surrogates, and texts can be longer than the model reads."""
    texts = ["\ud800", "", "   ", "🚀", "\0", "car " * (10 * LENGTH)]
    vectors = embed(engine, *map(Passage, texts))
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(len(texts)), abs=1e-6)


def test_no_passages_have_no_vectors(engine: Any) -> None:
    """Callers need no special case for an empty list."""
    assert (0, 256) == embed(engine, dimension=256).shape
    assert [] == engine.embed_chunks([], SPACE, 256)


def test_threads_share_the_model(engine: Any) -> None:
    """The server embeds requests concurrently, and tokenizers are not thread-safe."""
    passages = [Passage(f"car number {number} of the doctor") for number in range(40)]
    expected = embed(engine, *passages)
    found: list[np.ndarray] = []
    threads = [
        threading.Thread(target=lambda: found.append(embed(engine, *passages))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [pytest.approx(expected, abs=1e-5)] * 8 == found


def test_a_model_without_prompts_gets_those_of_the_catalogue(engine: Any) -> None:
    """The prompt is part of the embedded text, as it is in the API."""
    prompts = PROMPTS["retrieval"]
    given = embed(engine, Passage("car", "query"), Passage("car", "document"), Passage("car"))
    expected = embed(
        engine, Passage(f"{prompts.query}car"), Passage(f"{prompts.document}car"), Passage("car")
    )
    assert expected == pytest.approx(given, abs=1e-5)
    assert given[0] @ given[2] < 0.999


def test_a_models_own_prompts_are_used(make_model: Callable[..., Path], engine: Any) -> None:
    """The model was trained with its own prompts."""
    prompted = create_engine(
        f"sentence-transformers:{make_model(query='film ', document='house ')}"
    )
    given = embed(prompted, Passage("car", "query"), Passage("car", "document"), Passage("car"))
    expected = embed(engine, Passage("film car"), Passage("house car"), Passage("car"))
    assert expected == pytest.approx(given, abs=1e-5)


def test_the_lexical_engine_is_the_one_by_default() -> None:
    """Starting the emulator needs no model unless one is asked for."""
    assert isinstance(create_engine("lexical"), LexicalEngine)


@pytest.mark.parametrize(
    "name", ["", "lexicon", "sentence-transformers", "sentence-transformers:", "openai:x"]
)
def test_an_invalid_engine_is_refused_with_the_allowed_forms(name: str) -> None:
    """A typo in the setting is reported with the right spelling before the server starts."""
    with pytest.raises(ValueError, match=r"'lexical' or 'sentence-transformers:NAME'"):
        create_engine(name)


def test_a_missing_package_is_named_with_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error gives the command that installs it."""
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(ImportError, match='extra `local`: pip install "sentence'):
        create_engine("sentence-transformers:anything")


def test_a_model_that_is_not_there_is_named(model: Path) -> None:
    """The error comes before a socket is opened."""
    missing = model.parent / "missing"
    with (
        pytest.raises(ValueError, match=r"missing' cannot be loaded"),
        running(engine=f"sentence-transformers:{missing}"),
    ):
        pass


def test_code_that_comes_with_a_model_is_not_run(model: Path, tmp_path: Path) -> None:
    """Choosing a model is no consent to run its program."""
    for path in model.iterdir():
        (tmp_path / path.name).symlink_to(path)
    parts = tmp_path / "modules.json"
    listed = json.loads(parts.read_text())
    parts.unlink()
    listed[0]["type"] = "modeling.Custom"
    parts.write_text(json.dumps(listed))
    ran = tmp_path / "ran"
    (tmp_path / "modeling.py").write_text(f"open({str(ran)!r}, 'w').close()\n")
    with pytest.raises(ValueError, match="needs code that is not run"):
        create_engine(f"sentence-transformers:{tmp_path}")
    assert not ran.exists()


def test_libraries_are_loaded_only_when_they_are_asked_for() -> None:
    """Importing a model's libraries takes seconds."""
    program = (
        "import sys\n"
        "from voyageai_emulator.engine import create_engine\n"
        "create_engine('lexical')\n"
        "print({'torch', 'sentence_transformers'} & set(sys.modules))"
    )
    output = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    ).stdout
    assert "set()" == output.strip()
