"""Frameworks built on the official client run on this one, unchanged: real installs, real HTTP.

Each embeds a small corpus and finds the right answer. A framework that is not installed is skipped
by name; the session installs them all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from .conftest import ANSWER, CORPUS, QUESTION

pytestmark = pytest.mark.filterwarnings("default")  # of the frameworks' own


def nearest(query: Sequence[float], documents: Sequence[Sequence[float]]) -> int:
    """Return the index of the nearest document."""
    return int(np.argmax(np.asarray(documents) @ np.asarray(query)))


def test_langchain_embeds_and_finds() -> None:
    """LangChain splits texts into batches with the model's tokenizer."""
    embeddings = pytest.importorskip("langchain_voyageai").VoyageAIEmbeddings(model="voyage-4")
    documents = embeddings.embed_documents(list(CORPUS))

    assert {float} == {type(number) for vector in documents for number in vector}
    assert ANSWER == nearest(embeddings.embed_query(QUESTION), documents)


def test_langchain_embeds_without_blocking() -> None:
    """LangChain's asynchronous methods use AsyncClient."""
    embeddings = pytest.importorskip("langchain_voyageai").VoyageAIEmbeddings(model="voyage-3.5")

    async def find() -> int:
        documents = await embeddings.aembed_documents(list(CORPUS))
        return nearest(await embeddings.aembed_query(QUESTION), documents)

    assert ANSWER == asyncio.run(find())


def test_langchain_embeds_in_context() -> None:
    """LangChain sends contextualized models through another method of the client."""
    embeddings = pytest.importorskip("langchain_voyageai").VoyageAIEmbeddings(
        model="voyage-context-3"
    )
    documents = embeddings.embed_documents(list(CORPUS))

    assert ANSWER == nearest(embeddings.embed_query(QUESTION), documents)


def test_langchain_reranks() -> None:
    """LangChain returns the documents with their scores."""
    langchain = pytest.importorskip("langchain_voyageai")
    Document = pytest.importorskip("langchain_core.documents").Document
    reranker = langchain.VoyageAIRerank(model="rerank-2.5", top_k=2)
    found = reranker.compress_documents([Document(page_content=text) for text in CORPUS], QUESTION)

    assert [2, CORPUS[ANSWER]] == [len(found), found[0].page_content]


def test_llama_index_embeds_and_finds() -> None:
    """LlamaIndex embeds texts one by one and in batches."""
    package = pytest.importorskip("llama_index.embeddings.voyageai")
    embeddings = package.VoyageEmbedding(model_name="voyage-3.5")
    documents = embeddings.get_text_embedding_batch(list(CORPUS))

    assert ANSWER == nearest(embeddings.get_query_embedding(QUESTION), documents)
    assert documents[0] == embeddings.get_text_embedding(CORPUS[0])


def test_llama_index_embeds_pictures(tmp_path: Any) -> None:
    """LlamaIndex reads picture files itself, by path."""
    package = pytest.importorskip("llama_index.embeddings.voyageai")
    Image = pytest.importorskip("PIL.Image")
    Image.new("RGB", (64, 48), "teal").save(tmp_path / "teal.png")
    embeddings = package.VoyageEmbedding(model_name="voyage-multimodal-3")

    assert 1024 == len(embeddings.get_image_embedding(str(tmp_path / "teal.png")))


def test_llama_index_reranks() -> None:
    """LlamaIndex reranks the results of a retrieval."""
    package = pytest.importorskip("llama_index.postprocessor.voyageai_rerank")
    schema = pytest.importorskip("llama_index.core.schema")
    reranker = package.VoyageAIRerank(model="rerank-2.5", top_n=1, api_key="pa-emulated")
    nodes = [schema.NodeWithScore(node=schema.TextNode(text=text), score=0.0) for text in CORPUS]
    [found] = reranker.postprocess_nodes(nodes, query_str=QUESTION)

    assert CORPUS[ANSWER] == found.node.get_content()


