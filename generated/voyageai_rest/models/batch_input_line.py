from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import define

from ..types import JsonModel, Shape, one_of, parsed, plain, shape, to_json

if TYPE_CHECKING:
    from ..models.batch_contextualized_embeddings_body import BatchContextualizedEmbeddingsBody
    from ..models.batch_embeddings_body import BatchEmbeddingsBody
    from ..models.batch_rerank_body import BatchRerankBody


@define(kw_only=True, repr=False)
class BatchInputLine(JsonModel):
    """One line of a job's input file.

    Attributes:
        custom_id: Id chosen by the caller. It is unique within the job.
        body: The inputs of the line. All other arguments are set for the whole job.

    Example:
        >>> value = BatchInputLine.from_dict(
        ...     {"custom_id": "line-1", "body": {"input": ["Where are the keys?"]}}
        ... )
    """

    custom_id: str
    body: BatchContextualizedEmbeddingsBody | BatchEmbeddingsBody | BatchRerankBody

    def to_dict(self) -> dict[str, Any]:
        """Return the model as a JSON object, without the fields that are not set."""
        data: dict[str, Any] = {}
        data["custom_id"] = self.custom_id
        data["body"] = to_json(self.body)
        return data

    @classmethod
    def _shape(cls) -> Shape:
        from ..models.batch_contextualized_embeddings_body import BatchContextualizedEmbeddingsBody
        from ..models.batch_embeddings_body import BatchEmbeddingsBody
        from ..models.batch_rerank_body import BatchRerankBody

        return shape(
            None,
            custom_id=plain("custom_id", str),
            body=parsed(
                "body",
                one_of(
                    BatchEmbeddingsBody.from_dict,
                    BatchContextualizedEmbeddingsBody.from_dict,
                    BatchRerankBody.from_dict,
                ),
            ),
        )
