"""The tokenizer gives the same counts to the emulator and to its clients."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from voyageai_emulator import tokenizer
from voyageai_rest.catalogue import TOKENIZATION

from tests.emulator.sample_texts import texts

PROSE = (
    "The lighthouse keeper climbed the narrow stairs every evening, lit the lamp, and wrote "
    "down what the weather had been. Ships passed at a distance; some of them answered his "
    "signal. In winter, when the supply boat could not land, he lived on fish and potatoes."
)


@given(texts, st.integers(1, 30))
@example("replacement", 1)  # its beginning has more tokens than the whole
def test_a_long_text_is_counted_until_it_is_too_long(text: str, limit: int) -> None:
    """A text that may fit is counted exactly, and a longer one only as far as needed."""
    whole, (counted,) = tokenizer.count(text), tokenizer.counts([text], limit)
    assert counted == whole or min(counted, whole) > limit


PEAK = """
from pathlib import Path
from voyageai_emulator import tokenizer

def peak():
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])

tokenizer.load()
before = peak()
assert 100 >= len(tokenizer.truncate("\\N{GRINNING FACE}" * 1_000_000, 100))
print(peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process its own peak")
def test_a_text_far_too_long_is_not_read_to_its_end() -> None:
    """The library keeps hundreds of bytes per token, and a body may have millions."""
    done = subprocess.run([sys.executable, "-c", PEAK], capture_output=True, check=True)
    assert int(done.stdout) < 50_000  # kilobytes; counting the whole text takes a million


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 0),
        ("   ", 1),
        ("word", 1),
        ("word word", 2),
        ("representation", 2),
        ("don't", 2),
        ("a, b.", 4),
        ("f(x):", 3),
        ("__init__", 3),
        ("東京", 3),
        ("приветствие", 3),
        ("2026", 4),
        ("🚀", 4),
    ],
)
def test_tokens_are_those_of_the_tokenizer(text: str, expected: int) -> None:
    """Another tokenizer would change counts that users' tests rely on."""
    assert expected == tokenizer.count(text)


def test_prose_has_about_as_many_tokens_as_documented() -> None:
    """Costs and limits tested with the emulator are realistic."""
    least, most = TOKENIZATION.tokens_per_word
    assert least <= tokenizer.count(PROSE) / len(PROSE.split()) <= most


@given(texts)
def test_a_text_has_as_many_tokens_as_the_library_says(text: str) -> None:
    """The emulator counts and caches parts, and clients count the whole text."""
    assert len(tokenizer.load().encode(text).ids) == tokenizer.count(text)


@given(texts)
def test_tokens_hold_all_of_a_text(text: str) -> None:
    """Nothing is normalized, dropped or added."""
    assert text == tokenizer.load().decode(tokenizer.load().encode(text).ids)
    spans = tokenizer.spans(text)
    assert tokenizer.count(text) == len(spans)
    assert set(range(len(text))) == {at for begin, end in spans for at in range(begin, end)}


def test_many_texts_are_counted_as_each() -> None:
    """A batch gives the same counts as single texts."""
    assert [3, 0, 1] == tokenizer.counts(["one two three", "", "word"])


@given(texts, st.integers(0, 30))
def test_a_cut_text_has_at_most_so_many_tokens(text: str, limit: int) -> None:
    """A truncated text must be accepted when it is sent again."""
    cut = tokenizer.truncate(text, limit)
    assert text.startswith(cut)
    assert tokenizer.count(cut) <= limit
    assert (tokenizer.count(text) <= limit) == (cut == text)


@pytest.mark.parametrize(
    ("limit", "expected"), [(1, "word"), (3, "word"), (5, "word🚀"), (6, None)]
)
def test_a_cut_spares_characters(limit: int, expected: str | None) -> None:
    """A character of several tokens is kept or dropped as a whole."""
    text = "word🚀word"
    assert (text if expected is None else expected) == tokenizer.truncate(text, limit)


def test_a_lone_surrogate_counts_as_a_character() -> None:
    """JSON can contain one, although no tokenizer accepts it."""
    assert tokenizer.count("a?b") == tokenizer.count("a\ud800b")
    assert "a\ud800" == tokenizer.truncate("a\ud800b", 2)


def test_threads_count_alike() -> None:
    """A server counts several requests at once."""
    many = [f"{PROSE} {number} word{number}" for number in range(200)]
    expected = tokenizer.counts(many)
    with ThreadPoolExecutor(8) as pool:
        assert [expected] * 8 == list(pool.map(tokenizer.counts, [many] * 8))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
def test_a_fork_after_counting_prints_no_warning() -> None:
    """The library would warn about forks on the user's standard error."""
    program = (
        "import os\n"
        "from voyageai_emulator.tokenizer import counts\n"
        f"texts = [{PROSE!r} + chr(256 + i) for i in range(500)]\n"
        "expected = counts(texts)\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    os._exit(int(expected != counts([text for text in texts])))\n"
        "print(os.waitpid(child, 0)[1])\n"
    )
    environment = {k: v for k, v in os.environ.items() if k != "TOKENIZERS_PARALLELISM"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        check=True,
        capture_output=True,
        text=True,
        env=environment,
    )
    assert ("0\n", "") == (done.stdout, done.stderr)
