"""The search example fills its requests up to the limits."""

import re

import pytest
from corpus.docstring import Docstring
from hypothesis import given
from hypothesis import strategies as st
from packing import Limits, estimated_tokens, packed
from voyageai_rest import catalogue, spec


def test_the_limits_are_those_of_the_contract() -> None:
    """A copied limit would be outdated after the next change of the spec."""
    schema = spec.load()["components"]["schemas"]["EmbeddingsRequest"]["properties"]["input"]
    most_texts = next(form["maxItems"] for form in schema["oneOf"] if form["type"] == "array")
    most_tokens = catalogue.find("voyage-4").max_request_tokens
    assert Limits(most_texts, most_tokens) == Limits.of("voyage-4")


@given(
    texts=st.lists(st.text(max_size=40)),
    most_texts=st.none() | st.integers(1, 5),
    most_tokens=st.none() | st.integers(1, 30),
)
def test_requests_keep_to_the_limits_and_lose_nothing(
    texts: list[str], most_texts: int | None, most_tokens: int | None
) -> None:
    """Vectors are matched to texts by order, and the API refuses an oversized request entirely."""
    requests = list(packed(texts, Limits(most_texts, most_tokens)))
    assert texts == [text for request in requests for text in request]
    for request in requests:
        assert request
        assert most_texts is None or len(request) <= most_texts
        tokens = sum(map(estimated_tokens, request))
        assert most_tokens is None or tokens <= most_tokens or len(request) == 1


@pytest.mark.parametrize(
    ("limits", "requests"),
    [
        (Limits(texts=None, tokens=None), [["aaaa", "bbbb", "cccc"]]),
        (Limits(texts=2, tokens=None), [["aaaa", "bbbb"], ["cccc"]]),
        (Limits(texts=None, tokens=6), [["aaaa", "bbbb"], ["cccc"]]),
        (Limits(texts=None, tokens=5), [["aaaa"], ["bbbb"], ["cccc"]]),
        (Limits(texts=None, tokens=1), [["aaaa"], ["bbbb"], ["cccc"]]),
    ],
)
def test_a_request_is_filled_before_the_next_begins(
    limits: Limits, requests: list[list[str]]
) -> None:
    """Each request costs a round trip, and counts against the rate limit."""
    assert requests == list(packed(["aaaa", "bbbb", "cccc"], limits))


def test_tokens_are_not_underestimated(corpus: list[Docstring]) -> None:
    """An estimate that is too low leads to a refused request."""
    low = [
        entry.name
        for entry in corpus
        if estimated_tokens(entry.text) < len(re.findall(r"\w+|[^\w\s]", entry.text))
    ]
    assert [] == low
