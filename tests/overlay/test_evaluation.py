"""Ranking scores, and evaluations on labelled queries."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree

import numpy as np
import pytest
import voyageai
import voyageai_emulator
from hypothesis import given
from hypothesis import strategies as st
from voyageai.error import ArgumentError
from voyageai.evaluation import EvaluationEstimate, Scores, estimate, evaluate, scores
from voyageai.quantization import pack, similarity, truncate

DOCUMENTS = {
    "cat": "A cat sleeps on the mat.",
    "dog": "A dog barks at the cat.",
    "rain": "It will rain in May.",
    "snow": "Snow came early in October.",
    "bank": "The bank lends money to farmers.",
}
QUERIES = {
    "where does the cat sleep?": ["cat", "dog"],
    "will it rain in May?": ["rain"],
    "who lends money to farmers?": {"bank": 3, "snow": 0},
}


def test_scores_of_a_case_worked_out_by_hand():
    """The relevant documents are at ranks 1 and 3, at rank 2, and outside the first three."""
    rankings = [["a", "x", "b"], ["x", "c", "y"], ["x", "y", "z", "d"]]
    answers = [["a", "b"], ["c"], ["d"]]
    both = (1 + 1 / math.log2(4)) / (1 + 1 / math.log2(3))

    assert Scores(
        queries=3,
        recall=(1 + 1 + 0) / 3,
        mrr=(1 + 1 / 2 + 1 / 4) / 3,
        ndcg=(both + 1 / math.log2(3) + 0) / 3,
    ) == scores(rankings, answers, k=3)


def test_better_answers_count_more_and_only_so_many_can_be_found():
    """Recall divides by the two results that fit, and nDCG is best with the better one first."""
    found = scores([["good", "best"]], [{"best": 3, "good": 1, "bad": 0, "other": 1}], k=2)

    assert 2 / 3 == pytest.approx(found.recall)
    assert (1 + 3 / math.log2(3)) / (3 + 1 / math.log2(3)) == pytest.approx(found.ndcg)


@given(st.data())
def test_scores_are_those_of_another_implementation(data):
    """An independent implementation, with matrices from the definitions, gives the same figures."""
    names = list(range(data.draw(st.integers(1, 12))))
    count = data.draw(st.integers(1, 4))
    k = data.draw(st.integers(1, 15))
    rankings = [data.draw(st.permutations(names)) for _ in range(count)]
    gains = [
        data.draw(st.dictionaries(st.sampled_from(names), st.integers(1, 4), min_size=1))
        for _ in range(count)
    ]
    matrix = np.array(
        [[gain.get(name, 0) for name in r] for r, gain in zip(rankings, gains, strict=True)]
    )
    ranks = np.arange(1, len(names) + 1)
    weights = np.where(ranks <= k, 1 / np.log2(ranks + 1), 0)
    hits = matrix > 0
    expected = (
        np.mean((hits & (ranks <= k)).sum(1) / hits.sum(1)),
        np.mean(np.max(hits / ranks, axis=1)),
        np.mean((matrix @ weights) / (np.sort(matrix, axis=1)[:, ::-1] @ weights)),
    )
    found = scores(rankings, gains, k)

    np.testing.assert_allclose((found.recall, found.mrr, found.ndcg), expected)


@pytest.mark.parametrize(
    ("rankings", "answers", "k", "message"),
    [
        ([], [], 10, "at least 1"),
        ([["a"]], [], 10, "not 1 and 0"),
        ([["a"]], [[]], 10, r"answers\[0\] is empty"),
        ([["a"]], [["a"]], 0, "k must be at least 1"),
        ([["a"]], [["a"]], 2.5, r"k must be at least 1, not 2\.5"),
        ([["a", "b", "a"]], [["a"]], 10, r"rankings\[0\] has 'a' more than once"),
        ([["id"]], ["id"], 10, r"answers\[0\] must be a list of ids: \['id'\]"),
        ([["a"]], [{"a": math.inf}], 10, r"answers\[0\]\['a'\] must be a number, not inf"),
    ],
)
def test_what_has_no_score_is_refused(rankings, answers, k, message):
    """Scores of only some queries, or above 1, would look like valid ones."""
    with pytest.raises(ArgumentError, match=message):
        scores(rankings, answers, k)


class Counting:
    """A client that records its calls."""

    def __init__(self, client):
        self.client, self.asked = client, []

    def embed(self, texts, model, input_type, **options):
        self.asked.append((len(texts), model, input_type, *options.values()))
        return self.client.embed(texts, model, input_type, **options)

    def rerank(self, query, documents, model):
        self.asked.append((query, len(documents), model))
        return self.client.rerank(query, documents, model)


@pytest.fixture(scope="module")
def client():
    """Yield a client of a running emulator."""
    with (
        voyageai_emulator.running() as url,
        voyageai.Client("any-key", base_url=url) as made,
    ):
        yield made


def test_a_row_is_what_the_vectors_that_were_asked_for_score(client):
    """Users could compute the same scores from the client's own results."""
    found = evaluate(client, DOCUMENTS, QUERIES, models="voyage-4", dimensions=256, k=2)
    documents = client.embed_documents(
        list(DOCUMENTS.values()), model="voyage-4", output_dimension=256
    )
    queries = client.embed_query(list(QUERIES), model="voyage-4", output_dimension=256)
    order = (-queries.similarity(documents)).argsort(axis=1, kind="stable")
    rankings = [[list(DOCUMENTS)[place] for place in line] for line in order]
    (row,) = found

    assert scores(rankings, list(QUERIES.values()), k=2) == row.scores
    assert documents.total_tokens + queries.total_tokens == row.tokens == sum(found.tokens.values())
    assert row.cost == pytest.approx(row.tokens * 0.06 / 1e6) == found.cost
    assert ("voyage-4, 256 x float", 1024) == (row.name, row.bytes)


