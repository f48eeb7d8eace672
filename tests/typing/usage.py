"""Typical code of users. Both type checkers read it; nothing runs it."""

from __future__ import annotations

from typing import Any, assert_type

import numpy.typing as npt
import voyageai
from voyageai import emulator, quantization
from voyageai.error import RateLimitError, VoyageError
from voyageai.object import (
    ContextualizedEmbeddingsObject,
    EmbeddingsObject,
    MultimodalEmbeddingsObject,
    RerankingObject,
)
from voyageai.video_utils import Video
from voyageai_rest.api.embeddings import create_embeddings
from voyageai_rest.catalogue import Model, find
from voyageai_rest.client import Client as RestClient
from voyageai_rest.models import EmbeddingsRequest, EmbeddingsResponse, OutputDtype


def blocking(texts: list[str]) -> None:
    with voyageai.Client(max_retries=2) as vo:
        assert_type(vo, voyageai.Client)
        result = vo.embed(texts, model="voyage-4", input_type="document")
        assert_type(result, EmbeddingsObject)
        assert_type(result.embeddings, list[list[float]])
        assert_type(result.to_numpy(), npt.NDArray[Any])
        assert_type(result.total_tokens, int)
        assert_type(result.model, str | None)
        for vector in result:
            assert_type(vector, list[float])
        vo.embed(texts, model="a-model-to-come")
        vo.embed(texts, model="voyage-4", input_type="doc")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # must be refused
        chunks = vo.contextualized_embed([texts], model="voyage-context-4")
        assert_type(chunks, ContextualizedEmbeddingsObject)
        assert_type(chunks.results[0].embeddings, list[list[float]])
        mixed = vo.multimodal_embed([["a cat"]], model="voyage-multimodal-3.5")
        assert_type(mixed, MultimodalEmbeddingsObject)
        assert_type(mixed.image_pixels, int)
        assert_type(result.output_dtype, OutputDtype)
        assert_type(result.space, str | None)
        assert_type(result.to_bytes(), list[bytes])
        assert_type(result.similarity(result), npt.NDArray[Any])
        assert_type(chunks.results[0].chunk_texts, list[str] | None)
        assert_type(quantization.pack(result.to_numpy()), npt.NDArray[Any])
        assert_type(vo.count_tokens(texts, model="voyage-4"), int)
        assert_type(vo.count_usage([["a cat"]], "voyage-multimodal-3.5"), dict[str, int])
        clip = Video.from_path("cat.mp4", model="voyage-multimodal-3.5")
        vo.multimodal_embed_documents([[clip, voyageai.ImageUrl("https://example.com/a.png")]], "m")
        ranking = vo.rerank("q", texts, model="rerank-3", top_k=3)
        assert_type(ranking, RerankingObject)
        assert_type(ranking.results[0].relevance_score, float)
        assert_type(ranking.results[0].document, str)


async def asynchronous(texts: tuple[str, ...]) -> list[list[float]]:
    async with voyageai.AsyncClient() as vo:
        assert_type(vo, voyageai.AsyncClient)
        assert_type(await vo.embed_query("q", model="voyage-4"), EmbeddingsObject)
        assert_type(await vo.acount_tokens(texts, model="voyage-4"), int)
        return (await vo.embed_documents(texts, model="voyage-4")).embeddings


def failures(vo: voyageai.Client) -> int | None:
    try:
        vo.embed(["a"], model="voyage-4")
    except RateLimitError as error:
        assert_type(error.request_id, str | None)
        assert_type(error.headers, dict[str, str])
    except VoyageError as error:
        return error.http_status
    return None


def official() -> None:
    assert_type(voyageai.get_embedding("a"), list[float])
    assert_type(voyageai.default_chunk_fn(100)("a"), list[str])
    assert_type(voyageai.Embedding.create(input="a", model="voyage-4"), voyageai.Embedding)
    assert_type(voyageai.prompts.render("a", "query"), str)


def emulated() -> None:
    with emulator.running(tier="free") as url:
        assert_type(url, emulator.Emulator)
        assert_type(url.requests.last.status, int | None)
        voyageai.Client("any", base_url=url)


def generated(client: RestClient) -> None:
    request = EmbeddingsRequest(input=["a"], model="voyage-4", input_type=None)
    answer = create_embeddings.send(client=client, body=request)
    assert_type(answer.parsed, EmbeddingsResponse)
    assert_type(answer.parsed.data[0].embedding, list[float] | str)
    assert_type(find("voyage-4"), Model)
    EmbeddingsRequest(["a"], "voyage-4")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # must be refused
