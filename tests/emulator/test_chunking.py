"""Splitting long texts into chunks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from voyageai_emulator.tokenizer import count, split_into_chunks

from tests.emulator.sample_texts import texts


@given(texts, st.integers(1, 30), st.data())
def test_chunks_cover_a_text(text: str, size: int, data: st.DataObject) -> None:
    """No character is lost, only the overlap is repeated, and no chunk is too long."""
    overlap = data.draw(st.integers(0, size - 1))
    chunks = split_into_chunks(text, size, overlap)
    assert all(count(chunk) <= size or len(chunk) == 1 for chunk in chunks)
    places = {(0, len(chunks[0]))} if text.startswith(chunks[0]) else set()
    for chunk in chunks[1:]:
        # A chunk of repetitive text may occur in several places.
        places = {
            (start, start + len(chunk))
            for before, end in places
            for start in range(before + 1, end + 1)
            if text.startswith(chunk, start)
            and start + len(chunk) > end
            and count(text[start:end]) <= overlap
        }
    assert any(end == len(text) for _, end in places)


@given(texts, st.integers(1, 30))
def test_chunks_without_overlap_make_up_the_text(text: str, size: int) -> None:
    """A user can join the chunks to get the text back."""
    assert text == "".join(split_into_chunks(text, size, 0))


def test_chunks_share_as_much_as_is_asked_for() -> None:
    """Each word of this text is one token, so the overlap can be checked exactly."""
    chunks = split_into_chunks(" ".join(["one"] * 100), 30, 10)
    assert [30, 30, 30, 30, 20] == [count(chunk) for chunk in chunks]


@pytest.mark.parametrize(
    ("text", "size", "expected"),
    [
        ("One two.\n\nThe rest. It goes on.", 7, ["One two.\n\n", "The rest. It goes on."]),
        ("One two. Three four five six.", 6, ["One two.", " Three four five six."]),
        ("one two\nthree four five", 4, ["one two\n", "three four five"]),
        ("one two three lighthouse", 4, ["one two three", " lighthouse"]),
        ("今日は。明日は。", 5, ["今日は。", "明日は。"]),
    ],
)
def test_a_chunk_ends_where_a_reader_would_pause(text: str, size: int, expected: list[str]) -> None:
    """A chunk ends after a paragraph, line, sentence or word that ends in its second half."""
    assert expected == split_into_chunks(text, size, 0)


def test_a_word_longer_than_a_chunk_is_cut_anywhere() -> None:
    """A long line of base64 must not make a chunk too long."""
    chunks = split_into_chunks("x1y2" * 100, 8, 2)
    assert len(chunks) > 20
    assert max(count(chunk) for chunk in chunks) <= 8


def test_a_short_text_is_one_chunk() -> None:
    """An empty text gives one chunk, too."""
    assert ["one two"] == split_into_chunks("one two", 2, 1)
    assert [""] == split_into_chunks("", 1, 0)


def test_no_more_chunks_are_made_than_are_wanted() -> None:
    """Chunking stops at the limit, with the first chunks of the text."""
    text = " ".join(["one"] * 100)
    chunks = split_into_chunks(text, 10, 9)
    assert [chunks[:3], chunks, []] == [
        split_into_chunks(text, 10, 9, most) for most in (3, 1_000, 0)
    ]
