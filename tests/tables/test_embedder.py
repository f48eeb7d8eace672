"""The embedder takes record batches and returns them with vectors."""

from __future__ import annotations

import asyncio
import pickle
from typing import Any

import httpx2
import pyarrow as pa
import pytest
import voyageai
from voyageai.error import ArgumentError, AuthenticationError, InvalidRequestError
from voyageai.ratelimit import RateLimit, RateLimiter
from voyageai.tables import AsyncEmbedder, Embedder

from .conftest import KEY, OPTIONS, Api, number_of

BATCH = pa.record_batch(
    {
        "id": pa.array(range(5)),
        "body": pa.array(["one", "two", None, "", "refused"], pa.large_string()),
    }
)


@pytest.fixture(params=[Embedder, AsyncEmbedder])
def made(request: pytest.FixtureRequest, api: Api) -> Any:
    """Return a function that makes an embedder, and a blocking function that calls it."""

    def make(**options: Any) -> Any:
        own = {"api_key": KEY, "transport": httpx2.MockTransport(api)}
        found = request.param("body", model="voyage-4", **{**own, **OPTIONS, **options})

        def call(batch: Any) -> Any:
            result = found(batch)
            return result if request.param is Embedder else asyncio.run(waited(result))

        return found, call

    return make


async def waited(value: Any) -> Any:
    """Return the result of an awaitable, or a plain result."""
    return await value


def numbers(column: Any) -> list[float | None]:
    """Return the number of which each vector consists, or None for null."""
    return [None if vector is None else vector[0] for vector in column.to_pylist()]


def test_vectors_and_reasons_are_columns_beside_the_others(made, api):
    """A row that is refused gets a reason, and the others get their vectors."""
    api.refuse = lambda text: 400 if text == "refused" else None
    embedder, call = made(on_error="column")
    out = call(BATCH)

    assert BATCH.columns == out.columns[:2]
    wanted = [number_of("one"), number_of("two"), None, None, None]
    assert wanted == numbers(out["embedding"])
    errors = out["error"].to_pylist()
    assert [None, None, None, "it is empty"] == errors[:4]
    assert "this text is refused" in errors[4]
    assert embedder.schema(BATCH.schema) == out.schema
    assert pa.list_(pa.float32(), 256) == out.schema.field("embedding").type


def test_rows_without_a_vector_are_null_or_raise(made, api):
    """The user chooses by `on_error`, and an input that is null is never an error."""
    api.refuse = lambda text: 400 if text == "refused" else None
    embedder, call = made(on_error="null", column="vector")
    out = call(BATCH)
    assert ["id", "body", "vector"] == out.schema.names == embedder.schema(BATCH.schema).names
    assert 3 == out["vector"].null_count

    _, call = made()
    with pytest.raises(ArgumentError, match="row 3 of a batch has no vector: it is empty"):
        call(BATCH)
    with pytest.raises(InvalidRequestError) as caught:
        call(BATCH.take([0, 4]))
    assert "row 1 of a batch has no vector" in caught.value.__notes__[-1]
    assert 1 == call(BATCH.slice(0, 3))["embedding"].null_count


def test_tables_empty_batches_and_nulls_alone_keep_their_kind(made, api):
    """Engines pass an empty batch to learn the output schema."""
    embedder, call = made()
    for some in (BATCH.slice(0, 0), BATCH.slice(2, 1), pa.table({"body": ["a", "b"]})):
        out = call(some)
        assert type(some) is type(out)
        assert (some.num_rows, embedder.schema(some.schema)) == (out.num_rows, out.schema)
    assert ["a", "b"] == api.texts


def test_requests_hold_a_thousand_rows_at_most(made, api):
    """An engine's batches may be larger than a request may be."""
    _, call = made()
    out = call(pa.record_batch({"body": [f"text {row}" for row in range(2300)]}))

    assert [300, 1000, 1000] == sorted(len(body["input"]) for body in api.bodies)
    assert [number_of(f"text {row}") for row in range(2300)] == numbers(out["embedding"])


def test_quantized_vectors_have_their_own_type(api):
    """Integer vectors have an integer type, and packed bits an eighth of the length."""
    embedder = Embedder("body", model="voyage-4", output_dtype="int8")
    packed = Embedder("body", model="voyage-4", output_dtype="ubinary", output_dimension=512)

    assert pa.list_(pa.int8(), 1024) == embedder.schema(BATCH.schema).field("embedding").type
    assert pa.list_(pa.uint8(), 64) == packed.schema(BATCH.schema).field("embedding").type


def test_a_pickle_holds_no_key_and_no_client(made, monkeypatch, emulator):
    """A worker creates the client from its own environment, so no key is sent to it."""
    monkeypatch.setenv("VOYAGE_API_KEY", "pa-not-in-the-pickle")
    monkeypatch.setenv("VOYAGE_BASE_URL", str(emulator))
    embedder = Embedder("body", model="voyage-4", on_error="null", **OPTIONS)
    first = embedder(BATCH)
    data = pickle.dumps(embedder)

    assert b"pa-not" not in data
    assert first.equals(pickle.loads(data)(BATCH))
    assert [first, first] == list(embedder.iterate([BATCH, BATCH]))
    with voyageai.Client() as vo:
        live = vo.embed(["one", "two"], model="voyage-4", **OPTIONS).embeddings
    assert live == first["embedding"].to_pylist()[:2]


