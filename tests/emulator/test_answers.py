"""The responses of the four model endpoints."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import attrs
import httpx2
import numpy as np
import pytest
from numpy.typing import NDArray
from voyageai_emulator import running, tokenizer
from voyageai_emulator.app import Application
from voyageai_emulator.embeddings import chunk_documents
from voyageai_emulator.engine import LexicalEngine
from voyageai_emulator.settings import Settings
from voyageai_rest.catalogue import MODELS, PROMPTS
from voyageai_rest.dtypes import DTYPES

from tests.emulator.contract_client import ContractClient, send
from tests.emulator.test_validation import PREAMBLE

CHUNKED: dict[str, Any] = {
    "model": "voyage-context-4",
    "input_type": "document",
    "enable_auto_chunking": True,
}
TEXTS = ["Open a gzip-compressed file.", "Remove a directory tree.", "naïve 東京 🚀"]


def vectors(answer: dict[str, Any]) -> NDArray[np.float32]:
    """Return the vectors of an answer that has them as numbers, of shape (texts, dimension)."""
    return np.array([entry["embedding"] for entry in answer["data"]], np.float32)


def embed(ask: ContractClient, texts: list[str], **options: Any) -> NDArray[np.float32]:
    """Return vectors of texts, by voyage-4 unless another model is given."""
    return vectors(ask("/embeddings", {"input": texts, "model": "voyage-4", **options}))


def test_vectors_come_in_order_with_the_texts_tokens(ask: ContractClient) -> None:
    """Clients place vectors by index, and add up tokens."""
    answer = ask("/embeddings", {"input": TEXTS, "model": "voyage-4"})
    assert [0, 1, 2] == [entry["index"] for entry in answer["data"]]
    assert {"total_tokens": sum(map(tokenizer.count, TEXTS))} == answer["usage"]
    assert ("list", "embedding") == (answer["object"], answer["data"][0]["object"])


def test_a_single_text_is_a_list_of_one(ask: ContractClient) -> None:
    """The API accepts both forms and gives the same response."""
    assert ask("/embeddings", {"input": "a", "model": "voyage-4"}) == ask(
        "/embeddings", {"input": ["a"], "model": "voyage-4"}
    )


@pytest.mark.parametrize("dtype", DTYPES)
def test_base64_and_numbers_are_the_same_vectors(ask: ContractClient, dtype: str) -> None:
    """A client may ask for either format, and neither loses precision."""
    body = {"input": TEXTS, "model": "voyage-4", "output_dtype": dtype}
    numbers = ask("/embeddings", body)
    packed = ask("/embeddings", {**body, "encoding_format": "base64"})
    number = DTYPES[dtype].number
    for plain, coded in zip(numbers["data"], packed["data"], strict=True):
        decoded = np.frombuffer(
            base64.b64decode(coded["embedding"]), f"<{np.dtype(number).str[1:]}"
        )
        assert decoded.tolist() == np.array(plain["embedding"], number).tolist()
        assert 1024 // DTYPES[dtype].dimensions_per_number == len(decoded)


def test_a_prompt_by_hand_is_the_same_as_an_input_type(ask: ContractClient) -> None:
    """The documentation publishes the prompts, so users may write them by hand."""
    assert MODELS["voyage-4"].prompts is not None
    prompts = PROMPTS[MODELS["voyage-4"].prompts]
    for kind, prompt in (("query", prompts.query), ("document", prompts.document)):
        asked = embed(ask, TEXTS, input_type=kind)
        by_hand = embed(ask, [prompt + text for text in TEXTS])
        assert asked.tolist() == by_hand.tolist()


def test_every_model_of_a_space_can_search_the_others_documents(ask: ContractClient) -> None:
    """Users can search documents of a large model with cheaper queries of a small one."""
    documents = embed(ask, TEXTS, model="voyage-4-large", input_type="document")
    queries = embed(ask, TEXTS, model="voyage-4-lite", input_type="query")
    apart = embed(ask, TEXTS, model="voyage-code-4", input_type="document")
    assert [0, 1, 2] == (queries @ documents.T).argmax(axis=1).tolist()
    assert np.abs(queries @ apart.T).max() < 0.2


def test_a_chunk_leans_towards_its_document(ask: ContractClient) -> None:
    """Contextualized vectors must depend on the document, which is their purpose."""
    chunk = "The fee rose by three percent."
    body = {
        "inputs": [[chunk, "Lighthouse keepers of Norway."], [chunk, "Dentists of Peru."]],
        "model": "voyage-context-4",
    }
    answer = ask("/contextualizedembeddings", body)
    assert [0, 1] == [entry["index"] for entry in answer["data"]]
    assert [0, 1] == [entry["index"] for entry in answer["data"][0]["data"]]
    norway, peru = map(vectors, answer["data"])
    alone = vectors(ask("/contextualizedembeddings", {**body, "inputs": [[chunk]]})["data"][0])[0]
    assert norway[0].tolist() != peru[0].tolist()
    assert norway[0] @ peru[0] > 0.8
    assert norway[0] @ alone > 0.8
    assert norway[0] @ norway[1] > peru[0] @ norway[1]
    tokens_of_both = sum(tokenizer.count(text) for document in body["inputs"] for text in document)
    assert {"total_tokens": tokens_of_both} == answer["usage"]
    assert "chunker_version" not in answer
    assert "text" not in answer["data"][0]["data"][0]


@pytest.mark.parametrize("nested", [True, False])
def test_documents_are_chunked_on_request(ask: ContractClient, nested: bool) -> None:
    """Each chunk brings its text, and flat and nested documents give the same chunks."""
    text = "one two three four five six seven"
    answer = ask(
        "/contextualizedembeddings",
        {
            "inputs": [[text], ["one"]] if nested else [text, "one"],
            "model": "voyage-context-4",
            "input_type": "document",
            "enable_auto_chunking": True,
            "chunk_size": 3,
            "chunk_overlap": 1,
        },
    )
    chunks = [[entry["text"] for entry in document["data"]] for document in answer["data"]]
    expected = [["one two three", " three four five", " five six seven"], ["one"]]
    assert expected == chunks
    assert answer["chunker_version"]
    assert {"total_tokens": 8} == answer["usage"]


def test_long_documents_are_taken_with_chunking_only(ask: ContractClient) -> None:
    """The limit is per document, and the message is the API's."""
    limit = MODELS["voyage-context-4"].context_length
    assert limit is not None
    inputs = ["a", "word " * (limit + 1)]
    body: dict[str, Any] = {"inputs": [[text] for text in inputs], "model": "voyage-context-4"}
    reason = ask.refused("/contextualizedembeddings", body)
    assert reason.startswith(
        f"Request to model 'voyage-context-4' failed. The example at index 1 in your batch has too "
        f"many tokens and does not fit into the model's context window of {limit} tokens. "
        "Contextualized chunk embeddings do not support truncation."
    )
    chunked = {**body, "enable_auto_chunking": True, "input_type": "document"}
    assert len(ask("/contextualizedembeddings", chunked)["data"][1]["data"]) > 60


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"inputs": ["a"]}, "a flat list needs enable_auto_chunking or input_type 'query'"),
        ({"inputs": ["a"], "input_type": "document"}, "a flat list needs enable_auto_chunking"),
        (
            {"inputs": [["a", "b"]], "input_type": "query"},
            "with input_type 'query' each input holds one query",
        ),
        (
            {"inputs": ["a"], "enable_auto_chunking": True},
            "enable_auto_chunking requires input_type 'document'",
        ),
        (
            {"inputs": [["a", "b"]], "enable_auto_chunking": True, "input_type": "document"},
            "with enable_auto_chunking each input holds one document",
        ),
        (
            {
                "inputs": ["a"],
                "enable_auto_chunking": True,
                "input_type": "document",
                "chunk_size": 2,
                "chunk_overlap": 2,
            },
            "chunk_overlap must be less than chunk_size",
        ),
    ],
)
def test_arguments_that_do_not_go_together_are_refused(
    ask: ContractClient, options: dict[str, Any], reason: str
) -> None:
    """The schema can't express these combinations, so the emulator checks them."""
    said = ask.refused("/contextualizedembeddings", {"model": "voyage-context-4", **options})
    assert said.startswith(PREAMBLE)
    assert reason in said


