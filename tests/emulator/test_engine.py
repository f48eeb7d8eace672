"""The vectors: reproducible, of unit length, and close for similar texts."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from voyageai_emulator.engine import Passage, Space
from voyageai_emulator.engine.features import VOCABULARY
from voyageai_emulator.engine.vectors import embed, embed_chunks
from voyageai_emulator.engine.vocabulary import Vocabulary
from voyageai_emulator.engine.words import terms_of, tokenize

SPACE = Space("space", "model")
TEXTS = [
    "Open a gzip-compressed file in binary or text mode.",
    "def read_lines(path): return pathlib.Path(path).read_text().splitlines()",
    "Größenwahn, naïveté & Ætherwellen",
    "東京は日本の首都です。",
    "Привет, мир",
    "🚀🚀",
    "!",
    "   ",
    "a",
    "word " * 5000,
]


def vectors(*texts: str, role: str = "", dimension: int = 1024) -> NDArray[np.float32]:
    """Return vectors of texts, of shape (texts, dimension)."""
    return embed([Passage(text, role) for text in texts], SPACE, dimension)


def cosine(one: str, other: str) -> float:
    """Return the cosine similarity of two texts."""
    first, second = vectors(one, other)
    return float(first @ second)


@pytest.mark.parametrize("dimension", [128, 256, 512, 1000, 1024, 1536, 2048, 4096])
def test_vectors_have_unit_length(dimension: int) -> None:
    """Clients use the dot product as cosine similarity."""
    lengths = np.linalg.norm(vectors(*TEXTS, dimension=dimension), axis=1)
    assert lengths == pytest.approx(np.ones(len(TEXTS)), abs=1e-6)


@pytest.mark.parametrize("dimension", [256, 512, 1024, 1536])
def test_a_shorter_vector_is_the_longer_ones_beginning(dimension: int) -> None:
    """Truncating and renormalizing gives the API's shorter vector (Matryoshka)."""
    cut = vectors(*TEXTS, dimension=2048)[:, :dimension]
    cut /= np.linalg.norm(cut, axis=1, keepdims=True)
    assert cut == pytest.approx(vectors(*TEXTS, dimension=dimension), abs=1e-6)


def test_a_vector_does_not_depend_on_other_texts() -> None:
    """Otherwise batching would change results, and tests of vectors would be unstable."""
    together = vectors(*TEXTS, *(f"filler {i}" for i in range(300)))[: len(TEXTS)]
    alone = np.concatenate([vectors(text) for text in reversed(TEXTS)])[::-1]
    assert together.tobytes() == alone.tobytes()


def test_vectors_are_the_same_in_every_process() -> None:
    """Stored vectors stay comparable, and tests can compare results bit for bit."""
    program = (
        "import sys, hashlib\n"
        "from voyageai_emulator.engine import Passage, Space\n"
        "from voyageai_emulator.engine.vectors import embed\n"
        f"vectors = embed([Passage(t, 'query') for t in {TEXTS!r}], Space('space', 'model'), 512)\n"
        "print(hashlib.sha256(vectors.tobytes()).hexdigest())"
    )
    output = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    ).stdout
    here = vectors(*TEXTS, role="query", dimension=512)
    assert output.strip() == hashlib.sha256(here.tobytes()).hexdigest()


def test_vectors_are_the_same_on_every_machine() -> None:
    """All sums are of integers, so no processor or library rounds differently."""
    expected = "4a9a8ba4c583aabc"
    digest = hashlib.sha256(vectors(*TEXTS).tobytes()).hexdigest()
    assert expected == digest[:16]


def test_a_vocabulary_that_starts_afresh_changes_nothing() -> None:
    """The vocabulary is only a bounded cache, so clearing it must not matter."""
    afresh = Vocabulary(max_terms=0)
    afresh.read(["words of another text"])
    for text in TEXTS:
        expected, found = VOCABULARY.read([text]), afresh.read([text])
        for table in ("hashes", "amplitudes", "weight"):
            kept = getattr(expected, table)[expected.term]
            assert kept.tobytes() == getattr(found, table)[found.term].tobytes()
    assert len(afresh.read(["one two three"]).weight) == 3


def test_threads_share_the_vocabulary() -> None:
    """A server embeds several requests at once."""
    texts = [f"thread text number{i} word{i * 7 % 31}" for i in range(200)]
    expected = vectors(*texts)
    found: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: found.append(vectors(*texts).tobytes())) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [expected.tobytes()] * 8 == found


@given(st.text(st.characters(), min_size=1, max_size=60))
def test_any_text_has_a_vector(text: str) -> None:
    """JSON can contain lone surrogates and control characters."""
    vector = vectors(text)[0]
    assert float(np.linalg.norm(vector)) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("hello", "Hello!"),
        ("the dog bit the man", "the man bit the dog"),
        ("C++", "C#"),
        ("a", "b"),
        (" ", "  "),
    ],
)
def test_texts_that_differ_have_vectors_that_differ(one: str, other: str) -> None:
    """As with a real model, equal vectors mean equal texts."""
    assert cosine(one, other) < 0.999


