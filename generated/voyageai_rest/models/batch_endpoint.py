from typing import Literal

BatchEndpoint = Literal["/v1/contextualizedembeddings", "/v1/embeddings", "/v1/rerank"]
"""Endpoint that processes the lines of a job. Multimodal embeddings are not supported."""

BATCH_ENDPOINT_VALUES: tuple[BatchEndpoint, ...] = (
    "/v1/contextualizedembeddings",
    "/v1/embeddings",
    "/v1/rerank",
)
