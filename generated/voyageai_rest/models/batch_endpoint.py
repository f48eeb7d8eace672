from typing import Literal

BatchEndpoint = Literal["/v1/contextualizedembeddings", "/v1/embeddings", "/v1/rerank"]
"""The endpoint that a job's lines are for. Multimodal embeddings are not taken."""

BATCH_ENDPOINT_VALUES: tuple[BatchEndpoint, ...] = (
    "/v1/contextualizedembeddings",
    "/v1/embeddings",
    "/v1/rerank",
)