def test_haystack_embeds_and_ranks() -> None:
    """Haystack's components embed texts and documents, and rank them."""
    embedders = pytest.importorskip("haystack_integrations.components.embedders.voyage_embedders")
    Document = pytest.importorskip("haystack").Document
    documents = embedders.VoyageDocumentEmbedder(model="voyage-3.5", progress_bar=False).run(
        [Document(content=text) for text in CORPUS]
    )["documents"]
    query = embedders.VoyageTextEmbedder(model="voyage-3.5").run(QUESTION)["embedding"]
    assert ANSWER == nearest(query, [document.embedding for document in documents])

    ranker = pytest.importorskip("haystack_integrations.components.rankers.voyage").VoyageRanker(
        model="rerank-2.5"
    )
    ranked = ranker.run(QUESTION, [Document(content=text) for text in CORPUS])["documents"]
    assert CORPUS[ANSWER] == ranked[0].content


def test_pydantic_ai_embeds_without_blocking() -> None:
    """Pydantic AI reads and writes the client's parameters directly."""
    embeddings = pytest.importorskip("pydantic_ai.embeddings.voyageai")
    Embedder = pytest.importorskip("pydantic_ai").Embedder

    async def find() -> int:
        embedder = Embedder(embeddings.VoyageAIEmbeddingModel("voyage-4"))
        documents = await embedder.embed_documents(list(CORPUS))
        query = await embedder.embed_query(QUESTION)
        return nearest(query.embeddings[0], documents.embeddings)

    assert ANSWER == asyncio.run(find())


def test_chroma_stores_and_queries() -> None:
    """A Chroma collection embeds what it stores and what it is asked for."""
    chromadb = pytest.importorskip("chromadb")
    functions = pytest.importorskip("chromadb.utils.embedding_functions")
    function = functions.VoyageAIEmbeddingFunction(model_name="voyage-4")
    collection = chromadb.EphemeralClient().create_collection("facts", embedding_function=function)
    collection.add(ids=[str(n) for n in range(len(CORPUS))], documents=list(CORPUS))
    found = collection.query(query_texts=[QUESTION], n_results=1)

    assert [[str(ANSWER)]] == found["ids"]


def test_lancedb_stores_searches_and_reranks(tmp_path: Any) -> None:
    """A LanceDB table embeds by itself, and its reranker orders the results."""
    lancedb = pytest.importorskip("lancedb")
    registry = pytest.importorskip("lancedb.embeddings").get_registry()
    schema = pytest.importorskip("lancedb.pydantic")
    function = registry.get("voyageai").create(name="voyage-4")

    class Fact(schema.LanceModel):
        text: str = function.SourceField()
        vector: schema.Vector(function.ndims()) = function.VectorField()

    table = lancedb.connect(tmp_path).create_table("facts", schema=Fact)
    table.add([{"text": text} for text in CORPUS])
    assert CORPUS[ANSWER] == table.search(QUESTION).limit(1).to_list()[0]["text"]

    reranker = pytest.importorskip("lancedb.rerankers").VoyageAIReranker(
        model_name="rerank-2.5", column="text"
    )
    found = table.search(QUESTION).limit(5).rerank(reranker, QUESTION).to_list()
    assert CORPUS[ANSWER] == found[0]["text"]


def test_agno_embeds_and_finds() -> None:
    """Agno embeds one text at a time, blocking and asynchronously."""
    embedder = pytest.importorskip("agno.knowledge.embedder.voyageai").VoyageAIEmbedder(
        id="voyage-4"
    )
    documents = [embedder.get_embedding(text) for text in CORPUS]

    assert ANSWER == nearest(embedder.get_embedding(QUESTION), documents)
    assert documents[0] == asyncio.run(embedder.async_get_embedding(CORPUS[0]))


def test_unstructured_ingest_embeds_elements() -> None:
    """unstructured-ingest embeds elements in batches of its own size."""
    package = pytest.importorskip("unstructured_ingest.embed.voyageai")
    config = package.VoyageAIEmbeddingConfig(api_key="pa-emulated", model_name="voyage-4")
    encoder = package.VoyageAIEmbeddingEncoder(config=config)
    elements = encoder.embed_documents([{"text": text, "type": "Text"} for text in CORPUS])

    assert ANSWER == nearest(encoder.embed_query(QUESTION), [one["embeddings"] for one in elements])
