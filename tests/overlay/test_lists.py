"""Lists of a result are made on request, and freed when nobody holds them."""

from __future__ import annotations

import copy
import gc
import json
import pickle
import tracemalloc
from array import array

import numpy as np
import pytest
from voyageai.object import EmbeddingsObject
from voyageai.results.vectored import READS
from voyageai.vectors import Vectors

NUMBERS = [[0.0, 0.5], [1.0, 1.5], [2.0, 2.5]]


def made(rows=3, columns=2, number="float32", kind="f"):
    """Return a result like that of a response, in which the n-th number is n / 2."""
    result = EmbeddingsObject()
    numbers = array(kind, [n / 2 if kind == "f" else n for n in range(rows * columns)])
    result._append(Vectors(bytearray(numbers.tobytes()), number, columns))
    return result


def test_lists_that_nobody_holds_are_let_go_and_the_matrix_stays_the_buffer():
    """Lists take eight times the memory of the vectors."""
    rows, columns = 200, 1024
    result = made(rows, columns)
    address = result.to_numpy().ctypes.data
    result.embeddings  # loads what is loaded once  # noqa: B018
    gc.collect()
    tracemalloc.start()
    for vector in result.embeddings:
        assert columns == len(vector)
    del vector
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert kept < 0.05 * 4 * rows * columns
    assert address == result.to_numpy().ctypes.data


def test_lists_that_are_held_are_those_that_are_asked_for():
    """The official `embeddings` is always the same list, and programs may compare by identity."""
    result = made()
    held = result.embeddings

    assert held is result.embeddings
    assert all(a is b for a, b in zip(held, result.embeddings, strict=True))


def test_a_loop_over_places_does_not_make_all_lists_each_time():
    """Many programs write `store(texts[n], result.embeddings[n])` in a loop."""
    result = made()
    seen = {id(result.embeddings) for _ in range(100)}
    result.embeddings  # noqa: B018

    assert READS == result._reads - 1
    assert len(seen) <= READS + 1
    assert result._vectors is not None


