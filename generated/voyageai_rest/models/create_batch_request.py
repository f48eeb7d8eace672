from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import define

from ..types import UNSET, JsonModel, Shape, Unset, one_of, optional, parsed, plain, shape, to_json

if TYPE_CHECKING:
    from ..models.batch_contextualized_embeddings_params import BatchContextualizedEmbeddingsParams
    from ..models.batch_embeddings_params import BatchEmbeddingsParams
    from ..models.batch_endpoint import BatchEndpoint
    from ..models.batch_metadata import BatchMetadata
    from ..models.batch_rerank_params import BatchRerankParams
    from ..models.completion_window import CompletionWindow


@define(kw_only=True, repr=False)
class CreateBatchRequest(JsonModel):
    """A batch job to create.

    Attributes:
        endpoint: Endpoint that processes the lines of a job. Multimodal embeddings are not
            supported.
        input_file_id: Id of the uploaded input file.
        completion_window: Time after which a job expires if it is not completed.
        request_params: The model, and all other arguments that the lines share.
        metadata: Up to 16 key-value pairs, chosen by the caller.

    Example:
        >>> value = CreateBatchRequest.from_dict(
        ...     {
        ...         "endpoint": "/v1/embeddings",
        ...         "input_file_id": "file-7vT5tYiajeqrFpsqCT8fbxCp46vwf8R4Qwdh8",
        ...         "completion_window": "12h",
        ...         "request_params": {"model": "voyage-4", "input_type": "document"},
        ...     }
        ... )
    """

    endpoint: BatchEndpoint
    input_file_id: str
    completion_window: CompletionWindow
    request_params: BatchContextualizedEmbeddingsParams | BatchEmbeddingsParams | BatchRerankParams
    metadata: BatchMetadata | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        """Return the model as a JSON object, without the fields that are not set."""
        data: dict[str, Any] = {}
        data["endpoint"] = self.endpoint
        data["input_file_id"] = self.input_file_id
        data["completion_window"] = self.completion_window
        data["request_params"] = to_json(self.request_params)
        if self.metadata is not UNSET:
            data["metadata"] = to_json(self.metadata)
        return data

    @classmethod
    def _shape(cls) -> Shape:
        from ..models.batch_contextualized_embeddings_params import (
            BatchContextualizedEmbeddingsParams,
        )
        from ..models.batch_embeddings_params import BatchEmbeddingsParams
        from ..models.batch_metadata import BatchMetadata
        from ..models.batch_rerank_params import BatchRerankParams

        return shape(
            None,
            endpoint=plain("endpoint", str),
            input_file_id=plain("input_file_id", str),
            completion_window=plain("completion_window", str),
            request_params=parsed(
                "request_params",
                one_of(
                    BatchEmbeddingsParams.from_dict,
                    BatchContextualizedEmbeddingsParams.from_dict,
                    BatchRerankParams.from_dict,
                ),
            ),
            metadata=optional(parsed("metadata", BatchMetadata.from_dict)),
        )
