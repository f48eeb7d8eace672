"""Typical code of users. Both type checkers read it; nothing runs it."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, assert_type

import numpy.typing as npt
import voyageai
from voyageai import emulator, quantization
from voyageai.batches import Batch, BatchEmbeddings, BatchRerankings, Failure, Job
from voyageai.error import RateLimitError, VoyageError
from voyageai.files import AsyncPages, FileObject, Pages
from voyageai.object import (
    ContextualizedEmbeddingsObject,
    EmbeddingsObject,
    MultimodalEmbeddingsObject,
    RerankingObject,
)
from voyageai.tables import Embedder, TableJob, TableResult, VectorTable
from voyageai.tables import Failure as FailedRow
from voyageai.video_utils import Video
from voyageai_rest.api.embeddings import create_embeddings
from voyageai_rest.catalogue import Model, find
from voyageai_rest.client import Client as RestClient
from voyageai_rest.models import EmbeddingsRequest, EmbeddingsResponse, OutputDtype


def blocking(texts: list[str]) -> None:
    voyageai.Client(open_telemetry={"tracer_provider": None, "propagation": False}).close()
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
        vo.embed("a text", model="voyage-4")
        vo.embed(("a", "tuple"), model="voyage-4")
        vo.embed(texts, model="voyage-4", input_type=1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # must be refused
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


def with_plain_strings(
    texts: list[str],
    documents: list[list[str]],
    mixed: list[list[str | Video]],
    written: list[dict[str, Any]],
    model: str,
    input_type: str,
    dtype: str | None,
    split: Callable[[str], list[str]],
    size: int | None,
) -> None:
    """Take any string, as the official client's annotations do."""
    vo = voyageai.Client(input_types={"embed": input_type})
    vo.embed(texts, model, input_type, True, dtype, size)
    vo.embed_query(texts[0], model, True, dtype, size)
    vo.embed_documents(texts, model, output_dtype=dtype)
    vo.contextualized_embed(documents, model, input_type, dtype, size, split, False, size, size)
    vo.contextualized_embed(texts, model, input_type)
    vo.contextualized_embed_query(texts[0], model, dtype)
    vo.contextualized_embed_documents(documents, model, dtype)
    vo.multimodal_embed(mixed, model, input_type, True, dtype, size)
    vo.multimodal_embed(written, model, input_type)
    vo.multimodal_embed_query(written, model, output_dtype=dtype)
    vo.multimodal_embed_documents(mixed, model, output_dtype=dtype)
    vo.rerank(texts[0], texts, model, size, True)
    vo.batches.embed(texts, model=model, input_type=input_type, output_dtype=dtype)
    vo.batches.prepare_embed(texts, model=model, input_type=input_type, output_dtype=dtype)
    vo.batches.contextualized_embed(
        documents, model=model, input_type=input_type, output_dtype=dtype
    )
    vo.batches.prepare_contextualized_embed(
        documents, model=model, input_type=input_type, output_dtype=dtype
    )
    voyageai.get_embeddings(texts, model, input_type)
    voyageai.prompts.render(texts[0], input_type, model)
    voyageai.prompts.prompt(input_type, model)
    quantization.truncate([[0.5]], 1, dtype or "float")
    voyageai.object.EmbeddingsObject()


async def with_plain_strings_too(
    texts: list[str], documents: list[list[str]], model: str, input_type: str, dtype: str
) -> None:
    vo = voyageai.AsyncClient(input_types={"embed": input_type})
    await vo.embed(texts, model, input_type, True, dtype)
    await vo.embed_query(texts[0], model, output_dtype=dtype)
    await vo.embed_documents(texts, model, output_dtype=dtype)
    await vo.contextualized_embed(documents, model, input_type, dtype)
    await vo.contextualized_embed_query(texts[0], model, dtype)
    await vo.contextualized_embed_documents(documents, model, dtype)
    await vo.multimodal_embed(documents, model, input_type, True, dtype)
    await vo.multimodal_embed_query(documents, model, output_dtype=dtype)
    await vo.multimodal_embed_documents(documents, model, output_dtype=dtype)
    await vo.batches.embed(texts, model=model, input_type=input_type, output_dtype=dtype)
    await voyageai.aget_embeddings(texts, model, input_type)


class Traced(voyageai.Client):
    """A subclass as users of the official client write it."""

    def embed_two(self, texts: list[str], model: str, input_type: str | None = None) -> list[float]:
        return super().embed(texts, model=model, input_type=input_type).embeddings[1]


