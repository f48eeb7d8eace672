"""Results made from responses."""

from __future__ import annotations

import copy
import gc
import json
import pickle
import sys
import tracemalloc
from array import array
from collections import namedtuple

import httpx2
import numpy as np
import pytest
from voyageai.api_resources import VoyageResponse
from voyageai.error import MalformedResponseError, ServerError
from voyageai.object import (
    ContextualizedEmbeddingsObject,
    EmbeddingsObject,
    MultimodalEmbeddingsObject,
    RerankingObject,
)

from .conftest import answer_to, packed

TEXTS = {"texts": ["a", "b", "c"], "model": "voyage-4"}


def answering(data, **more):
    """Return a handler that answers with these entries."""
    answer = {"object": "list", "data": data, "model": "m", "usage": {"total_tokens": 3}, **more}
    return lambda request: httpx2.Response(200, json=answer)


def entry(index, embedding):
    """Return one vector of a response."""
    return {"object": "embedding", "index": index, "embedding": embedding}


def test_embeddings_are_lists_of_lists_of_python_floats(face):
    """Frameworks check for these types, and modify the lists."""
    result = face.call(face.client(), "embed", **TEXTS)

    assert [[0.0, 0.5], [1.0, 1.5], [2.0, 2.5]] == result.embeddings
    assert all(isinstance(vector, list) for vector in result.embeddings)
    assert {float} == {type(number) for vector in result.embeddings for number in vector}
    assert result.embeddings is result.embeddings
    result.embeddings.append([9.0, 9.0])
    assert 4 == len(result)


def test_lists_made_by_two_threads_at_once_are_not_lost(face):
    """A thread may read the lists while another is creating them."""
    result = face.call(face.client(), "embed", **TEXTS)

    class Interrupted(type(result)):
        """A result in which another thread creates the lists between a check and its use."""

        first = True

        @property
        def _lists(self):
            seen = self.__dict__.get("_lists")
            if self.first:
                self.first = False
                assert 3 == len(self.embeddings)
            return seen

        @_lists.setter
        def _lists(self, value):
            self.__dict__["_lists"] = value

    result.__class__ = Interrupted

    assert [[0.0, 0.5], [1.0, 1.5], [2.0, 2.5]] == result.embeddings


@pytest.mark.parametrize("empty", ["", []])
def test_vectors_without_numbers_are_an_error(face, empty):
    """They would vanish from the result, and shift the vectors of later texts."""
    client = face.client(answering([entry(place, empty) for place in range(3)]))
    with pytest.raises(MalformedResponseError, match="there are no numbers"):
        face.call(client, "embed", **TEXTS)


@pytest.mark.parametrize("top_k", [0, -1])
def test_any_answer_to_a_top_k_below_one_is_accepted(face, top_k):
    """The API does not document top_k below 1, so any number of documents may be right."""
    data = [{"index": 0, "relevance_score": 0.5}]
    result = face.call(face.client(answering(data)), "rerank", "q", ["a", "b"], "m", top_k=top_k)

    assert ([(0, "a", 0.5)], top_k) == (result.results, face.body["top_k"])


def test_a_result_says_what_it_cost_and_where_it_came_from(face):
    """Accounting needs the tokens, and a support case the request id."""
    result = face.call(face.client(), "embed", **TEXTS)

    assert 7 == result.total_tokens
    assert 7 == result.usage.total_tokens
    assert "voyage-4" == result.model
    assert "req-1" == result.request_id
    assert "EmbeddingsObject(3 x 2 float32, model='voyage-4', total_tokens=7)" == repr(result)


def test_a_matrix_is_the_buffer_itself(face):
    """Copies would double the memory of large results."""
    result = face.call(face.client(), "embed", **TEXTS)
    first, second = result.to_numpy(), result.to_numpy()

    np.testing.assert_array_equal(np.float32([[0, 0.5], [1, 1.5], [2, 2.5]]), first)
    assert np.float32 == first.dtype
    assert np.shares_memory(first, second)
    assert first.flags.writeable


