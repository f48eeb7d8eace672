"""Calls of both clients over real HTTP to the emulator."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import trio
import voyageai
import voyageai_emulator
from blockbuster import blockbuster_ctx
from voyageai import error, prompts
from voyageai_emulator import running
from voyageai_rest.catalogue import MODELS
from voyageai_rest.dtypes import DTYPES

pytestmark = pytest.mark.smoke

IMAGE = {
    "type": "image_base64",  # a white pixel
    "image_base64": "data:image/gif;base64,R0lGODdhAQABAIEAAP///wAAAAAAAAAAACwAAAAAAQABAAAIBAABBAQAOw==",
}
SERVED = [model for model in MODELS.values() if model.endpoint]
CALLS = [
    ("embed", {"texts": ["a", "b"], "model": "voyage-4"}),
    ("embed_query", {"text": "a", "model": "voyage-4"}),
    ("embed_documents", {"texts": ["a", "b"], "model": "voyage-4"}),
    ("contextualized_embed", {"inputs": [["a", "b"], ["c"]], "model": "voyage-context-4"}),
    ("multimodal_embed", {"inputs": [["a", IMAGE]], "model": "voyage-multimodal-3.5"}),
    ("rerank", {"query": "a", "documents": ["b", "a"], "model": "rerank-2.5"}),
]


@pytest.mark.parametrize(("method", "arguments"), CALLS)
def test_blocking_and_asynchronous_calls_have_the_same_result(vo, url, method, arguments):
    """A user who changes from one client to the other gets equal vectors."""

    async def call():
        async with voyageai.AsyncClient(api_key="emulator", base_url=url) as client:
            return await getattr(client, method)(**arguments)

    assert getattr(vo, method)(**arguments) == asyncio.run(call())


@pytest.mark.parametrize(("method", "arguments"), CALLS)
def test_asynchronous_calls_never_block_the_event_loop(url, method, arguments):
    """Async frameworks may run a watchdog that fails on blocking calls."""

    async def call():
        client = voyageai.AsyncClient(api_key="emulator", base_url=url)
        with blockbuster_ctx():
            result = await getattr(client, method)(**arguments)
        await client.aclose()
        return result

    assert asyncio.run(call()).total_tokens > 0


@pytest.mark.parametrize(("method", "arguments"), CALLS)
def test_calls_have_the_same_result_on_trio(vo, url, method, arguments):
    """Users of trio can use the asynchronous client too."""

    async def call():
        async with voyageai.AsyncClient(api_key="emulator", base_url=url) as client:
            return await getattr(client, method)(**arguments)

    assert getattr(vo, method)(**arguments) == trio.run(call)


@pytest.mark.parametrize("model", SERVED, ids=lambda model: model.name)
def test_every_served_model_answers(vo, model):
    """Both sides read limits and dimensions from the catalogue, so they agree."""
    match model.endpoint:
        case "embeddings":
            result = vo.embed(["a"], model=model.name)
        case "contextualizedembeddings":
            result = vo.contextualized_embed([["a"]], model=model.name).results[0]
        case "multimodalembeddings":
            result = vo.multimodal_embed([["a"]], model=model.name)
        case _:
            assert 1 == len(vo.rerank("a", ["b"], model=model.name))
            return

    assert model.dimensions.default == len(result.embeddings[0])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("dimension", MODELS["voyage-4"].dimensions.allowed)
def test_every_dimension_and_dtype_has_its_length(vo, dtype, dimension):
    """Binary dtypes pack eight dimensions into one number."""
    matrix = vo.embed(
        ["a"], model="voyage-4", output_dtype=dtype, output_dimension=dimension
    ).to_numpy()

    assert (1, dimension // DTYPES[dtype].dimensions_per_number) == matrix.shape
    assert DTYPES[dtype].number == matrix.dtype.name


def test_a_search_finds_what_it_should(vo):
    """The shortest useful program must find the right document."""
    texts = ["The cat sleeps on the sofa.", "Shares fell in Tokyo.", "The recipe needs two eggs."]
    documents = vo.embed_documents(texts, model="voyage-4").to_numpy()
    query = vo.embed_query("Where does the cat sleep?", model="voyage-4").to_numpy()[0]

    assert 0 == int(np.argmax(documents @ query))
    assert (
        texts[0] == vo.rerank("Where does the cat sleep?", texts, "rerank-2.5").results[0].document
    )


def test_prompts_are_what_the_server_puts_before_a_text(vo):
    """A text with its prompt written by hand and a text with `input_type` have equal vectors."""
    by_hand = vo.embed([prompts.render("Where are the keys?", "query")], model="voyage-4")
    by_type = vo.embed_query("Where are the keys?", model="voyage-4")

    assert by_hand.embeddings == by_type.embeddings


def test_auto_chunking_returns_the_chunks(vo):
    """Vectors are useless unless the user knows which chunk each belongs to."""
    text = "The river rose. " * 100
    result = vo.contextualized_embed(
        [text], "voyage-context-4", "document", enable_auto_chunking=True, chunk_size=64
    )

    assert text.split() == " ".join(result.results[0].chunk_texts).split()
    assert len(result.results[0].embeddings) == len(result.chunk_texts[0]) > 1
    assert result.chunker_version


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda vo: vo.embed(["a"], model="voyage-unknown"), error.InvalidRequestError, "voyage-unknown is not supported"),
        (lambda vo: vo.embed(["a"], model="rerank-2.5"), error.InvalidRequestError, "rerank-2.5 is not supported"),
        (lambda vo: vo.embed(["word " * 9999] * 99, model="voyage-4"), error.InvalidRequestError, "max allowed tokens per submitted batch is 320000"),
        (lambda vo: vo.embed(["word " * 99999], model="voyage-4", truncation=False), error.InvalidRequestError, "."),
    ],
)  # fmt: skip
def test_refusals_of_the_server_come_back_in_its_words(vo, call, kind, message):
    """Only the server knows its token counts, so its message is the one that helps."""
    with pytest.raises(kind, match=message) as raised:
        call(vo)

    assert 400 == raised.value.http_status
    assert raised.value.request_id


def test_a_key_that_the_server_refuses_is_an_authentication_error():
    """The error has the server's message."""
    with (
        voyageai_emulator.running(api_key="right") as url,
        voyageai.Client(api_key="wrong", base_url=url) as vo,
        pytest.raises(error.AuthenticationError, match="Provided API key is invalid"),
    ):
        vo.embed(["a"], model="voyage-4")


def test_no_server_is_a_connection_error():
    """A refused connection has its own class, so a caller can retry or report it."""
    with (
        voyageai.Client(api_key="k", base_url="http://127.0.0.1:9/v1") as vo,
        pytest.raises(error.APIConnectionError, match="Error communicating with VoyageAI"),
    ):
        vo.embed(["a"], model="voyage-4")


def test_a_client_is_shared_by_threads(vo):
    """Each thread must get the response to its own request."""
    texts = [f"text {number}" for number in range(64)]
    expected = vo.embed(texts, model="voyage-4").embeddings
    with ThreadPoolExecutor(16) as pool:
        found = pool.map(lambda text: vo.embed([text], model="voyage-4").embeddings[0], texts)

    assert expected == list(found)


def test_a_base_url_without_its_end_is_said_to_lack_it():
    """Without this hint, a plain 'Not Found' would make users look for a missing model."""
    with (
        running() as emulator,
        voyageai.Client("any-key", base_url=emulator.origin) as vo,
        pytest.raises(
            voyageai.error.NotFoundError, match="The base URL lacks /v1; the API's end in"
        ),
    ):
        vo.embed_query("a", model="voyage-4")
