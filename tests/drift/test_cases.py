"""Every kind of change is found alone, and has the class assigned to it in cases.yaml."""

from __future__ import annotations

import pytest

from generator.drift.contracts import compare
from generator.drift.differences import rules

from .pairs import listed, pair

CASES = listed("cases.yaml")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_change_is_found_and_classified(case):
    """The class says who must act on a change, and which version comes next."""
    found = [[item.severity.value, item.kind, item.path] for item in compare(*pair(case))]
    assert sorted(case["expected"]) == sorted(found)


def test_there_are_enough_cases():
    """The cases prove that the comparison is right, so their number only grows."""
    assert 60 <= len({case["name"] for case in CASES}) == len(CASES)


def test_every_kind_has_a_case():
    """A kind without a case may never be found."""
    shown = {kind for case in CASES for _, kind, _ in case["expected"]}
    assert set(rules()) == shown


def test_a_change_back_is_found_too():
    """A comparison that only works forwards would miss half of all changes."""
    for case in CASES:
        before, after = pair(case)
        assert compare(after, before), case["name"]