def test_a_matrix_after_lists_shows_what_the_lists_became(face):
    """Lists and matrix never disagree after a change to the lists."""
    result = face.call(face.client(), "embed", **TEXTS)
    result.embeddings[0][0] = 8.0

    assert np.float32(8.0) == result.to_numpy()[0, 0]


@pytest.mark.parametrize(
    ("dtype", "kind", "numbers", "expected"),
    [
        ("float", "f", [0.5, -0.25], np.float32),
        ("int8", "b", [-128, 127], np.int8),
        ("uint8", "B", [0, 255], np.uint8),
        ("binary", "b", [-51, 3], np.int8),
        ("ubinary", "B", [77, 255], np.uint8),
    ],
)
@pytest.mark.parametrize("encoded", [True, False])
def test_every_dtype_is_read_in_both_encodings(face, dtype, kind, numbers, expected, encoded):
    """Some gateways ignore encoding_format and answer with lists."""
    vector = packed(numbers, kind) if encoded else numbers
    client = face.client(answering([entry(0, vector)]))
    result = face.call(client, "embed", ["a"], model="voyage-4", output_dtype=dtype)

    np.testing.assert_array_equal(np.array([numbers], expected), result.to_numpy())
    assert expected == result.to_numpy().dtype
    assert [numbers] == result.embeddings
    assert {type(number) for number in numbers} == {type(n) for n in result.embeddings[0]}


def test_float_lists_keep_all_their_digits(face):
    """A gateway's numbers are passed through unrounded, as by the official client."""
    client = face.client(answering([entry(0, [0.1, 0.2])]))
    result = face.call(client, "embed", ["a"], model="voyage-4")

    assert [[0.1, 0.2]] == result.embeddings


def test_vectors_are_placed_by_their_index(face):
    """The official client trusts the order and returns wrong vectors for shuffled responses."""
    client = face.client(answering([entry(2, [2.0]), entry(0, [0.0]), entry(1, [1.0])]))
    result = face.call(client, "embed", **TEXTS)

    assert [[0.0], [1.0], [2.0]] == result.embeddings


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([entry(0, [1.0])], "expected 3 entries, found 1"),
        ([entry(0, [1.0]), entry(0, [1.0]), entry(1, [1.0])], "index 0 appears twice"),
        ([entry(0, [1.0]), entry(1, [1.0]), entry(3, [1.0])], "index 3 does not belong to any input"),
        ([entry(0, [1.0]), entry(1, [1.0]), entry(-1, [1.0])], "index -1 does not belong to any input"),
        ([entry(0, [1.0]), entry(1, [1.0, 2.0]), entry(2, [1.0])], r"data\[1\]: 2 numbers, but"),
        ([entry(0, packed([1.0])), entry(1, packed([1.0, 2.0])), entry(2, packed([1.0]))], r"data\[1\]: 8 bytes, but"),
        ([entry(0, packed([1.0])), entry(1, [1.0]), entry(2, [1.0])], r"data\[1\]: expected base64"),
        ([entry(0, [1.0]), entry(1, packed([1.0])), entry(2, [1.0])], r"data\[1\]: expected a list"),
        ([entry(0, "%"), entry(1, "%"), entry(2, "%")], r"data\[0\]: not base64"),
        ([entry(0, "AAA="), entry(1, "AAA="), entry(2, "AAA=")], r"data\[0\]: 2 bytes are no whole"),
        ([entry(0, ["x"]), entry(1, [1.0]), entry(2, [1.0])], r"data\[0\]: not all of it is float64"),
        ([{"index": 0}, entry(1, [1.0]), entry(2, [1.0])], r"data\[0\]\.embedding: missing"),
        ([entry("0", [1.0]), entry(1, [1.0]), entry(2, [1.0])], r"data\[0\]\.index: expected an integer"),
        ("text", "data: expected a list"),
    ],
)  # fmt: skip
def test_a_malformed_response_is_described(face, data, message):
    """Users get one typed error with status, body and place, never a raw AttributeError."""
    client = face.client(answering(data))
    with pytest.raises(MalformedResponseError, match=message) as raised:
        face.call(client, "embed", **TEXTS)

    assert 200 == raised.value.http_status
    assert "total_tokens" in raised.value.http_body