@pytest.mark.parametrize("dtype", ["float", "ubinary", "binary"])
def test_derived_vectors_score_like_requested_ones(client, dtype):
    """Shorter and binary vectors are derived from floats already paid for, without a difference."""
    evaluation = evaluate(
        client,
        DOCUMENTS,
        QUERIES,
        models="voyage-4",
        dimensions=[1024, 256],
        dtypes=["float", dtype],
    )
    options = {"model": "voyage-4", "output_dimension": 256, "output_dtype": dtype}
    documents = client.embed_documents(list(DOCUMENTS.values()), **options).to_numpy()
    queries = client.embed_query(list(QUERIES), **options).to_numpy()
    order = (-similarity(queries, documents, dtype)).argsort(axis=1, kind="stable")
    rankings = [[list(DOCUMENTS)[place] for place in line] for line in order]
    row = next(row for row in evaluation if (row.dimension, row.dtype) == (256, dtype))

    assert scores(rankings, list(QUERIES.values())) == row.scores
    assert documents.nbytes // 5 == row.bytes
    whole = client.embed_query(list(QUERIES), model="voyage-4").to_numpy()
    if dtype != "float":
        np.testing.assert_array_equal(queries, pack(truncate(whole, 256), dtype))


def test_nothing_is_paid_for_twice(client):
    """Only int8 needs a request per dimension, and a reranker one per set of candidates."""
    counting = Counting(client)
    found = evaluate(
        *(counting, DOCUMENTS, QUERIES),
        models=["voyage-4", "voyage-4-lite"],
        dimensions=[512, 256],
        dtypes=["float", "ubinary", "int8"],
        rerankers=[None, "rerank-3"],
        candidates=5,
    )

    assert 2 * 2 * 3 * 2 == len(found)
    embedded = [call for call in counting.asked if len(call) == 5]
    assert len(set(embedded)) == len(embedded) == 2 * 2 * 3
    assert {(m, d, n) for _, m, _, d, n in embedded} == {
        (model, *rest)
        for model in ("voyage-4", "voyage-4-lite")
        for rest in [("float", 512), ("int8", 512), ("int8", 256)]
    }
    assert [(query, 5, "rerank-3") for query in QUERIES] == [
        c for c in counting.asked if len(c) == 3
    ]
    assert len({row.scores for row in found if row.reranker}) == 1
    assert all(row.rerank_tokens > 0 for row in found if row.reranker)
    assert found.cost < sum(row.cost for row in found)


def test_a_reranker_orders_the_candidates_alone(client):
    """Documents beyond the candidates keep the order of the embeddings."""
    (row,) = evaluate(
        client, DOCUMENTS, QUERIES, models="voyage-4", rerankers="rerank-3", candidates=1
    )
    (plain,) = evaluate(client, DOCUMENTS, QUERIES, models="voyage-4")

    assert plain.scores == row.scores
    assert plain.tokens == row.tokens
    assert row.cost == pytest.approx(plain.cost + row.rerank_tokens * 0.05 / 1e6, rel=0.5)
    assert "voyage-4, 1024 x float + rerank-3" == row.name


def test_the_cost_is_known_before_anything_is_sent(client):
    """Ten combinations on a large corpus cost ten times as much, so users see the cost first."""
    counting = Counting(client)
    options = {
        "models": "voyage-4",
        "dimensions": [1024, 256],
        "dtypes": ["float", "int8"],
        "rerankers": ["rerank-3"],
    }
    expected = estimate(DOCUMENTS, QUERIES, **options)
    with pytest.raises(ArgumentError, match=re.escape(str(expected))):
        evaluate(counting, DOCUMENTS, QUERIES, **options, max_cost=expected.cost / 2)

    assert [] == counting.asked
    found = evaluate(counting, DOCUMENTS, QUERIES, **options, max_cost=expected.cost)
    assert expected.tokens.keys() == found.tokens.keys()
    assert found.cost < expected.cost < 3 * found.cost
    unknown = estimate(DOCUMENTS, QUERIES, models="voyage-99")
    assert re.fullmatch(
        r"about \d+ tokens of voyage-99; the price of voyage-99 is not known", str(unknown)
    )


