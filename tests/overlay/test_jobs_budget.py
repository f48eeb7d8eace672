"""The budget of a job, as arithmetic without jobs."""

from __future__ import annotations

import math
from random import Random

import pytest
from voyageai.prices import Budget


def test_only_a_sum_that_fits_is_reserved() -> None:
    """A budget can be used to the cent, and not exceeded by less."""
    budget = Budget(0.15)
    assert [True, False, True] == [budget.reserve(bound) for bound in (0.1, 0.1, 0.05)]
    assert (0.0, pytest.approx(0.15)) == (budget.spent, budget.reserved)
    assert not budget.reserve(1e-9)


def test_settling_a_reservation_frees_the_unused_part() -> None:
    """The upper bound of a request is many times its final cost."""
    budget = Budget(1.0)
    assert budget.reserve(1.0)
    budget.settle(1.0, 0.25)
    assert (0.25, 0.0, 0.75) == (budget.spent, budget.reserved, budget.left)
    assert budget.reserve(0.75)


def test_costs_already_in_flight_count() -> None:
    """A resumed job may have a lower limit than what is already in flight."""
    budget = Budget(1.0)
    budget.hold(3.0)
    assert (False, -2.0) == (budget.fits(0.0), budget.left)
    budget.settle(3.0, 0.5)
    assert budget.reserve(0.5)


def test_sums_are_exact() -> None:
    """Rounding errors of many small sums must not use up the budget."""
    budget = Budget(1.0)
    for _ in range(10_000):
        assert budget.reserve(0.1)
        budget.settle(0.1, 0.0)
    assert (0.0, 0.0) == (budget.spent, budget.reserved)


def test_an_unlimited_budget_fits_everything() -> None:
    """A job without a limit uses the same arithmetic, with infinity."""
    budget = Budget(math.inf)
    assert (True, math.inf) == (budget.reserve(1e12), budget.left)


@pytest.mark.parametrize("seed", range(20))
def test_no_order_of_answers_spends_more_than_the_ceiling(seed: int) -> None:
    """The limit holds in any order, if no request costs more than its bound."""
    random = Random(seed)
    budget, under_way = Budget(10.0), list[float]()
    for _ in range(500):
        bound = random.random() * 3
        if random.random() < 0.6 and budget.reserve(bound):
            under_way.append(bound)
        elif under_way:
            done = under_way.pop(random.randrange(len(under_way)))
            budget.settle(done, done * random.random())
        assert budget.spent + budget.reserved <= 10.0 + 1e-9
    assert 9.0 < budget.spent + budget.reserved
