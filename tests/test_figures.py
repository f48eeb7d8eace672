"""The check that holds the modules of each package apart."""

from __future__ import annotations

import pytest

from tests.figures import cycles, shortest_cycle


@pytest.mark.parametrize(
    ("graph", "found"),
    [
        ({}, []),
        ({"a": {"b", "c"}, "b": {"d"}, "c": {"d"}, "d": set()}, []),
        ({"a": {"b"}, "b": {"a"}}, [["a", "b"]]),
        ({"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": {"c"}}, [["c", "d"], ["a", "b", "c"]]),
        ({"a": {"b"}, "b": {"c", "outside"}, "c": {"b"}}, [["b", "c"]]),
    ],
)
def test_cycles_are_found_shortest_first(graph, found):
    """The shortest is the one to open first; a module that only leads to one is not in it."""
    assert found == cycles(graph)


def test_the_shortest_of_several_cycles_is_reported():
    """A long way round says little about what to change."""
    graph = {"a": {"b", "d"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}

    assert ["a", "d"] == shortest_cycle(graph, "a")