WIDE = [[float(row), 0.5] * 512 for row in range(20)]
"""Vectors that are large enough to be cut out of their answer before it is parsed."""
HOW_TO_SPELL = {
    "as the API does": str,
    "without spaces": lambda text: text.replace('": ', '":').replace(", ", ","),
    "with a space before colons": lambda text: text.replace('": ', '" : '),
    "on lines of its own": lambda text: text.replace('": ', '":\n\t'),
    "with escapes": lambda text: text.replace("/", "\\/").replace("AAA", "\\u0041AA"),
    "with another field that ends alike": lambda text: text.replace('"object"', '"a\\"embedding"'),
    "with marks of its own": lambda text: text.replace('"object"', '"#1"'),
    "the first with escapes": lambda text: text.replace("AAA", "\\u0041AA", 1),
    "the last with escapes": lambda text: "\\u0041AA".join(text.rsplit("AAA", 1)),
}


def spelled(data, spell=str):
    """Return a response body with these entries, in some way of writing JSON."""
    return spell(json.dumps({"data": data, "object": "list", "usage": {"total_tokens": 3}}))


def sent(content):
    """Return a handler that answers with a text."""
    return lambda request: httpx2.Response(200, content=content.encode())


@pytest.mark.parametrize("spell", HOW_TO_SPELL.values(), ids=HOW_TO_SPELL)
def test_large_answers_are_read_however_they_are_spelled(face, spell):
    """A fast path skips parsing vectors as JSON only if they are spelled as the API does."""
    data = [entry(n, packed(vector)) for n, vector in enumerate(WIDE)]
    client = face.client(sent(spelled(data[::-1], spell)))
    assert WIDE == face.call(client, "embed", ["a"] * 20, model="voyage-4").embeddings

    documents = [{"index": n, "data": data[:10]} for n in range(2)]
    client = face.client(sent(spelled(documents, spell)))
    found = face.call(client, "contextualized_embed", [["a"] * 10] * 2, model="voyage-context-4")
    assert [WIDE[:10]] * 2 == [document.embeddings for document in found.results]

    client = face.client(sent(spelled(data, spell)))
    found = face.call(client, "multimodal_embed", [["a"]] * 20, model="voyage-multimodal-3.5")
    assert WIDE == found.embeddings


@pytest.mark.parametrize(
    ("spell", "message"),
    [
        (lambda text: text[:-1], r"the body is not JSON \(Expecting"),
        (lambda text: text.replace("AAA", 'A"A', 1), r"the body is not JSON \(.*char 62\)"),
        (lambda text: text.replace("AAA", "%AA", 1), r"data\[0\]: not base64"),
        (lambda text: text.replace("AAA", "é", 1), "not base64"),
        (lambda text: text.replace("AAA", "\n", 1), "not "),
        (lambda text: text.replace('"index": 7', '"place": 7'), r"data\[7\]\.index: missing"),
        (lambda text: text.replace('"index": 7', '"index": 6'), "index 6 appears twice"),
        (lambda text: text.replace('"embedding": "', '"embedding": "#', 1), r"data\[0\]: not base64"),
        (lambda text: text.replace(packed(WIDE[5]), "#0"), r"data\[5\]: not base64"),
        (lambda text: text.replace(f'": "{packed(WIDE[5])}', '" : "#7'), r"data\[8\]: not base64"),
    ],
)  # fmt: skip
def test_a_large_malformed_response_is_described(face, spell, message):
    """The error carries the body as received, not as the fast path rewrote it."""
    data = [entry(n, packed(vector)) for n, vector in enumerate(WIDE)]
    client = face.client(sent(spelled(data, spell)))
    with pytest.raises(MalformedResponseError, match=message) as raised:
        face.call(client, "embed", ["a"] * 20, model="voyage-4")

    assert spelled(data, spell)[:9999] == str(raised.value.http_body)[:9999]


