"""Money that may be spent: sums alone, without jobs."""

from __future__ import annotations

import math
from random import Random

import pytest
from voyageai.batches.jobs.ledger import Ledger


def test_what_fits_is_reserved_and_what_does_not_is_not() -> None:
    """To the cent: a ceiling may be reached."""
    ledger = Ledger(0.15)
    assert [True, False, True] == [ledger.reserve(bound) for bound in (0.1, 0.1, 0.05)]
    assert (0.0, pytest.approx(0.15)) == (ledger.spent, ledger.reserved)
    assert not ledger.reserve(1e-9)


def test_the_difference_is_free_again_when_something_is_done() -> None:
    """A bound is many times what is billed in the end."""
    ledger = Ledger(1.0)
    assert ledger.reserve(1.0)
    ledger.settle(1.0, 0.25)
    assert (0.25, 0.0, 0.75) == (ledger.spent, ledger.reserved, ledger.left)
    assert ledger.reserve(0.75)


def test_what_is_under_way_already_counts_though_nobody_asked() -> None:
    """A job goes on, maybe under a lower ceiling than before."""
    ledger = Ledger(1.0)
    ledger.hold(3.0)
    assert (False, -2.0) == (ledger.fits(0.0), ledger.left)
    ledger.settle(3.0, 0.5)
    assert ledger.reserve(0.5)


def test_sums_are_exact() -> None:
    """A million small bounds are not a large one by mistake."""
    ledger = Ledger(1.0)
    for _ in range(10_000):
        assert ledger.reserve(0.1)
        ledger.settle(0.1, 0.0)
    assert (0.0, 0.0) == (ledger.spent, ledger.reserved)


def test_without_end_everything_fits() -> None:
    """Infinity is a number too."""
    ledger = Ledger(math.inf)
    assert (True, math.inf) == (ledger.reserve(1e12), ledger.left)


@pytest.mark.parametrize("seed", range(20))
def test_no_order_of_answers_spends_more_than_the_ceiling(seed: int) -> None:
    """As long as nothing costs more than its bound."""
    dice = Random(seed)
    ledger, under_way = Ledger(10.0), list[float]()
    for _ in range(500):
        bound = dice.random() * 3
        if dice.random() < 0.6 and ledger.reserve(bound):
            under_way.append(bound)
        elif under_way:
            done = under_way.pop(dice.randrange(len(under_way)))
            ledger.settle(done, done * dice.random())
        assert ledger.spent + ledger.reserved <= 10.0 + 1e-9
    assert 9.0 < ledger.spent + ledger.reserved