def test_a_share_is_the_part_of_a_worker(made):
    """Eight workers with `share=1/8` together use exactly the rate limit."""
    embedder, call = made(rate_limit=RateLimiter(RateLimit(rpm=800)), share=1 / 8)
    call(BATCH.slice(0, 2))

    assert 100 == embedder._client._limiter.limits("voyage-4")[0]


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"on_error": "record"}, "on_error must be 'raise', 'null' or 'column'"),
        ({"share": 0.5}, "share needs rate_limit, which is not given"),
        ({"output_dimension": 3.5}, "output_dimension"),
    ],
)
def test_a_wrong_argument_is_refused_where_it_is_written(options, match):
    """The user sees the error in their own code, not later on a worker."""
    with pytest.raises(ArgumentError, match=match):
        Embedder("body", model="voyage-4", **options)


@pytest.mark.parametrize("on_error", ["raise", "null", "column"])
def test_an_error_of_all_rows_is_raised_at_once(made, api, on_error):
    """After one refusal, a request with a plain word shows whether all rows would be refused."""
    api.refuse = lambda text: 400
    _, call = made(on_error=on_error)
    with pytest.raises(InvalidRequestError) as caught:
        call(pa.record_batch({"body": [f"text {row}" for row in range(900)]}))

    assert 2 == api.sent
    assert "not the rows" in caught.value.__notes__[-1]


def test_a_wrong_key_is_an_error_at_once(made, api):
    """A wrong key concerns every row, so no row is marked as failed for it."""
    api.before = lambda body: httpx2.Response(401, json={"detail": "no such key"})
    _, call = made(on_error="null")
    with pytest.raises(AuthenticationError):
        call(BATCH.slice(0, 2))
    assert 1 == api.sent


def test_a_bad_row_at_the_beginning_costs_one_word(made, api):
    """The request with a plain word is sent only before the first success."""
    api.refuse = lambda text: 400 if text == "refused" else None
    _, call = made(on_error="null")
    batch = BATCH.take([4, 0])
    for texts in (["test", "one"], ["one"]):
        api.bodies.clear()
        assert [None, number_of("one")] == numbers(call(batch)["embedding"])
        assert texts == api.texts


@pytest.mark.parametrize(
    ("model", "match"),
    [
        ("voyage-44", "is not known to this version: did you mean 'voyage-4'"),
        ("unheard-of", "is not known to this version: A newer model needs output_dimension"),
        ("rerank-2.5", "the API does not embed texts with 'rerank-2.5'"),
    ],
)
def test_a_model_without_vectors_of_known_size_is_refused(model, match):
    """The schema must be known in advance, so a newer model needs `output_dimension`."""
    with pytest.raises(ArgumentError, match=match):
        Embedder("body", model=model)
    newer = Embedder("body", model="unheard-of", output_dimension=64)
    assert pa.list_(pa.float32(), 64) == newer.schema(BATCH.schema).field("embedding").type


def test_an_output_column_that_exists_is_refused(made, api):
    """Two columns of one name would confuse readers, so the error comes before any request."""
    embedder, call = made(column="id")
    with pytest.raises(ArgumentError, match="there is a column 'id' already"):
        call(BATCH)
    assert 0 == api.sent
    with pytest.raises(ArgumentError, match=r"there is a column 'id' already; .* with column="):
        embedder.schema(BATCH.schema)


@pytest.mark.parametrize(
    ("limit", "most"),
    [(RateLimit(tpm=3000), 30), (RateLimit(rpm=3, tpm=300), 100), (RateLimit(rpm=1), 160_000)],
)
def test_requests_are_a_small_part_of_the_limit(made, limit, most):
    """Smaller requests use more of each minute's limit, but few per minute must be larger."""
    embedder, call = made(rate_limit=limit)
    call(BATCH.slice(0, 0))
    assert most == embedder._max_request_tokens()


def test_batches_together_keep_to_the_concurrency(api):
    """Daft passes dozens of batches at once."""
    running, most = 0, 0

    async def answer(request: httpx2.Request) -> httpx2.Response:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        return api(request)

    embedder = AsyncEmbedder(
        "body", model="voyage-4", concurrency=2, api_key=KEY,
        transport=httpx2.MockTransport(answer), **OPTIONS,
    )  # fmt: skip

    async def embed() -> None:
        await asyncio.gather(*(embedder(BATCH.slice(0, 2)) for _ in range(8)))

    for _ in range(2):  # each in a new event loop
        asyncio.run(embed())
    assert 2 == most


def test_a_column_that_is_not_there_is_named(made):
    """The error lists the columns that exist."""
    _, call = made()
    with pytest.raises(ArgumentError, match="there is no column 'body'; there are id"):
        call(BATCH.select(["id"]))


# The rate limit


def test_shares_multiply_and_outlive_pickling():
    """A worker may divide its share again, in a process of its own."""
    limiter = RateLimiter(RateLimit(rpm=400, tpm=8000))
    half = limiter.shared(1 / 2)
    quarter = half.shared(1 / 2)

    assert (400, 8000) == limiter.limits("voyage-4")
    assert (100, 2000) == quarter.limits("voyage-4")
    assert (100, 2000) == pickle.loads(pickle.dumps(quarter)).limits("voyage-4")
    assert "RateLimiter(RateLimit(rpm=400, tpm=8000), share=0.25)" == repr(quarter)
    assert (1, 1) == limiter.shared(1e-9).limits("voyage-4")


@pytest.mark.parametrize("share", [0, -1, 1.5, True, "1", None])
def test_a_share_is_above_0_and_at_most_1(share):
    """A share of 0 would send nothing, and one above 1 would exceed the limit."""
    with pytest.raises(ArgumentError, match="share must be a number above 0, up to 1, not"):
        RateLimiter(RateLimit(rpm=1), share=share)
