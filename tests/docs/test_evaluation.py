"""Recall and rank, as the search example measures them."""

import re

from corpus.docstring import Docstring
from evaluation import labelled_questions, scores_by_kind


def test_scores_are_given_by_kind_of_question_and_by_way_to_rank() -> None:
    """A single figure would hide a ranking that answers only the easy kind of question."""
    labelled = {"easy": {"q1": ["a"], "q2": ["b"]}, "hard": {"q3": ["c"]}}
    ways = {
        "one": {"q1": ["a"], "q2": ["b"], "q3": ["x", "c"]},
        "two": {"q1": ["x"], "q2": ["x", "b"], "q3": ["c"]},
    }
    found = scores_by_kind(labelled, ways)

    assert {"easy", "hard", "all"} == set(found)
    assert (1.0, 0.25) == (found["easy"]["one"].mrr, found["easy"]["two"].mrr)
    assert (0.5, 1.0) == (found["hard"]["one"].mrr, found["hard"]["two"].mrr)
    assert (3, 1 / 3) == (found["all"]["two"].queries, found["all"]["two"].recall - 1 / 3)


def test_there_are_questions_enough_to_tell_engines_apart() -> None:
    """With only 50 questions, one more answer found would change recall by two points."""
    kinds = labelled_questions()
    assert {"plain", "paraphrased"} == set(kinds)
    assert all(len(questions) >= 50 for questions in kinds.values())


def test_no_question_is_asked_twice() -> None:
    """A duplicate question would count twice, and rankings are stored by question."""
    questions = [question for part in labelled_questions().values() for question in part]
    assert len(set(questions)) == len(questions)


def test_every_answer_is_in_the_library_of_this_python(corpus: list[Docstring]) -> None:
    """A missing answer would silently lower every score."""
    kinds = labelled_questions().values()
    answers = {name for part in kinds for names in part.values() for name in names}
    assert set() == answers - {entry.name for entry in corpus}


def test_no_question_is_the_first_sentence_of_an_answer(corpus: list[Docstring]) -> None:
    """Such a question would measure copying instead of searching."""
    summaries = {entry.name: words(entry.summary) for entry in corpus}
    assert [] == [
        (question, name)
        for part in labelled_questions().values()
        for question, names in part.items()
        for name in names
        if words(question) == summaries[name]
    ]


def test_paraphrases_have_no_four_words_in_a_row_from_an_answer(corpus: list[Docstring]) -> None:
    """A paraphrase that copies four words of its answer is too easy to find."""
    texts = {entry.name: " ".join(words(entry.text)) for entry in corpus}
    assert [] == [
        (question, name)
        for question, names in labelled_questions()["paraphrased"].items()
        for name in names
        for run in zip(*(words(question)[start:] for start in range(4)), strict=False)
        if " ".join(run) in texts[name]
    ]


def words(text: str) -> list[str]:
    """Return the words of a text in lower case."""
    return re.findall(r"\w+", text.lower())