@pytest.mark.parametrize(
    ("text", "similar", "unrelated"),
    [
        ("A cat sat on the mat.", "The cats are sitting on a mat.", "Stock prices fell today."),
        ("How do I delete a folder?", "Deletes a directory or folder.", "Multiply two matrices."),
        ("compress a file", "file compression", "random choice"),
        ("readLines", "read lines from the file", "sleep for a second"),
        ("She bought a car.", "He sold a small car.", "Tea is grown in the hills."),
        ("Der Hund schläft im Garten.", "Ein schlafender Hund", "Die Börse schloss fester."),
        ("東京は日本の首都です。", "日本の首都はどこですか", "私は猫が好きです"),
        ("Москва - столица России", "столица России", "кошка спит на диване"),
        ("naive cafe", "naïve café", "quantum physics"),
        ("NULL pointer exception", "null pointers", "chocolate cake recipe"),
    ],
)
@pytest.mark.parametrize("dimension", [256, 1024])
def test_similar_texts_are_nearer_than_unrelated_ones(
    text: str, similar: str, unrelated: str, dimension: int
) -> None:
    """Search, clustering and deduplication rely on this."""
    first, second, third = vectors(text, similar, unrelated, dimension=dimension)
    assert first @ second > first @ third + 0.1


def test_prompts_change_a_vector_slightly() -> None:
    """Query and document vectors differ, and a query still finds its text."""
    texts = ["How are compressed files read?", "Lighthouse keepers of northern Norway", "cat"]
    plain, query, document = (vectors(*texts, role=role) for role in ("", "query", "document"))
    for one, other in ((plain, query), (plain, document), (query, document)):
        cosines = one @ other.T
        assert 0.75 < np.diag(cosines).min() <= np.diag(cosines).max() < 0.999
        assert cosines[~np.eye(len(texts), dtype=bool)].max() < 0.3


def test_spaces_are_unrelated_and_models_of_one_space_agree() -> None:
    """A test must notice mixed spaces, and models of one space must be compatible."""
    passages = [Passage(text) for text in TEXTS]
    mine = embed(passages, SPACE, 1024)
    sibling = embed(passages, Space("space", "sibling"), 1024)
    stranger = embed(passages, Space("another", "model"), 1024)
    agreement = np.einsum("ij,ij->i", mine, sibling)
    assert 0.98 < agreement.min() <= agreement.max() < 0.9999
    assert np.abs(np.einsum("ij,ij->i", mine, stranger)).max() < 0.25


def test_bits_say_as_much_as_a_dense_vector_can() -> None:
    """Binary vectors of short texts need values on both sides of 0."""
    above = (vectors("cat", "hello world", "a") > 0).mean(axis=1)
    assert np.abs(above - 0.5).max() < 0.1


def test_media_weigh_in_beside_text() -> None:
    """An image has its own direction, whose weight does not depend on its visual words."""
    many = tuple(f"word {number}" for number in range(300))
    plain, pictured, other, looked_at = embed(
        [Passage("a red car", "", media) for media in ((), (("u",),), (("v",),), (many,))],
        SPACE,
        1024,
    )
    assert 0.1 < plain @ pictured < 0.9
    assert pictured @ other < pictured @ pictured - 0.2
    assert abs(plain @ pictured - plain @ looked_at) < 0.1


def test_media_that_share_visual_words_are_similar() -> None:
    """Similarity grows with the share of common words, and copies have most in common."""
    words = [f"word {number}" for number in range(300)]
    whole, most, few = embed(
        [Passage("", "", (tuple(words[i : 200 + i]),)) for i in (0, 20, 100)], SPACE, 1024
    )
    assert abs(whole @ most - 0.9) < 0.1
    assert abs(whole @ few - 0.5) < 0.1


def test_no_documents_have_no_chunks() -> None:
    """Callers need no special case for an empty request."""
    assert [] == embed_chunks([], SPACE, 256)


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        ("word", ["word"]),
        ("Word", ["word"]),
        ("read_lines", ["read", "lines", "readlines"]),
        ("readLines", ["read", "lines", "readlines"]),
        ("HTTPServer2", ["http", "server", "2", "httpserver2"]),
        ("Straße", ["strasse"]),
        ("日本語", ["日本", "本語"]),
        ("語", ["語"]),
        ("__", ["__"]),
    ],
)
def test_tokens_are_split_into_words(token: str, expected: list[str]) -> None:
    """Parts of identifiers can be found, and so can scripts without spaces."""
    assert expected == terms_of(token)


def test_a_text_without_words_is_its_characters() -> None:
    """Such a text must have a vector, too."""
    assert ["!", "?"] == tokenize("!?")