def test_large_lists_of_numbers_are_read_too(face):
    """Some gateways can't send base64."""
    data = [entry(n, vector) for n, vector in enumerate(WIDE)]
    client = face.client(sent(spelled(data)))
    assert WIDE == face.call(client, "embed", ["a"] * 20, model="voyage-4").embeddings

    client = face.client(sent(spelled([entry(0, packed(WIDE[0])), *data[1:]])))
    with pytest.raises(MalformedResponseError, match=r"data\[1\]: expected base64"):
        face.call(client, "embed", ["a"] * 20, model="voyage-4")


def test_contextualized_results_are_grouped_by_document(face):
    """One buffer holds all chunks, and each document sees only its own."""
    client = face.client()
    result = face.call(
        client, "contextualized_embed", [["a", "b"], ["c"]], model="voyage-context-4"
    )

    assert [[[0.0, 0.5], [1.0, 1.5]], [[10.0, 10.5]]] == [r.embeddings for r in result.results]
    assert [0, 1] == [r.index for r in result]
    assert 7 == result.total_tokens
    np.testing.assert_array_equal(
        np.float32([[10, 10.5]]),
        face.call(client, "contextualized_embed", [["a", "b"], ["c"]], model="voyage-context-4")
        .results[1]
        .to_numpy(),
    )
    assert result.chunk_texts is None


def test_chunks_of_a_chunk_function_come_back_with_their_vectors(face):
    """A user whose texts the client splits needs the chunks that were embedded."""
    result = face.call(
        face.client(),
        "contextualized_embed",
        [["a b", "c"]],
        "voyage-context-4",
        chunk_fn=str.split,
    )

    assert [["a", "b", "c"]] == result.chunk_texts
    assert ["a", "b", "c"] == result.results[0].chunk_texts
    assert 3 == len(result.results[0].embeddings)


@pytest.mark.parametrize(
    ("documents", "message"),
    [
        ([[{"text": "a"}, {}], [{"text": "b"}]], r"inputs\[0\] returned a partial set"),
        ([[{"text": "a"}], [{}]], "for some documents but not others"),
    ],
)
def test_chunk_texts_that_are_not_all_there_are_an_error(face, documents, message):
    """Texts would be matched with the wrong vectors."""
    data = [
        {
            "index": place,
            "data": [{**entry(number, [1.0]), **chunk} for number, chunk in enumerate(chunks)],
        }
        for place, chunks in enumerate(documents)
    ]
    client = face.client(answering(data))
    with pytest.raises(ServerError, match=message):
        face.call(
            client,
            "contextualized_embed",
            ["a", "b"],
            "voyage-context-4",
            "document",
            enable_auto_chunking=True,
        )


def test_multimodal_results_count_tokens_and_pixels(face):
    """Pixels are billed too."""
    result = face.call(face.client(), "multimodal_embed", [["a"]], model="voyage-multimodal-3.5")

    assert (5, 50, 0, 7) == (
        result.text_tokens,
        result.image_pixels,
        result.video_pixels,
        result.total_tokens,
    )


def test_a_usage_without_pixels_counts_none(face):
    """The official client raises AttributeError."""
    client = face.client(answering([entry(0, [1.0])]))
    result = face.call(client, "multimodal_embed", [["a"]], model="voyage-multimodal-3.5")

    assert (0, 3) == (result.video_pixels, result.total_tokens)


def test_rankings_keep_the_servers_order_and_carry_the_documents(face):
    """Every framework reads `result.results`."""
    result = face.call(
        face.client(), "rerank", "q", ["a", "b", "c", "d"], model="rerank-2.5", top_k=2
    )

    assert [(3, "d", 0.75), (2, "c", 0.5)] == result.results
    assert ["d", "c"] == [ranked.document for ranked in result]


