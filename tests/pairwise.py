"""Pairwise combinations: a small part of the full product that covers each pair of values."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, product
from typing import Any


def pairwise(*columns: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Return rows, one value of each column, such that any two values of two columns share a row.

    The result is deterministic.

    Example:
        >>> pairwise("ab", [1, 2], "xy")
        [('a', 1, 'x'), ('a', 2, 'y'), ('b', 1, 'y'), ('b', 2, 'x')]
    """
    # Cells are (column, index in it), as values need not be hashable.
    cells = [[(at, place) for place in range(len(column))] for at, column in enumerate(columns)]
    left = {pair for one, other in combinations(cells, 2) for pair in product(one, other)}
    rows = []
    while left:
        row = dict(min(left))
        for at, column in enumerate(cells):
            if at not in row:
                met = {
                    cell: sum(tuple(sorted((cell, had))) in left for had in row.items())
                    for cell in column
                }
                row[at] = max(column, key=met.__getitem__)[1]
        left -= set(combinations(sorted(row.items()), 2))
        rows.append(tuple(column[row[at]] for at, column in enumerate(columns)))
    return rows
