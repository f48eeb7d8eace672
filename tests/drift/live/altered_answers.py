"""Altered responses, each with the differences that a probe must find."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.drift.live.probe_harness import Alter, Reply, planned


def body_of(path: str, change: Callable[[dict[str, Any]], Any], status: int = 200) -> Alter:
    def alter(reply: Reply) -> Reply:
        if (reply.path, reply.status) == (path, status):
            change(reply.body)
        return reply

    return alter


def detail_of(part: str, status: int, words: str | None = None) -> Alter:
    """Return an alteration of the status or message of refusals that contain some words."""

    def alter(reply: Reply) -> Reply:
        detail = reply.body.get("detail", "") if isinstance(reply.body, dict) else ""
        if part not in detail:
            return reply
        return reply._replace(status=status, body={"detail": words or detail})

    return alter


def header(change: Callable[[dict[str, str]], object]) -> Alter:
    def alter(reply: Reply) -> Reply:
        change(reply.headers)
        return reply

    return alter


def first(body: dict[str, Any]) -> Any:
    return body["data"][0]


MODEL_PATHS = ("embeddings", "contextualizedembeddings", "multimodalembeddings", "rerank")
CONTEXTUAL = "POST /contextualizedembeddings: response.200"
CONTEXT_4 = "catalogue: models.voyage-context-4"

ANSWERS: dict[str, tuple[Alter, int, set[tuple[str, str]]]] = {
    "a new field": (
        body_of("/embeddings", lambda body: body.update(region="eu")),
        1,
        {("field-added", "POST /embeddings: response.200.region")},
    ),
    "a new field deep inside": (
        body_of("/contextualizedembeddings", lambda body: first(first(body)).update(tokens=3)),
        1,
        {("field-added", f"{CONTEXTUAL}.data[].data[].tokens")},
    ),
    "a new field of errors": (
        body_of("/rerank", lambda body: body.update(type="invalid"), 401),
        1,
        {("field-added", "POST /rerank: response.401.type")},
    ),
    "a missing field": (
        body_of("/multimodalembeddings", lambda body: body["usage"].pop("total_tokens")),
        2,
        {("field-removed", "POST /multimodalembeddings: response.200.usage.total_tokens")},
    ),
    "a missing field that the contract lets be left out": (
        body_of("/rerank", lambda body: body.pop("model")),
        2,
        {("field-removed", "POST /rerank: response.200.model")},
    ),
    "a missing field that was asked for": (
        body_of("/rerank", lambda body: first(body).pop("document")),
        2,
        {("field-removed", "POST /rerank: response.200.data[].document")},
    ),
    "another type": (
        body_of("/embeddings", lambda body: body["usage"].update(total_tokens="3")),
        2,
        {("type-changed", "POST /embeddings: response.200.usage.total_tokens")},
    ),
    "another type among alternatives": (
        body_of("/rerank", lambda body: body.update(detail={"message": "no"}), 400),
        2,
        {
            ("type-changed", "POST /rerank: response.400.detail"),
            ("words-changed", "POST /rerank: response.400"),
        },
    ),
    "another model than the one asked": (
        body_of("/rerank", lambda body: body.update(model="rerank-planted")),
        2,
        {("answer-changed", "POST /rerank: response.200.model")},
    ),
    "scores in another order": (
        body_of("/rerank", lambda body: body["data"].reverse()),
        2,
        {("order-changed", "POST /rerank: response.200.data")},
    ),
    "another status": (
        detail_of("JSON decode error", 422),
        2,
        {("refused-otherwise", "POST /embeddings: request")},
    ),
    "a status that the contract does not have": (
        detail_of("Provided API key", 418),
        2,
        {
            ("refused-otherwise", "POST /embeddings: request"),
            ("error-added", "POST /embeddings: response.418"),
        },
    ),
    "a mistake that is no longer one": (
        lambda reply: reply._replace(status=200) if reply.path == "/no-such-path" else reply,
        1,
        {("no-longer-refused", "GET /no-such-path: request")},
    ),
    "other words": (
        detail_of("is not supported by our API", 400, "Unknown argument."),
        1,
        {("words-changed", f"POST /{path}: response.400") for path in MODEL_PATHS},
    ),
    "a limit in words": (
        detail_of(
            "batch size limit is 1000",
            400,
            "Request to model 'voyage-4' failed. The batch size limit is 128. Your batch size is 1001.",
        ),
        2,
        {
            ("limit-tightened", "POST /embeddings: request.input"),
            ("limit-tightened", "POST /contextualizedembeddings: request.inputs"),
            ("limit-tightened", "POST /multimodalembeddings: request.inputs"),
            ("limit-tightened", "POST /rerank: request.documents"),
        },
    ),
    "vectors of another length": (
        body_of(
            "/contextualizedembeddings", lambda body: first(first(body)).update(embedding=[1.0])
        ),
        2,
        {
            ("dimension-changed", CONTEXTUAL),
            ("numbers-changed", CONTEXTUAL),
            ("encoding-changed", CONTEXTUAL),
            ("meaning-changed", f"{CONTEXT_4}.dimensions.default"),
            ("prompt-changed", f"{CONTEXT_4}.prompts.query"),
            ("prompt-changed", f"{CONTEXT_4}.prompts.document"),
        },
    ),
    "no JSON where none is due": (
        lambda reply: reply._replace(body="gone") if reply.path == "/no-such-path" else reply,
        0,
        set(),
    ),
    "no JSON where it is due": (
        lambda reply: reply._replace(body="gone") if reply.path.startswith("/batches") else reply,
        2,
        {("media-type-removed", "GET /batches/{batch_id}: response.404")},
    ),
    "a new header": (
        header(lambda headers: headers.update({"X-RateLimit-Remaining-Requests": "7"})),
        1,
        {
            ("header-added", f"{operation}: response.header.x-ratelimit-remaining-requests")
            for operation in {each.operation.name for each in planned()}
        },
    ),
    "a missing header": (
        lambda reply: (
            reply._replace(headers={k: v for k, v in reply.headers.items() if k != "x-request-id"})
            if reply.path == "/rerank"
            else reply
        ),
        2,
        {("header-removed", "POST /rerank: response.header.x-request-id")},
    ),
}