def test_a_ranking_of_a_document_that_was_not_sent_is_an_error(face):
    """The official client raises IndexError."""
    client = face.client(answering([{"index": 2, "relevance_score": 0.5}]))
    with pytest.raises(MalformedResponseError, match="index 2 does not belong to any document"):
        face.call(client, "rerank", "q", ["a", "b"], model="rerank-2.5", top_k=1)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([{"index": 0, "relevance_score": 0.5}], "expected 2 entries, found 1"),
        ([{"index": 0, "relevance_score": 0.5}] * 2, "index 0 appears twice"),
        ([{"index": n, "relevance_score": float("nan")} for n in (0, 1)], r"data\[0\]: the relevance_score is nan"),
    ],
)  # fmt: skip
def test_a_ranking_that_makes_no_sense_is_an_error(face, data, message):
    """Each document has exactly one score, which is a finite number."""
    body = json.dumps({"data": data, "usage": {"total_tokens": 1}}).encode()
    client = face.client(lambda request: httpx2.Response(200, content=body))
    with pytest.raises(MalformedResponseError, match=message):
        face.call(client, "rerank", "q", ["a", "b"], model="rerank-2.5")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("encoded", [True, False])
def test_a_vector_that_is_not_finite_is_an_error(face, value, encoded):
    """It would corrupt every index that stores it."""
    numbers = [[0.5, -0.5], [0.5, value]]
    data = [entry(n, packed(row) if encoded else row) for n, row in enumerate(numbers)]
    body = json.dumps({"data": data, "usage": {"total_tokens": 1}}).encode()
    client = face.client(lambda request: httpx2.Response(200, content=body))
    with pytest.raises(MalformedResponseError, match=r"data\[1\]: number 1 is"):
        face.call(client, "embed", ["a", "b"], model="voyage-4")


def test_huge_numbers_are_numbers(face):
    """Only NaN and infinity are refused."""
    client = face.client(answering([entry(0, packed([3e38, -3e38]))]))

    assert 3e38 == pytest.approx(
        face.call(client, "embed", ["a"], model="voyage-4").embeddings[0][0]
    )


def test_a_dimension_that_was_not_asked_for_is_an_error(face):
    """A gateway that ignores the argument would mix vectors of two lengths."""
    client = face.client(answering([entry(0, [0.5] * 8)]))
    with pytest.raises(MalformedResponseError, match=r"data\[0\]: 8 numbers .* the dimension 256"):
        face.call(client, "embed", ["a"], model="voyage-4", output_dimension=256)


CALLS = [
    ("embed", {"texts": ["a", "b"], "model": "voyage-4"}, EmbeddingsObject),
    ("contextualized_embed", {"inputs": [["a", "b"]], "model": "voyage-context-4"}, ContextualizedEmbeddingsObject),
    ("multimodal_embed", {"inputs": [["a"]], "model": "voyage-multimodal-3.5"}, MultimodalEmbeddingsObject),
    ("rerank", {"query": "q", "documents": ["a", "b"], "model": "rerank-2.5"}, RerankingObject),
]  # fmt: skip


@pytest.mark.parametrize(("method", "arguments", "kind"), CALLS)
@pytest.mark.parametrize(
    "duplicate", [copy.copy, copy.deepcopy, lambda r: pickle.loads(pickle.dumps(r))]
)
def test_results_pickle_copy_and_compare(face, method, arguments, kind, duplicate):
    """Programs send results between processes and through caches."""
    result = face.call(face.client(), method, **arguments)
    other = duplicate(result)

    assert kind is type(other)
    assert result == other
    assert "req-1" == other.request_id
    other.total_tokens += 1
    assert result != other


def test_answers_made_by_hand_of_tuples_are_taken_in_their_order():
    """Tests of frameworks use named tuples, whose `index` is a method and not a field."""
    entry_ = namedtuple("entry_", "embedding")
    answer = VoyageResponse.construct_from({"usage": {"total_tokens": 3}})
    answer.data = [entry_([0.5]), entry_([1.0])]
    result = EmbeddingsObject(answer)

    assert [[0.5], [1.0]] == result.embeddings


def documents_by_hand(text=None):
    """Return a response of one document with one chunk."""
    more = {} if text is None else {"text": text}
    return VoyageResponse.construct_from(
        {"data": [{"data": [{"embedding": [0.5], **more}]}], "usage": {"total_tokens": 1}}
    )


