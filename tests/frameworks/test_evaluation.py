"""Our ranking scores agree with scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import label_ranking_average_precision_score, ndcg_score
from voyageai.evaluation import scores


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("k", [1, 3, 10])
def test_ndcg_is_that_of_scikit_learn(seed, k):
    """Users can compare our figures with others': gains from 0 to 3, 12 documents, 5 queries."""
    random = np.random.default_rng(seed)
    gains, relevance = (
        random.integers(0, 4, (5, 12)),
        random.permuted(np.tile(np.arange(12), (5, 1)), axis=1),
    )
    gains[:, 0] = 1
    rankings = np.argsort(-relevance, axis=1).tolist()
    answers = [dict(enumerate(row.tolist())) for row in gains]

    assert ndcg_score(gains, relevance, k=k) == pytest.approx(scores(rankings, answers, k).ndcg)


@pytest.mark.parametrize("seed", range(20))
def test_of_one_answer_each_the_mean_reciprocal_rank_is_that_of_scikit_learn(seed):
    """With one relevant document, scikit-learn's average precision equals the reciprocal rank."""
    random = np.random.default_rng(seed)
    relevance = random.permuted(np.tile(np.arange(12), (5, 1)), axis=1)
    right = random.integers(0, 12, 5)
    rankings = np.argsort(-relevance, axis=1).tolist()
    expected = label_ranking_average_precision_score(np.eye(12)[right], relevance)

    assert expected == pytest.approx(scores(rankings, [[n] for n in right.tolist()]).mrr)
