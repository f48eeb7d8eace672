"""The search of the example, over real HTTP against the emulator."""

from collections.abc import Iterator

import numpy as np
import pytest
import voyageai
import voyageai.emulator
from corpus.docstring import Docstring
from search import CANDIDATES, Search

CORPUS = [
    Docstring("gzip.compress", "(data)", "Compress a block of data with the gzip format."),
    Docstring("random.shuffle", "(x)", "Bring the items of a list into random order."),
    Docstring("time.sleep", "(secs)", "Delay execution for a number of seconds."),
    Docstring("str.upper", "()", "Return a copy of the string in capital letters."),
]


@pytest.fixture(scope="module")
def client() -> Iterator[voyageai.Client]:
    """Give a client of a running emulator."""
    with (
        voyageai.emulator.running() as url,
        voyageai.Client(api_key="emulator", base_url=url) as client,
    ):
        yield client


@pytest.fixture
def search(client: voyageai.Client) -> Search:
    """Return a search of the small corpus, embedded."""
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
    """Vectors matched to the wrong texts would still give scores, and wrong names."""
    assert name == search.ask(question)[0].found.name


def test_hits_are_ordered_by_the_rerankers_score(search: Search) -> None:
    """The table numbers its rows in this order."""
    relevances = [hit.relevance for hit in search.ask("compress some data")]
    assert sorted((score for score in relevances if score is not None), reverse=True) == relevances


def test_a_hit_keeps_its_similarity_through_reranking(search: Search) -> None:
    """Reranking returns positions among the candidates, easily taken for ranks."""
    ((nearest, reranked),) = search.ask_many(["capital letters of a string"])
    assert {hit.found.name: hit.similarity for hit in nearest} == {
        hit.found.name: hit.similarity for hit in reranked
    }


def test_only_the_nearest_are_reranked(client: voyageai.Client) -> None:
    """Reranking is billed by the text."""
    many = [Docstring(f"toys.toy{number}", "", f"Toy number {number}.") for number in range(50)]
    search = Search(client, many, model="voyage-4", reranker="rerank-3")
    list(search.index())
    assert CANDIDATES == len(search.ask("toy number 7"))


def test_questions_asked_together_are_answered_as_if_alone(search: Search) -> None:
    """The evaluation asks in one request what the demo asks one by one."""
    questions = ["sleep for some seconds", "compress some data"]
    together = [reranked for _, reranked in search.ask_many(questions)]
    for question, answered in zip(questions, together, strict=True):
        alone = search.ask(question)
        assert [hit.found.name for hit in alone] == [hit.found.name for hit in answered]
        assert np.allclose(
            [hit.similarity for hit in alone], [hit.similarity for hit in answered], atol=1e-5
        )


def test_every_request_is_counted(search: Search) -> None:
    """The totals are what a reader reckons their own costs from."""
    search.ask("compress some data")
    assert {"voyage-4": 2, "rerank-3": 1} == search.spent.requests
    assert all(tokens > 0 for tokens in search.spent.tokens.values())


def test_the_estimate_is_not_exceeded(search: Search) -> None:
    """A person agrees to a sum before anything is sent."""
    search.ask("compress some data")
    assert (search.estimate(questions=1).cost() or 0) >= (search.spent.cost() or 0) > 0
