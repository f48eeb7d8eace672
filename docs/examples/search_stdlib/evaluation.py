"""Quality of a search: rankings compared with questions whose answers are known."""

import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

QUESTIONS = Path(__file__).with_name("questions.toml")

Labelled: TypeAlias = dict[str, dict[str, list[str]]]
"""By kind of question: questions, each with the names that answer it."""


def labelled_questions(path: Path = QUESTIONS) -> Labelled:
    """Return the questions that the example is measured with."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Scores:
    """Averages over questions, each from 0 to 1."""

    questions: int
    recall_at_1: float
    """Share of the questions whose first result is an answer."""
    recall_at_10: float
    """Share of the questions with an answer among the first ten results."""
    mrr: float
    """Mean reciprocal rank: of 1, 1/2, 1/3, … for an answer at rank 1, 2, 3, …; 0 for none."""


def scores(rankings: Sequence[Sequence[str]], answers: Sequence[Collection[str]]) -> Scores:
    """Return the scores of one ranking of names for each question, the best name first.

    Raises:
        ValueError: there are not as many rankings as answers, or there are none.
    """
    ranks = [
        next((rank for rank, name in enumerate(ranking, start=1) if name in accepted), None)
        for ranking, accepted in zip(rankings, answers, strict=True)
    ]
    if not ranks:
        raise ValueError("There is no ranking to score.")
    return Scores(
        questions=len(ranks),
        recall_at_1=sum(rank == 1 for rank in ranks) / len(ranks),
        recall_at_10=sum(rank is not None and rank <= 10 for rank in ranks) / len(ranks),
        mrr=sum(1 / rank for rank in ranks if rank) / len(ranks),
    )


def scores_by_kind(
    labelled: Labelled, ways: Mapping[str, Mapping[str, Sequence[str]]]
) -> dict[str, dict[str, Scores]]:
    """Return the scores of each kind of question, and of "all", for each way to rank.

    Args:
        labelled: The questions with their answers, by kind.
        ways: For each way to rank, each question's ranking: names, the best first.
    """
    every = {question: answers for part in labelled.values() for question, answers in part.items()}
    return {
        kind: {
            way: scores([rankings[question] for question in part], list(part.values()))
            for way, rankings in ways.items()
        }
        for kind, part in {**labelled, "all": every}.items()
    }
