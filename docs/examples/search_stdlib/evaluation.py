"""Quality of a search: rankings compared with questions whose answers are known."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import voyageai
from corpus.docstring import Docstring
from voyageai.evaluation import Evaluation, EvaluationEstimate, Scores, estimate, evaluate, scores

QUESTIONS = Path(__file__).with_name("questions.toml")

RESULTS = 10
"""How many results count for recall and nDCG."""

Labelled: TypeAlias = dict[str, dict[str, list[str]]]
"""By kind of question: questions, each with the names that answer it."""


def labelled_questions(path: Path = QUESTIONS) -> Labelled:
    """Return the questions for the measurement."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def scores_by_kind(
    labelled: Labelled, ways: Mapping[str, Mapping[str, Sequence[str]]]
) -> dict[str, dict[str, Scores]]:
    """Return the scores by kind of question, including "all", for each ranking.

    Args:
        labelled: The questions with their answers, by kind.
        ways: By name of a ranking, the ranked names for each question, best first.
    """
    every = {question: answers for part in labelled.values() for question, answers in part.items()}
    return {
        kind: {
            way: scores([rankings[question] for question in part], list(part.values()), k=RESULTS)
            for way, rankings in ways.items()
        }
        for kind, part in {**labelled, "all": every}.items()
    }


class Sizes:
    """Shorter and smaller vectors, compared on labelled questions."""

    dimensions = (1024, 256)
    dtypes = ("float", "int8", "ubinary")

    def __init__(self, corpus: Sequence[Docstring], labelled: Labelled, model: str) -> None:
        self.documents = {entry.name: entry.text for entry in corpus}
        self.questions = {
            question: answers for part in labelled.values() for question, answers in part.items()
        }
        self.model = model

    def estimate(self) -> EvaluationEstimate:
        """Return the usage of a comparison, which embeds all texts three times."""
        return estimate(
            *(self.documents, self.questions),
            models=self.model,
            dimensions=self.dimensions,
            dtypes=self.dtypes,
        )

    def evaluate(self, client: voyageai.Client) -> Evaluation:
        """Return the scores of the sizes."""
        return evaluate(
            *(client, self.documents, self.questions),
            models=self.model,
            dimensions=self.dimensions,
            dtypes=self.dtypes,
            k=RESULTS,
        )
