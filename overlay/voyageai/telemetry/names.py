"""The names of all spans, attributes and metrics.

Those that begin with `gen_ai.` follow OpenTelemetry's conventions for generative AI, which are in
development; they are constants here, as a package of them would change them.
Source: https://github.com/open-telemetry/semantic-conventions-genai
"""

from __future__ import annotations

from typing import Final

SCOPE: Final = "voyageai"
"""Name of the instrumentation scope."""
PROVIDER: Final = "voyageai"

OPERATIONS: Final = {
    "create_embeddings": "embeddings",
    "create_contextualized_embeddings": "embeddings",
    "create_multimodal_embeddings": "embeddings",
    "rerank": "rerank",
    # The official client's old names send the operation ids of the contract.
    "createEmbeddings": "embeddings",
    "createContextualizedEmbeddings": "embeddings",
    "createMultimodalEmbeddings": "embeddings",
}
"""Operations of the contract that have a span, with their names in the conventions."""

OPERATION_NAME: Final = "gen_ai.operation.name"
PROVIDER_NAME: Final = "gen_ai.provider.name"
REQUEST_MODEL: Final = "gen_ai.request.model"
RESPONSE_MODEL: Final = "gen_ai.response.model"
INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"
DIMENSION: Final = "gen_ai.embeddings.dimension.count"
TOKEN_TYPE: Final = "gen_ai.token.type"  # noqa: S105  # tokens of texts
SERVER_ADDRESS: Final = "server.address"
SERVER_PORT: Final = "server.port"
ERROR_TYPE: Final = "error.type"
STATUS_CODE: Final = "http.response.status_code"
RESEND_COUNT: Final = "http.request.resend_count"
REQUEST_ID: Final = "voyageai.request_id"

CALL_FACTS: Final = {
    "encoding_formats": "gen_ai.request.encoding_formats",
    "inputs": "voyageai.inputs",
    "input_type": "voyageai.input_type",
    "output_dtype": "voyageai.output_dtype",
    "candidates": "gen_ai.rerank.candidate.count",
    "top_k": "gen_ai.rerank.top_n",
}
"""Attributes of calls. Those of reranking are a proposal, and may change:
https://github.com/open-telemetry/semantic-conventions-genai/pull/253"""

JOB_ID: Final = "voyageai.job.id"
JOB_KIND: Final = "voyageai.job.kind"
JOB_METHOD: Final = "voyageai.job.method"
JOB_OUTCOME: Final = "voyageai.job.outcome"
JOB_FACTS: Final = {
    "action": "voyageai.job.action",
    "via": "voyageai.job.via",
    "model": "voyageai.job.model",
    "rows": "voyageai.job.rows",
    "failed": "voyageai.job.failed_rows",
    "tokens": "voyageai.job.tokens",
    "cost": "voyageai.job.cost",
    "refusals": "voyageai.job.refusals",
    "limit_share": "voyageai.job.limit_share",
}
"""Attributes of runs. Parts have attributes of their own: `voyageai.batch.*` or
`voyageai.slice.*`."""

DURATION: Final = "gen_ai.client.operation.duration"
DURATION_BOUNDARIES: Final = (
    *(0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64),
    *(1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92),
)
"""Seconds."""
TOKENS: Final = "gen_ai.client.token.usage"
TOKEN_BOUNDARIES: Final = tuple(4**power for power in range(14))
JOB_ROWS: Final = "voyageai.job.rows"
JOB_TOKENS: Final = "voyageai.job.tokens"
JOB_COST: Final = "voyageai.job.cost"
JOB_REFUSALS: Final = "voyageai.job.refusals"
JOB_LIMIT_SHARE: Final = "voyageai.job.limit_share"
