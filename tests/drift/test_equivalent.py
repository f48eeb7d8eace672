"""Two ways to write the same contract show no difference."""

from __future__ import annotations

from copy import deepcopy
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator import paths, spec
from generator.drift.contracts import Contract, compare
from generator.drift.documents import Document

from .equivalent_rewrites import REWRITES, older
from .pairs import base, listed, pair

OURS = spec.load(paths.SPEC / "openapi.yaml")


def differences(before, after):
    """Describe the differences between two documents."""
    old, new = (Contract("", Document(tree, "it")) for tree in (before, after))
    return [(item.path, item.kind, item.before, item.after) for item in compare(old, new)]


@pytest.mark.parametrize("case", listed("equivalent.yaml"), ids=lambda case: case["name"])
def test_two_ways_to_say_it_are_one(case):
    """Maintainers stop looking after false alarms."""
    before, after = pair(case)
    assert [] == compare(before, after)
    assert [] == compare(after, before)


@settings(max_examples=30)
@given(
    rewrites=st.lists(st.sampled_from(REWRITES), max_size=4),
    is_older=st.booleans(),
    seed=st.integers(0, 2**32),
)
def test_a_rewritten_document_is_the_same(rewrites, is_older, seed):
    """Rewrites may be combined in any order."""
    random = Random(seed)
    before = base()["openapi"]
    after = deepcopy(before)
    if is_older:
        older(after, random)
    for rewrite in rewrites:
        rewrite(after, random)
    assert [] == differences(before, after)
    assert [] == differences(after, before)


@pytest.mark.parametrize("rewrite", [*REWRITES, older], ids=lambda rewrite: rewrite.__name__)
def test_our_own_spec_rewritten_is_the_same(rewrite):
    """The real spec uses constructs that the small test document lacks."""
    after = deepcopy(OURS)
    rewrite(after, Random(7))
    assert [] == differences(OURS, after)


def test_schemas_that_meet_on_countless_ways_are_compared_once():
    """Each of 40 schemas refers to the next one twice, so there are 2**40 paths to compare."""
    document = base()["openapi"]
    schemas = document["components"]["schemas"]
    schemas["Book"]["properties"]["step"] = {"$ref": "#/components/schemas/Step0"}
    for number in range(40):
        following = {"$ref": f"#/components/schemas/Step{number + 1}"}
        schemas[f"Step{number}"] = {
            "type": "object",
            "properties": {"left": following, "right": dict(following)},
        }
    schemas["Step40"] = {"type": "string"}
    assert [] == differences(document, deepcopy(document))
