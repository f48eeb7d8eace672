"""The search example's engine, over real HTTP against the emulator."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import voyageai
import voyageai_emulator
from cache import Vectors, kept_corpus
from corpus.docstring import Docstring
from evaluation import Sizes
from search import CANDIDATES, Search

CORPUS = [
    Docstring("gzip.compress", "(data)", "Compress a block of data with the gzip format."),
    Docstring("random.shuffle", "(x)", "Bring the items of a list into random order."),
    Docstring("time.sleep", "(secs)", "Delay execution for a number of seconds."),
    Docstring("str.upper", "()", "Return a copy of the string in capital letters."),
]


@pytest.fixture(scope="module")
def client() -> Iterator[voyageai.Client]:
    """A client of a running emulator."""
    with (
        voyageai_emulator.running() as url,
        voyageai.Client(api_key="emulator", base_url=url) as client,
    ):
        yield client


@pytest.fixture
def search(client: voyageai.Client) -> Search:
    """A search of the small corpus, already embedded."""
    search = Search(client, CORPUS, model="voyage-4", reranker="rerank-3")
    assert [len(CORPUS)] == list(search.index())
    return search


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("compress some data", "gzip.compress"),
        ("items of a list in random order", "random.shuffle"),
        ("sleep for some seconds", "time.sleep"),
        ("capital letters of a string", "str.upper"),
    ],
)
def test_the_right_text_comes_first(search: Search, question: str, name: str) -> None:
    """Vectors matched to the wrong texts would still have scores, but show wrong names."""
    assert name == search.ask(question)[0].found.name


def test_hits_are_ordered_by_the_rerankers_score(search: Search) -> None:
    """The output numbers its rows in this order."""
    relevances = [hit.relevance for hit in search.ask("compress some data")]
    assert sorted((score for score in relevances if score is not None), reverse=True) == relevances


def test_a_hit_keeps_its_similarity_through_reranking(search: Search) -> None:
    """Reranking returns indexes of candidates, which are easily mistaken for ranks."""
    ((nearest, reranked),) = search.ask_many(["capital letters of a string"])
    assert {hit.found.name: hit.similarity for hit in nearest} == {
        hit.found.name: hit.similarity for hit in reranked
    }


def test_only_the_nearest_are_reranked(client: voyageai.Client) -> None:
    """Each text that is reranked is billed."""
    many = [Docstring(f"toys.toy{number}", "", f"Toy number {number}.") for number in range(50)]
    search = Search(client, many, model="voyage-4", reranker="rerank-3")
    list(search.index())
    assert CANDIDATES == len(search.ask("toy number 7"))


def test_questions_asked_together_are_answered_as_if_alone(search: Search) -> None:
    """The evaluation sends in one request the questions that a user asks one by one."""
    questions = ["sleep for some seconds", "compress some data"]
    together = [reranked for _, reranked in search.ask_many(questions)]
    for question, answered in zip(questions, together, strict=True):
        alone = search.ask(question)
        assert [hit.found.name for hit in alone] == [hit.found.name for hit in answered]
        assert np.allclose(
            [hit.similarity for hit in alone], [hit.similarity for hit in answered], atol=1e-5
        )


def test_a_changed_document_is_embedded_alone(client: voyageai.Client, tmp_path: Path) -> None:
    """A new release of Python changes few docstrings of thousands."""

    def embedded(corpus: list[Docstring]) -> list[int]:
        kept = Vectors(tmp_path)
        search = Search(client, corpus, model="voyage-4", reranker="rerank-3", kept=kept)
        texts = list(search.index())
        assert "time.sleep" == search.ask("wait for some seconds")[0].found.name
        return texts

    changed = [*CORPUS[:2], replace(CORPUS[2], doc="Wait for some seconds."), *CORPUS[3:]]
    assert [4] == embedded(CORPUS)
    assert [1] == embedded(changed)
    assert [] == embedded(changed)


def test_what_is_kept_is_whole_or_made_again(client: voyageai.Client, tmp_path: Path) -> None:
    """A file truncated by a full disk must not spoil the following runs."""
    kept_corpus(tmp_path, lambda: CORPUS)
    search = Search(client, CORPUS, model="voyage-4", reranker="rerank-3", kept=Vectors(tmp_path))
    list(search.index())
    assert {".json", ".npz"} == {path.suffix for path in tmp_path.iterdir()}
    for path in tmp_path.iterdir():
        whole = path.read_bytes()
        for size in (0, 1, len(whole) // 2, len(whole) - 1):
            path.write_bytes(whole[:size])
            assert CORPUS == kept_corpus(tmp_path, lambda: CORPUS)
            vectors = Vectors(tmp_path)
            again = Search(client, CORPUS, model="voyage-4", reranker="rerank-3", kept=vectors)
            assert sum(again.index()) in {0, len(CORPUS)}
            assert np.allclose(search.vectors, Vectors(tmp_path).matrix(e.text for e in CORPUS))


def test_a_file_takes_its_place_when_it_is_whole(
    client: voyageai.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killing a run while it writes must leave the previous file intact."""

    def killed(*paths: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", killed)
    search = Search(client, CORPUS, model="voyage-4", reranker="rerank-3", kept=Vectors(tmp_path))
    with pytest.raises(KeyboardInterrupt):
        list(search.index())
    assert {".half"} == {path.suffix for path in tmp_path.iterdir()}
    assert CORPUS[0].text not in Vectors(tmp_path)


def test_the_estimate_leaves_out_what_is_kept(client: voyageai.Client, tmp_path: Path) -> None:
    """The confirmation shows what will be spent, without what was already paid."""
    kept = Vectors(tmp_path)
    search = Search(client, CORPUS, model="voyage-4", reranker="rerank-3", kept=kept)
    list(search.index())
    assert {"voyage-4": 0, "rerank-3": 1} == search.estimate(questions=1).requests


def test_sizes_of_vectors_are_compared_for_no_more_than_was_said(client: voyageai.Client) -> None:
    """Comparing sizes embeds the texts again, which the user has to confirm."""
    labelled = {
        "plain": {"compress some data": ["gzip.compress"], "capital letters": ["str.upper"]}
    }
    sizes = Sizes(CORPUS, labelled, "voyage-4")
    found = sizes.evaluate(client)
    assert [(1024, 4096), (1024, 1024), (1024, 128), (256, 1024), (256, 256), (256, 32)] == [
        (row.dimension, row.bytes) for row in found
    ]
    assert 1 == found.rows[0].scores.recall
    assert (sizes.estimate().cost or 0) >= 0.5 * (found.cost or 0) > 0


def test_every_request_is_counted(search: Search) -> None:
    """Readers estimate their own costs from the totals."""
    search.ask("compress some data")
    assert {"voyage-4": 2, "rerank-3": 1} == search.spent.requests
    assert all(tokens > 0 for tokens in search.spent.tokens.values())


def test_the_estimate_is_not_exceeded(search: Search) -> None:
    """The user agrees to the estimated cost before anything is sent."""
    search.ask("compress some data")
    assert (search.estimate(questions=1).cost() or 0) >= (search.spent.cost() or 0) > 0
