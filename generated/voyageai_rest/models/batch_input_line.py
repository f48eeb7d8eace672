from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from attrs import define

from ..types import Model, as_fields, nothing_left, one_of, plain, required, to_json

if TYPE_CHECKING:
    from ..models.batch_contextualized_embeddings_body import BatchContextualizedEmbeddingsBody
    from ..models.batch_embeddings_body import BatchEmbeddingsBody
    from ..models.batch_rerank_body import BatchRerankBody


@define(kw_only=True, repr=False)
class BatchInputLine(Model):
    """One line of a job's input file.

    Attributes:
        custom_id: The caller's name for the line; unique in the job.
        body: The inputs; all other arguments are the job's.

    Example:
        >>> value = BatchInputLine.from_dict(
        ...     {"custom_id": "line-1", "body": {"input": ["Where are the keys?"]}}
        ... )
    """

    custom_id: str
    body: BatchContextualizedEmbeddingsBody | BatchEmbeddingsBody | BatchRerankBody

    def to_dict(self) -> dict[str, Any]:
        """The model as JSON has it, without the fields that are not set."""
        data: dict[str, Any] = {}
        data["custom_id"] = self.custom_id
        data["body"] = to_json(self.body)
        return data

    @classmethod
    def from_dict(cls, data: Any) -> Self:
        """Read the model from decoded JSON.

        Raises:
            ShapeError: It does not have the model's shape.
        """
        from ..models.batch_contextualized_embeddings_body import BatchContextualizedEmbeddingsBody
        from ..models.batch_embeddings_body import BatchEmbeddingsBody
        from ..models.batch_rerank_body import BatchRerankBody

        data = as_fields(data)
        model = cls(
            custom_id=plain(data, "custom_id", str),
            body=required(
                data,
                "body",
                one_of(
                    BatchEmbeddingsBody.from_dict,
                    BatchContextualizedEmbeddingsBody.from_dict,
                    BatchRerankBody.from_dict,
                ),
            ),
        )
        nothing_left(data)
        return model