CHANGES = {
    "a number": lambda lists: lists[0].__setitem__(0, 9.0),
    "numbers": lambda lists: lists[0].__setitem__(slice(0, 2), [9.0, 8.0]),
    "a row": lambda lists: lists.__setitem__(1, [9.0, 9.0]),
    "append": lambda lists: lists.append([9.0, 9.0]),
    "extend": lambda lists: lists.extend([[9.0, 9.0]]),
    "insert": lambda lists: lists.insert(0, [9.0, 9.0]),
    "pop": lambda lists: lists.pop(),
    "remove": lambda lists: lists.remove([1.0, 1.5]),
    "delete": lambda lists: lists.__delitem__(0),
    "clear": lambda lists: lists.clear(),
    "reverse": lambda lists: lists.reverse(),
    "sort": lambda lists: lists.sort(key=lambda row: -row[0]),
    "in place": lambda lists: lists.__iadd__([[9.0, 9.0]]),
    "twice": lambda lists: lists.__imul__(2),
    "a longer row": lambda lists: lists[2].append(9.0),
    "a reversed row": lambda lists: lists[1].reverse(),
    "a sorted row": lambda lists: lists[1].sort(reverse=True),
    "a scaled row": lambda lists: lists[1].__imul__(2),
    "a cut row": lambda lists: lists[1].pop(),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("hold", [True, False], ids=["held", "passed on"])
def test_changes_count(change, hold):
    """Any change to a list shows in the result, as with a plain attribute."""
    result, plain = made(), copy.deepcopy(NUMBERS)
    held = result.embeddings if hold else None
    change(result.embeddings)
    change(plain)
    gc.collect()

    assert plain == result.embeddings
    assert held is None or held is result.embeddings
    assert len(plain) == len(result)


def test_a_number_that_is_set_is_not_rounded():
    """Rounding 0.1 to float32 would change the user's number."""
    result = made()
    result.embeddings[0][0] = 0.1

    assert 0.1 == result.embeddings[0][0]
    np.testing.assert_array_equal(np.float32([[0.1, 0.5], [1, 1.5], [2, 2.5]]), result.to_numpy())


def test_rows_that_are_held_count_after_the_lists_are_gone():
    """Rows taken at different times all belong to the same result."""
    result = made()
    first, second = result.embeddings[0], result.embeddings[1]
    first[0] = 7.0
    second[0] = 8.0
    first[1] = 6.0

    assert [[7.0, 6.0], [8.0, 1.5], [2.0, 2.5]] == result.embeddings
    assert first is result.embeddings[0]


def test_a_row_of_reordered_lists_changes_nothing():
    """After reversing the lists, the row's old index belongs to another vector."""
    result = made()
    stale = result.embeddings[0]
    result.embeddings.reverse()
    stale[0] = 9.0

    assert NUMBERS[::-1] == result.embeddings


def test_lists_that_were_replaced_change_nothing():
    """After an assignment to `embeddings`, the old lists are the user's alone."""
    result = made()
    before, row = result.embeddings, result.embeddings[0]
    result.embeddings = [[5.0]]
    before.append([9.0, 9.0])
    row[0] = 9.0

    assert [[5.0]] == result.embeddings


def test_lists_outlive_their_result():
    """Most programs keep only `vectors = vo.embed(...).embeddings`."""
    lists = made().embeddings
    lists[0][0] = 9.0
    lists.append([1.0, 1.0])

    assert [[9.0, 0.5], *NUMBERS[1:], [1.0, 1.0]] == lists


@pytest.mark.parametrize(
    "duplicate", [copy.copy, copy.deepcopy, lambda lists: pickle.loads(pickle.dumps(lists))]
)
def test_copies_of_lists_are_plain_lists(duplicate):
    """A pickled list can be read without this package."""
    lists = made().embeddings
    other = duplicate(lists)

    assert list is type(other)
    assert NUMBERS == other
    assert list is type(duplicate(lists[0]))
    assert json.dumps(NUMBERS) == json.dumps(lists)
    assert repr(NUMBERS) == repr(lists)


@pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, copy.copy, lambda result: pickle.loads(pickle.dumps(result))]
)
@pytest.mark.parametrize("reads", [0, 1, READS + 1])
def test_copies_of_results_have_lists_of_their_own(duplicate, reads):
    """A change to one must not show halfway in the other."""
    result = made()
    for _ in range(reads):
        result.embeddings  # noqa: B018
    other = duplicate(result)
    result.embeddings[0][0] = 9.0

    assert NUMBERS == other.embeddings
    assert NUMBERS == other.to_numpy().tolist()
    assert result != other


def test_results_that_were_changed_pickle_as_they_are():
    """Caches keep the program's changes."""
    result = made()
    result.embeddings[0].append(9.0)
    other = pickle.loads(pickle.dumps(result))

    assert [[0.0, 0.5, 9.0], *NUMBERS[1:]] == other.embeddings
    assert result == other


def test_results_are_joined_in_one_buffer():
    """`update` joins the batches of a corpus, where lists would take eight times the memory."""
    result = made()
    result._append(Vectors(bytearray(array("f", [3, 3.5]).tobytes()), "float32", 2))

    assert [*NUMBERS, [3.0, 3.5]] == result.to_numpy().tolist() == result.embeddings
    assert result._vectors is not None
    result._append(Vectors(bytearray(array("d", [0.1, 0.2]).tobytes()), "float64", 2))
    assert [*NUMBERS, [3.0, 3.5], [0.1, 0.2]] == result.embeddings


def test_lists_that_are_held_get_what_is_appended():
    """A list taken from a result stays that result's list."""
    result = made()
    held = result.embeddings
    result._append(Vectors(bytearray(array("f", [3, 3.5]).tobytes()), "float32", 2))
    held[0][0] = 9.0

    assert [[9.0, 0.5], *NUMBERS[1:], [3.0, 3.5]] == held == result.embeddings
    assert held is result.embeddings


@pytest.mark.parametrize(("number", "kind"), [("int8", "b"), ("uint8", "B")])
def test_whole_numbers_stay_whole(number, kind):
    """JSON distinguishes 1 from 1.0."""
    assert [[0, 1], [2, 3], [4, 5]] == made(number=number, kind=kind).embeddings
    assert {int} == {type(n) for row in made(number=number, kind=kind).embeddings for n in row}
