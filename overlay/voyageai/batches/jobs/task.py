"""What a job is made of: what a row is, how lines are written and answers read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from voyageai_rest.catalogue import BATCH
from voyageai_rest.models.batch_contextualized_embeddings_params import (
    BatchContextualizedEmbeddingsParams,
)
from voyageai_rest.models.batch_embeddings_params import BatchEmbeddingsParams
from voyageai_rest.models.batch_endpoint import BATCH_ENDPOINT_VALUES
from voyageai_rest.models.batch_rerank_params import BatchRerankParams
from voyageai_rest.types import Unset

from ...error import ArgumentError
from ...limits import known

if TYPE_CHECKING:
    from voyageai_rest.models.batch_contextualized_embeddings_body import (
        BatchContextualizedEmbeddingsBody,
    )
    from voyageai_rest.models.batch_embeddings_body import BatchEmbeddingsBody
    from voyageai_rest.models.batch_endpoint import BatchEndpoint
    from voyageai_rest.models.batch_rerank_body import BatchRerankBody
    from voyageai_rest.models.input_type import InputType

    from .lines import Size

__all__ = ["Count", "Task"]

V = TypeVar("V")
P = TypeVar("P", BatchEmbeddingsParams, BatchContextualizedEmbeddingsParams, BatchRerankParams)
Count = Callable[[Sequence[str]], int]
"""Counts the tokens of texts."""


class Task(ABC, Generic[P, V]):
    """A method, with the arguments that all rows of a job share.

    Attributes:
        method: Name of the method.
        argument: Name of its argument that holds the rows.
        noun: What a row is.
        endpoint: The endpoint, as the catalogue names it.
        rows_per_line: The most rows that a request can hold.
        params: The arguments, as batches take them.
    """

    method: ClassVar[str]
    argument: ClassVar[str]
    noun: ClassVar[str]
    endpoint: ClassVar[str]
    rows_per_line: ClassVar[int]
    params: P

    @abstractmethod
    def item(self, value: Any, row: int) -> Any:
        """A row as JSON has it.

        Raises:
            ArgumentError: It can't be one; says which row and why.
        """

    @abstractmethod
    def size(self, item: Any, count: Count) -> Size:
        """How much a row is, but for its bytes."""

    def most(self, item: Any, count: Count) -> int:
        """Tokens that a row can be billed for, at most, of texts that count with so many."""
        return self.size(item, count).tokens

    @abstractmethod
    def body(
        self, items: list[Any]
    ) -> BatchEmbeddingsBody | BatchContextualizedEmbeddingsBody | BatchRerankBody:
        """What a line sends."""

    @abstractmethod
    def items(self, body: Any) -> list[Any]:
        """The rows of a line that was sent."""

    @abstractmethod
    def text(self, item: Any) -> str:
        """A text of a row, to show which one it is."""

    def prompted(self, values: Iterable[Any]) -> Iterable[str]:  # noqa: ARG002  # a reranker has no prompts
        """Texts of rows that a prompt is put before."""
        return ()

    @abstractmethod
    def read(self, answer: Any, items: list[Any]) -> Any:
        """The result for a line.

        Raises:
            ShapeError: The answer is not what the contract says.
            ServerError: It is not whole.
        """

    @abstractmethod
    def values(self, result: Any, first: int) -> list[V]:
        """What a result says of each row of its line, of which the first has this number."""

    @abstractmethod
    def billed(self, answer: Any) -> int:
        """Tokens that an answer was billed for, whether or not it is whole.

        Raises:
            ShapeError: The answer is not what the contract says.
        """

    @property
    def role(self) -> InputType | None:
        """What the texts are for."""
        given: InputType | Unset | None = getattr(self.params, "input_type", None)
        return None if isinstance(given, Unset) else given

    @property
    def path(self) -> BatchEndpoint:
        """The endpoint, as batches name it."""
        return next(v for v in BATCH_ENDPOINT_VALUES if v.rpartition("/")[2] == self.endpoint)

    def longest(self) -> int | None:
        """Tokens that the model reads of a text; None if it does not cut, or that is not known."""
        entry = known(self.params.model)
        cuts = getattr(self.params, "truncation", False)
        return entry.context_length if entry is not None and cuts is not False else None

    def check_model(self) -> None:
        """Refuse a model that no batch of this kind takes.

        Raises:
            ArgumentError: Says why.
        """
        name = self.params.model
        entry = known(name)
        if entry is None:
            return
        if entry.endpoint != self.endpoint or self.endpoint not in BATCH.endpoints:
            raise ArgumentError(f"{name} is not a model for {self.method}", "model")
        if entry.batch is False:
            raise ArgumentError(
                f"batches do not take {name}; take a newer model, or do it live", "model"
            )