def test_update_appends_documents_with_the_texts_that_come_with_them():
    """A document without chunk texts stays without, before or after others."""
    result = ContextualizedEmbeddingsObject(documents_by_hand())
    result.update(documents_by_hand("x"))

    assert [None, ["x"]] == [one.chunk_texts for one in result]
    assert [["x"]] == result.chunk_texts


def test_texts_that_were_split_here_go_before_those_of_the_server():
    """Otherwise each document would have its texts twice."""
    result = ContextualizedEmbeddingsObject(documents_by_hand("theirs"), [["ours"]])

    assert [["ours"]] == result.chunk_texts == [one.chunk_texts for one in result]


def test_update_appends_the_vectors_of_another_response():
    """The official result joins batches with `update`."""
    result = EmbeddingsObject()
    for numbers in ([1.0], [2.0]):
        result.update(hand_made([{"embedding": numbers}], 5))

    assert [[1.0], [2.0]] == result.embeddings
    assert 10 == result.total_tokens


def test_results_can_be_made_by_hand():
    """Tests of frameworks build them from plain objects without indexes."""
    reranking = RerankingObject(
        response=hand_made([{"index": 1, "relevance_score": 0.9}], 2), documents=["a", "b"]
    )

    assert [(1, "b", 0.9)] == reranking.results
    assert [] == EmbeddingsObject().embeddings
    assert 0 == EmbeddingsObject().total_tokens


def hand_made(data, tokens):
    """Return a response of plain objects."""
    from types import SimpleNamespace as Plain

    return Plain(data=[Plain(**entry) for entry in data], usage=Plain(total_tokens=tokens))


def test_a_missing_accelerator_is_replaced_by_the_standard_library(face, monkeypatch):
    """Platforms without a wheel of pybase64 get the same numbers, only slower."""
    expected = face.call(face.client(), "embed", **TEXTS).embeddings
    monkeypatch.setitem(sys.modules, "pybase64", None)

    assert expected == face.call(face.client(), "embed", **TEXTS).embeddings
    broken = face.client(answering([entry(n, "?") for n in range(3)]))
    with pytest.raises(MalformedResponseError, match="not base64"):
        face.call(broken, "embed", **TEXTS)


def test_numbers_are_little_endian_on_every_machine(face, monkeypatch):
    """Big-endian machines swap the bytes to get the same numbers."""
    swapped = array("f", [0.5, 0.25])
    swapped.byteswap()
    monkeypatch.setattr(sys, "byteorder", "big")
    client = face.client(answering([entry(0, packed(list(swapped)))]))

    assert [[0.5, 0.25]] == face.call(client, "embed", ["a"], model="voyage-4").embeddings


def test_without_numpy_lists_work_and_a_matrix_says_what_to_install(face, monkeypatch):
    """numpy is an extra, and the error names it."""
    monkeypatch.setitem(sys.modules, "numpy", None)
    result = face.call(face.client(), "embed", **TEXTS)

    with pytest.raises(ImportError, match='extra `numpy`: pip install "numpy'):
        result.to_numpy()
    assert 3 == len(result.embeddings)


def test_a_matrix_keeps_hardly_more_than_its_numbers():
    """Neither the response's text nor its objects stay in memory."""
    from .conftest import Face

    columns, rows = 1024, 200
    data = [entry(n, packed([0.5] * columns)) for n in range(rows)]
    face = Face("Client")
    client = face.client(answering(data))
    client.embed(["a"] * rows, model="voyage-4").to_numpy()  # loads what is loaded once
    face.requests.clear()
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    matrix = client.embed(["a"] * rows, model="voyage-4").to_numpy()
    face.requests.clear()
    gc.collect()
    kept = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()

    assert matrix.nbytes == 4 * columns * rows
    assert kept <= 1.1 * matrix.nbytes


def test_the_answers_of_these_tests_are_valid_json():
    """Otherwise these tests would test something else."""
    request = httpx2.Request("POST", "http://x/rerank", json={"documents": ["a"], "model": "m"})

    assert "m" == json.loads(answer_to(request).content)["model"]
