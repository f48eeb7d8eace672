"""The search: embed all texts once; for a question, find the nearest ones and rerank them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import voyageai
from cache import Vectors
from corpus.docstring import Docstring
from packing import Limits, estimated_tokens, packed
from spending import Spending

CANDIDATES = 30
"""How many of the nearest texts are reranked."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A text that the search found."""

    found: Docstring
    similarity: float
    """Cosine between the embeddings of question and text, from -1 to 1."""
    relevance: float | None = None
    """The reranker's score, from 0 to 1, once it has seen the text."""


class Search:
    """Docstrings made searchable with an embedding model and a reranker."""

    def __init__(
        self,
        client: voyageai.Client,
        corpus: Sequence[Docstring],
        *,
        model: str,
        reranker: str,
        kept: Vectors | None = None,
    ) -> None:
        self.client = client
        self.corpus = corpus
        self.model = model
        self.reranker = reranker
        self.kept = kept or Vectors()
        self.spent = Spending()
        self.vectors: npt.NDArray[np.float32] = np.empty((0, 0), np.float32)

    @property
    def missing(self) -> list[str]:
        """Texts whose vectors are not in the cache."""
        return [entry.text for entry in self.corpus if entry.text not in self.kept]

    def estimate(self, questions: int) -> Spending:
        """Return the maximum usage to embed the missing texts and ask some questions."""
        missing = self.missing
        spending = Spending()
        requests = len(list(packed(missing, Limits.of(self.model))))
        spending.add(self.model, sum(map(estimated_tokens, missing)), requests)
        tokens = sum(estimated_tokens(entry.text) for entry in self.corpus)
        spending.add(self.reranker, questions * CANDIDATES * tokens // len(self.corpus), questions)
        return spending

    def index(self) -> Iterator[int]:
        """Embed the missing texts; yield the number of texts of each request."""
        for texts in packed(self.missing, Limits.of(self.model)):
            answer = self.client.embed_documents(texts, model=self.model)
            self.spent.add(self.model, answer.total_tokens)
            self.kept.add(texts, answer.to_numpy())
            yield len(texts)
        self.vectors = self.kept.matrix(entry.text for entry in self.corpus)

    def ask(self, question: str) -> list[Hit]:
        """Return the best hits for a question, best first."""
        answer = self.client.embed_query(question, model=self.model)
        self.spent.add(self.model, answer.total_tokens)
        return self.rerank(question, self.nearest(answer.to_numpy()[0]))

    def ask_many(self, questions: Sequence[str]) -> Iterator[tuple[list[Hit], list[Hit]]]:
        """Yield for each question the nearest hits by embeddings, and the same hits reranked."""
        answer = self.client.embed_query(questions, model=self.model)
        self.spent.add(self.model, answer.total_tokens)
        for question, vector in zip(questions, answer.to_numpy(), strict=True):
            hits = self.nearest(vector)
            yield hits, self.rerank(question, hits)

    def nearest(self, vector: npt.NDArray[np.float32]) -> list[Hit]:
        """Return the texts whose embeddings are nearest to that of a question."""
        similarities = self.vectors @ vector  # all have length 1, so the product is the cosine
        places: list[int] = np.argsort(-similarities, kind="stable")[:CANDIDATES].tolist()
        return [Hit(self.corpus[place], float(similarities[place])) for place in places]

    def rerank(self, question: str, hits: Sequence[Hit]) -> list[Hit]:
        """Return the hits in the reranker's order."""
        texts = [hit.found.text for hit in hits]
        answer = self.client.rerank(question, texts, model=self.reranker)
        self.spent.add(self.reranker, answer.total_tokens)
        return [
            replace(hits[result.index], relevance=result.relevance_score)
            for result in answer.results
        ]
