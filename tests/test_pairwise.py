"""The rows that stand for a product of many parameters."""

from __future__ import annotations

from itertools import combinations, product

import pytest

from .pairwise import pairwise

COLUMNS = (
    [["a"], ["b", "c", "d"]],
    [range(7), "ab", "xyz", [None, [], {}]],
    [range(3), range(60), [0, 1], [0, 1]],
)


@pytest.mark.parametrize("columns", COLUMNS)
def test_any_two_values_share_a_row(columns):
    """Most faults need no more than two causes together."""
    rows = pairwise(*columns)
    for one, other in combinations(range(len(columns)), 2):
        for pair in product(columns[one], columns[other]):
            assert any(pair == (row[one], row[other]) for row in rows)


@pytest.mark.parametrize("columns", COLUMNS)
def test_there_are_few_rows(columns):
    """Hardly more than the two longest columns need by themselves."""
    longest, next_longest = sorted(map(len, columns))[:-3:-1]

    assert len(pairwise(*columns)) <= 1.5 * longest * next_longest