def test_more_chunks_than_the_model_takes_are_refused(ask: ContractClient) -> None:
    """A request of tiny chunks reaches this limit before the one on tokens."""
    most = MODELS["voyage-context-4"].max_request_chunks
    assert most is not None
    body = {"inputs": [["a"] * (most // 10)] * 10, "model": "voyage-context-4"}
    body["output_dimension"] = 256
    assert 10 == len(ask("/contextualizedembeddings", body)["data"])
    body["inputs"] = [*body["inputs"], ["a"]]
    reason = ask.refused("/contextualizedembeddings", body)
    assert f"The max allowed chunks per submitted batch is {most}." in reason


def test_chunks_beyond_those_that_the_model_takes_are_not_made() -> None:
    """A short text with overlapping chunks would take minutes to split."""
    model = attrs.evolve(MODELS["voyage-context-4"], max_request_chunks=5)
    documents = [["one two three four"], ["one two three four"], ["one"]]
    assert [4, 2, 0] == list(map(len, chunk_documents(documents, model, 1, 0)))
    app = Application(Settings(models={model.name: model}))
    body = {"inputs": ["one two three four"] * 2, **CHUNKED, "chunk_size": 1, "chunk_overlap": 0}
    response = send(app, "POST", "/contextualizedembeddings", body)
    assert "is 5. Your batch has more than 5 chunks." in response.json()["detail"]


def test_a_document_is_chunked_beside_the_event_loop() -> None:
    """Splitting one document must not keep all other requests waiting."""
    loops = []

    class Watched(LexicalEngine):
        def embed_chunks(self, *arguments: Any) -> Any:
            loops.append(asyncio._get_running_loop())
            return super().embed_chunks(*arguments)

    with running() as emulator:
        emulator.engine = Watched()
        http = {"headers": {"authorization": "Bearer any"}, "json": {"inputs": ["a"], **CHUNKED}}
        assert 200 == httpx2.post(f"{emulator}/contextualizedembeddings", **http).status_code
    assert [None] == loops


def test_a_document_too_long_for_chunking_is_told_that_limit(ask: ContractClient) -> None:
    """The message has the limit of chunking, and does not suggest what the request already does."""
    limit = MODELS["voyage-context-4"].auto_chunking_context_length
    assert limit is not None
    body = {
        "inputs": ["word " * (limit + 1)],
        "model": "voyage-context-4",
        "input_type": "document",
        "enable_auto_chunking": True,
    }
    reason = ask.refused("/contextualizedembeddings", body)
    assert f"the model's context window of {limit} tokens. Please lower the number" in reason
    assert "enable_auto_chunking" not in reason


def test_queries_may_come_flat(ask: ContractClient) -> None:
    """A query has no chunks, so it needs no list of its own."""
    body = {"model": "voyage-context-4", "input_type": "query"}
    assert ask("/contextualizedembeddings", {**body, "inputs": ["a", "b"]}) == ask(
        "/contextualizedembeddings", {**body, "inputs": [["a"], ["b"]]}
    )


DOCUMENTS = [
    "The cat sat on the mat.",
    "Paris is the capital of France.",
    "Berlin is the capital of Germany.",
    " \n",
]


def test_documents_are_ranked_by_relevance(ask: ContractClient) -> None:
    """The best document comes first, each with its index and a score from 0 to 1."""
    body = {"query": "What is the capital of France?", "documents": DOCUMENTS, "model": "rerank-3"}
    data = ask("/rerank", body)["data"]
    scores = [entry["relevance_score"] for entry in data]
    assert [1, 2] == [entry["index"] for entry in data][:2]
    assert sorted(scores, reverse=True) == scores
    assert 0 <= min(scores) < 0.3 < 0.7 < max(scores) <= 1
    assert "document" not in data[0]


@pytest.mark.parametrize(("top_k", "expected"), [(None, 4), (1, 1), (3, 3), (9, 4)])
def test_top_k_is_how_many_come_back(ask: ContractClient, top_k: int | None, expected: int) -> None:
    """A `top_k` above the number of documents returns all, and blank documents count."""
    body = {"query": "capital", "documents": DOCUMENTS, "model": "rerank-3", "top_k": top_k}
    assert expected == len(ask("/rerank", body)["data"])


def test_documents_come_back_on_request(ask: ContractClient) -> None:
    """Each document comes back unchanged beside its score."""
    body = {"query": "cat", "documents": DOCUMENTS, "model": "rerank-3", "return_documents": True}
    data = ask("/rerank", body)["data"]
    assert all(DOCUMENTS[entry["index"]] == entry["document"] for entry in data)
    assert DOCUMENTS[0] == data[0]["document"]


def test_an_empty_query_ranks_nothing_above_anything(ask: ContractClient) -> None:
    """The contract allows an empty query, so it gets an answer."""
    body = {"query": "", "documents": ["a", "b"], "model": "rerank-3"}
    scores = [entry["relevance_score"] for entry in ask("/rerank", body)["data"]]
    assert max(scores) < 0.1


def test_half_a_surrogate_pair_comes_back(ask: ContractClient) -> None:
    """JSON can contain a lone surrogate, which UTF-8 can't encode."""
    body = b'{"query":"a","documents":["\\ud800"],"model":"rerank-3","return_documents":true}'
    assert "\ud800" == ask("/rerank", body)["data"][0]["document"]