async def asynchronous(texts: tuple[str, ...]) -> list[list[float]]:
    async with voyageai.AsyncClient() as vo:
        assert_type(vo, voyageai.AsyncClient)
        assert_type(await vo.embed_query("q", model="voyage-4"), EmbeddingsObject)
        assert_type(await vo.acount_tokens(texts, model="voyage-4"), int)
        return (await vo.embed_documents(texts, model="voyage-4")).embeddings


def offline(vo: voyageai.Client, lines: list[dict[str, object]]) -> datetime:
    file = vo.files.upload(lines, progress=lambda sent, total: print(sent / total))
    assert_type(file, FileObject)
    assert_type(file.expires_at, datetime | None)
    assert_type(vo.files.list(), Pages[FileObject])
    batch = vo.batches.create("/v1/embeddings", file.id, {"model": "voyage-4"})
    assert_type(vo.batches.wait(batch, poll=1, timeout=60), Batch)
    assert_type(batch.output_file_id, str | None)
    vo.batches.create("/v1/embedding", file.id, {"model": "voyage-4"})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # must be refused
    vo.files.upload(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # must be refused
    for row in vo.files.content(file.id).lines():
        assert_type(row, dict[str, Any])
    assert_type(vo.files.content(file.id).write_to("lines.jsonl", resume=True), Path)
    assert_type(vo.files.with_raw_response.upload(lines).parse(), FileObject)
    return batch.created_at


def jobs(vo: voyageai.Client, texts: Iterable[str]) -> list[Failure]:
    results = vo.batches.embed(texts, model="voyage-4", directory="job", max_cost=1.5)
    assert_type(results, BatchEmbeddings)
    assert_type(results.to_numpy(fill=0), npt.NDArray[Any])
    for row in results:
        assert_type(row.result, list[float] | None)
    job = vo.batches.prepare_rerank([("q", ["a", "b"])], model="rerank-2.5", progress=print)
    assert_type(job, Job[BatchRerankings])
    assert_type(job.estimate.cost, float | None)
    for ranking in job.run():
        assert_type(ranking.result, RerankingObject | None)
    vo.batches.embed(texts, model="voyage-4", retries=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # must be refused
    return list(results.failures)


async def jobs_too(vo: voyageai.AsyncClient, texts: AsyncIterable[str]) -> None:
    async for row in await vo.batches.embed(texts, model="voyage-4"):
        assert_type(row.result, list[float] | None)


def tables(vo: voyageai.Client, rows: Iterable[dict[str, Any]]) -> list[FailedRow]:
    job = vo.tables.prepare_embed(
        "rows/*.parquet", text="body", id="id", model="voyage-4", into="vectors", keep=["title"]
    )
    assert_type(job, TableJob)
    assert_type(job.estimate.cost, float | None)
    assert_type(job.run(max_cost=1.5), TableResult)
    result = vo.tables.embed(rows, text="body", model="voyage-4", into=Path("v"), progress=print)
    assert_type(result.cost, float | None)
    table = voyageai.tables.open(result.path)
    assert_type(table, VectorTable)
    table.search(vo.embed_query("q", model="voyage-4"), k=3)
    embedder = Embedder("body", model="voyage-4", rate_limit=1, share=1 / 8, on_error="column")
    assert_type(embedder("any batch"), str)
    vo.tables.embed(rows, text="body", model="voyage-4", into="b", via="batch", poll=60.0)
    vo.tables.embed(rows, text="body", model="voyage-4", into="v", via="post")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # must be refused
    vo.tables.embed(rows, text="body", model="voyage-4", into="v", on_error="skip")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # must be refused
    return list(result.failures())


async def tables_too(vo: voyageai.AsyncClient, rows: Iterable[dict[str, Any]]) -> None:
    ranked = await vo.tables.rerank(rows, query="q", document="d", model="rerank-2.5", into="r")
    assert_type(ranked, TableResult)
    job = await vo.tables.prepare_embed(rows, text="body", model="voyage-4", into="v")
    assert_type(await job.retry_failed(), TableResult)


async def offline_too(vo: voyageai.AsyncClient) -> None:
    assert_type(vo.files.list(), AsyncPages[FileObject])
    async for batch in vo.batches.list():
        assert_type(await vo.batches.cancel(batch.id), Batch)
    async with vo.files.content("file-1") as content:
        async for piece in content.iter_bytes():
            assert_type(piece, bytes)


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