def test_a_sum_of_money_has_no_rest_of_a_binary_float():
    """Users copy the cost into spreadsheets."""
    assert 1.32e-06 == EvaluationEstimate(tokens={"voyage-4": 22}).cost


@pytest.mark.parametrize(
    ("changed", "argument", "message"),
    [
        ({"documents": {}}, "documents", "mapping of id to text"),
        ({"queries": ["where?"]}, "queries", "mapping of query to ids"),
        ({"queries": {"where?": []}}, "queries", "has no answer"),
        ({"queries": {"where?": "cat"}}, "queries", "must be a list of ids"),
        ({"queries": {"where?": {"cat": math.nan}}}, "queries", "must be a number, not nan"),
        ({"queries": {"": ["cat"]}}, "queries['']", "is empty"),
        ({"documents": {**DOCUMENTS, "new": ""}}, "documents['new']", "is empty"),
        ({"documents": {**DOCUMENTS, "new": None}}, "documents['new']", "must be a string"),
        ({"models": []}, "models", "is empty"),
        ({"rerankers": []}, "rerankers", "is empty"),
        ({"models": "rerank-3"}, "models", "rerank-3 is a model of /rerank"),
        ({"rerankers": "voyage-4"}, "rerankers", "voyage-4 is a model of /embeddings"),
        ({"max_cost": math.nan}, "max_cost", "number of US dollars from 0"),
        ({"max_cost": "1"}, "max_cost", "number of US dollars from 0"),
        ({"max_cost": -1}, "max_cost", "number of US dollars from 0"),
        ({"candidates": "10"}, "candidates", "must be an integer, not '10'"),
        ({"queries": {"where?": ["horse"]}}, "queries", "no document has the id 'horse'"),
        ({"dimensions": [300]}, "output_dimension", "not a dimension of voyage-4"),
        ({"dtypes": "double"}, "output_dtype", "output_dtype must be one of"),
        ({"models": ""}, "model", "must be the name of a model"),
        ({"models": "voyage-99", "dimensions": [None, 256]}, "dimensions", "must be numbers"),
        ({"candidates": 0}, "candidates", "from 1 to"),
        ({"k": 0}, "k", "k must be at least 1"),
    ],
)
def test_what_can_not_be_evaluated_is_refused(client, changed, argument, message):
    """The error names the argument, and comes before anything is sent."""
    counting = Counting(client)
    given = {"documents": DOCUMENTS, "queries": QUERIES, "models": "voyage-4", **changed}
    with pytest.raises(ArgumentError, match=message) as raised:
        evaluate(counting, **given)

    assert ([], argument) == (counting.asked, raised.value.argument)


def test_an_asynchronous_client_is_refused():
    """The evaluation calls methods without awaiting them."""
    with pytest.raises(ArgumentError, match=r"must be a voyageai\.Client, not AsyncClient"):
        evaluate(voyageai.AsyncClient("any-key"), DOCUMENTS, QUERIES, models="voyage-4")


def test_answers_that_can_be_read_once_are_read_once(client):
    """An iterator that is exhausted after the paid calls would leave no scores."""
    (once,) = evaluate(client, DOCUMENTS, {"rain": iter(["rain"])}, models="voyage-4")
    (listed,) = evaluate(client, DOCUMENTS, {"rain": ["rain"]}, models="voyage-4")

    assert listed.scores == once.scores


def test_an_evaluation_is_a_table_and_a_plot(client):
    """Users get text, HTML and SVG without installing a library."""
    found = evaluate(
        *(client, DOCUMENTS, QUERIES),
        models="voyage-4",
        dimensions=[1024, 256],
        rerankers=[None, "rerank-3"],
    )
    lines = str(found).splitlines()

    assert "model     dimension  dtype  reranker  recall@10    MRR  nDCG@10  bytes" in lines[0]
    assert 1 + 4 == len(lines)
    picture = ElementTree.fromstring(found.to_svg())
    names = [text.text for text in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert {row.name for row in found} <= set(names)
    assert 2 * 4 == len(list(picture.iter("{http://www.w3.org/2000/svg}circle")))
    page = found._repr_html_()
    assert all(f"{row.scores.ndcg:.3f}" in page for row in found)
    assert found.to_svg() in page
