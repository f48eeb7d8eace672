"""Table jobs give each row a result or a reason, with few and full requests."""

from __future__ import annotations

import asyncio
import json
import pickle
import re
import threading
from typing import Any

import httpx2
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet
import pytest
import tokenizers
import tokenizers.models
import tokenizers.pre_tokenizers
from blockbuster import blockbuster_ctx
from voyageai.batches import JobInUseError, MaxCostError
from voyageai.batches.jobs.progress import Lines
from voyageai.error import ArgumentError, AuthenticationError, VoyageError
from voyageai.flow import Environment
from voyageai.options import Options
from voyageai.ratelimit import RateLimit, RateLimiter
from voyageai.tables import TableJob
from voyageai.tables.schedule import RowError, Totals
from voyageai.tables.slices import takes_null_vectors

from .conftest import OPTIONS, done, expected, job_of, number_of, rows_of, table_in

LONE = "lone \ud800 surrogate"


def test_a_table_has_a_vector_for_each_row_in_order_beside_what_is_kept(vo, tmp_path):
    """The columns have Arrow types, and columns named by `keep` are copied."""
    rows = [{**row, "more": place} for place, row in enumerate(rows_of(25))]
    result = done(job_of(vo, rows, tmp_path / "v", keep=["more"]).run())

    assert (25, 0) == (result.rows, result.failed)
    assert 100 == result.tokens
    assert expected(rows) == table_in(tmp_path / "v")
    table = pa.parquet.read_table(tmp_path / "v")
    assert list(range(25)) == table["more"].to_pylist()
    assert pa.list_(pa.float32(), 256) == table.schema.field("embedding").type
    assert 3 == len(list((tmp_path / "v").glob("part-*.parquet")))
    assert 25 == result.dataset().count_rows()
    assert [] == list(result.failures())


def test_both_clients_write_the_same_bytes(api, tmp_path):
    """The files are equal except for the id of the job."""
    tables = []
    for kind in ("Client", "AsyncClient"):
        done(job_of(api.client(kind), rows_of(25), tmp_path / kind).run())
        tables.append(pa.parquet.read_table(tmp_path / kind).replace_schema_metadata())

    assert tables[0].equals(tables[1])


def test_the_public_methods_do_the_same(vo, api, tmp_path):
    """`tables.embed` and `tables.prepare_embed` run the same job as the tests here."""
    rows = rows_of(7)
    call = {"text": "body", "id": "id", "model": "voyage-4", "progress": False, **OPTIONS}
    result = done(vo.tables.embed(rows, into=tmp_path / "a", **call))
    job = done(vo.tables.prepare_embed(rows, into=tmp_path / "b", **call))

    assert 1 == len(api.bodies)
    assert (7, 28) == (result.rows, result.tokens)
    assert 7 == job.estimate.rows
    assert 7 == done(job.run()).rows
    assert table_in(tmp_path / "a") == table_in(tmp_path / "b")


def test_rows_without_ids_are_numbered_over_all_files(vo, tmp_path):
    """Failures and vectors can be matched to the input by these numbers."""
    for name, first in (("a", 0), ("b", 3)):
        texts = [None if row == 4 else f"text {row}" for row in range(first, first + 3)]
        pa.parquet.write_table(pa.table({"body": texts}), tmp_path / f"{name}.parquet")
    result = done(job_of(vo, str(tmp_path / "*.parquet"), tmp_path / "v", id=None).run())

    assert [0, 1, 2, 3, 5] == pa.parquet.read_table(tmp_path / "v")["row"].to_pylist()
    assert [4] == [failure.id for failure in result.failures()]


# Requests


def test_requests_are_filled_with_tokens_up_to_the_limit_of_the_model(api, tmp_path):
    """A request stays below the token limit and has at most a thousand rows."""
    long = "word " * 20_000
    rows = [{"id": row, "body": long if row < 20 else "short"} for row in range(2020)]
    done(job_of(api.client(), rows, tmp_path / "v", model="voyage-3-large", slice_rows=5000).run())

    tokens = [sum(len(text.split()) for text in body["input"]) for body in api.bodies]
    assert max(tokens) <= 120_000
    assert 1000 == max(len(body["input"]) for body in api.bodies)
    assert len(api.bodies) <= 13
    assert 2020 == len(api.texts)


def test_tokens_are_counted_where_the_tokenizer_is_at_hand(vo, api, tmp_path):
    """Estimates are far too high for such texts, so requests would be half empty."""
    words = tokenizers.Tokenizer(tokenizers.models.WordLevel({"?": 0}, unk_token="?"))
    words.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    counting = api.client(type(vo).__name__, tokenizers={"voyage-3-large": words})
    texts = ["word " * 2000, "x" * 50_000]
    rows = [{"id": row, "body": texts[row % 2]} for row in range(700)]
    sent: list[list[int]] = []
    for name, client in (("estimated", vo), ("counted", counting)):
        api.bodies.clear()
        options: dict[str, Any] = {"model": "voyage-3-large", "slice_rows": 999, "concurrency": 1}
        done(job_of(client, rows, tmp_path / name, **options).run())
        sent.append([sum(len(text.split()) for text in body["input"]) for body in api.bodies])
    estimated, counted = sent

    assert max(counted) <= 120_000
    assert 110_000 <= counted[-2]
    assert len(counted) < len(estimated)


def test_requests_are_no_smaller_than_the_requests_per_minute_allow(api, tmp_path):
    """With 3 requests a minute, each must hold a third of the tokens to use the whole limit."""
    vo = api.client(rate_limit=RateLimiter(RateLimit(rpm=3, tpm=6000)))
    rows = [{"id": row, "body": "word " * 20} for row in range(100)]
    done(job_of(vo, rows, tmp_path / "v", slice_rows=500).run())

    assert len(api.bodies) <= 3


def test_requests_are_a_hundredth_of_the_tokens_per_minute_at_most(api, tmp_path):
    """Larger requests would leave more of each minute's tokens unused."""
    vo = api.client(rate_limit=RateLimiter(RateLimit(tpm=20_000)))
    spec_rows = [{"id": row, "body": "word " * 20} for row in range(20)]
    done(job_of(vo, spec_rows, tmp_path / "v", slice_rows=50).run())

    assert max(sum(len(text.split()) for text in body["input"]) for body in api.bodies) <= 200


def test_a_refusal_for_the_rate_is_tried_again_and_fewer_are_sent_at_once(vo, api, tmp_path):
    """The job waits for as long as `Retry-After` says."""
    lock, at_once, most = threading.Lock(), [0], [0]
    refusals = iter(range(6))

    def before(body: Any) -> httpx2.Response | None:
        with lock:
            at_once[0] += 1
            most[0] = max(most[0], at_once[0])
            number = next(refusals, None)
            at_once[0] -= 1
        if number is None:
            return None
        headers = {"retry-after": "7"}
        return httpx2.Response(429 if number % 2 else 529, json={"detail": "slow"}, headers=headers)

    api.before = before
    result = done(job_of(vo, rows_of(40), tmp_path / "v", concurrency=8).run())

    assert (40, 0) == (result.rows, result.failed)
    assert expected(rows_of(40)) == table_in(tmp_path / "v")
    assert 6 * 7 == sum(api.waits)


def test_a_key_that_is_refused_ends_the_job_at_once_and_says_how_to_go_on(vo, api, tmp_path):
    """The error concerns the key, so no row is marked as failed, and finished rows are kept."""
    api.before = lambda body: httpx2.Response(401, json={"detail": "who?"})
    job = job_of(vo, rows_of(40), tmp_path / "v")
    with pytest.raises(AuthenticationError) as caught:
        done(job.run())
    assert "Nothing that was done is lost" in caught.value.__notes__[-1]
    assert api.sent <= 4

    api.before = lambda body: None
    assert 40 == done(job_of(vo, rows_of(40), tmp_path / "v").run()).rows


def test_a_job_whose_rows_are_all_refused_stops_soon(vo, api, tmp_path):
    """If every row is refused, the arguments are wrong and not the rows."""
    api.refuse = lambda text: 400
    with pytest.raises(VoyageError, match="refused") as caught:
        done(job_of(vo, rows_of(1000), tmp_path / "v", slice_rows=1000).run())
    assert "none was answered" in " ".join(caught.value.__notes__)
    assert api.sent < 1000


# Bad rows


def bad_rows() -> list[dict[str, Any]]:
    """Return a thousand rows, of which seven are bad for five different reasons."""
    bad = {
        100: None,
        250: "",
        333: LONE,
        400: "too long",
        555: "refused",
        900: None,
        901: "refused",
    }
    return [{**row, "body": bad.get(place, row["body"])} for place, row in enumerate(rows_of(1000))]


REASONS = {
    "r100": "null",
    "r250": "empty",
    "r333": "invalid_text",
    "r400": "refused",
    "r555": "refused",
    "r900": "null",
    "r901": "refused",
}


def refuse(text: str) -> int | None:
    """Return the status for a text as the server does: too long, or refused for other reasons."""
    return {"too long": 400, "refused": 422}.get(text)


def test_bad_rows_are_named_with_their_reasons_and_all_others_are_embedded(vo, api, tmp_path):
    """One bad row neither stops the others nor causes a request per row."""
    api.refuse = refuse
    job = job_of(vo, bad_rows(), tmp_path / "v", slice_rows=400)
    assert 3 == job.estimate.failing
    result = done(job.run())

    good = [row for row in bad_rows() if row["id"] not in REASONS]
    assert (993, 7) == (result.rows, result.failed)
    assert expected(good) == table_in(tmp_path / "v")
    assert REASONS == {failure.id: failure.code for failure in result.failures()}
    assert [row["body"] for row in good] == sorted(api.texts, key=lambda text: int(text.split()[2]))
    assert api.sent < 3 + 3 * 2 * 9  # to halve 400 rows down to one takes nine steps
    lines = (tmp_path / "v" / "_job" / "failures.jsonl").read_text().splitlines()
    assert list(REASONS) == [json.loads(line)["id"] for line in lines]
    assert {400, 422, None} == {failure.status for failure in result.failures()}
    assert "7 failed: see " in str(result)


def test_rows_that_failed_are_sent_again_alone_and_take_their_places(vo, api, tmp_path):
    """Rows that fail again are still listed as failures."""
    api.refuse = refuse
    job = job_of(vo, bad_rows(), tmp_path / "v", slice_rows=400)
    first = done(job.run())
    api.bodies.clear()
    api.sent = 0
    api.refuse = lambda text: 400 if text == "too long" else None
    result = done(job.retry_failed())

    assert (995, 5) == (result.rows, result.failed)
    assert ["refused", "refused"] == api.texts
    assert 4 == api.sent  # two slices, one of which is halved
    still = {"r100", "r250", "r333", "r400", "r900"}
    good = [row for row in bad_rows() if row["id"] not in still]
    assert expected(good) == table_in(tmp_path / "v")
    assert first.tokens + 2 == result.tokens
    assert still == {failure.id for failure in result.failures()}


def test_many_rows_may_fail_once_more(api, tmp_path):
    """Earlier successes show that the arguments are right, so the retry does not stop early."""
    api.refuse = lambda text: 400 if int(text.split()[2]) % 2 else None
    job = job_of(api.client(), rows_of(60), tmp_path / "v", slice_rows=60)

    assert 30 == job.run().failed
    assert 30 == job.retry_failed().failed


@pytest.mark.skipif(not takes_null_vectors(), reason="this pyarrow can't read them back")
def test_rows_without_a_result_may_be_null(vo, api, tmp_path):
    """With `on_error="null"` the table has all rows of the source."""
    api.refuse = refuse
    job = job_of(vo, bad_rows(), tmp_path / "v", slice_rows=400, on_error="null")
    result = done(job.run())

    wanted = [
        (row["id"], None if row["id"] in REASONS else number_of(row["body"])) for row in bad_rows()
    ]
    assert wanted == table_in(tmp_path / "v")
    assert (993, 7) == (result.rows, result.failed)
    api.refuse = lambda text: None
    result = done(job.retry_failed())
    assert (996, 4) == (result.rows, result.failed)
    assert 4 == sum(number is None for _, number in table_in(tmp_path / "v"))


def test_null_vectors_need_a_pyarrow_that_reads_them(vo, monkeypatch, tmp_path):
    """pyarrow 17 to 24 write a null vector that they can't read back."""
    rows = rows_of(1)
    monkeypatch.setattr(pa, "__version__", "24.0.0")
    with pytest.raises(ArgumentError, match="on_error='null' needs pyarrow 26"):
        done(
            vo.tables.prepare_embed(
                rows, text="body", id="id", model="voyage-4", into=tmp_path / "v", on_error="null"
            )
        )


def test_a_row_without_a_result_may_end_the_job(vo, api, tmp_path):
    """Finished rows are kept, and the error names the row."""
    api.refuse = lambda text: 422 if text == "text number 33 here" else None
    job = job_of(vo, rows_of(40), tmp_path / "v", on_error="raise", concurrency=1)
    with pytest.raises(RowError, match=r"^row 'r33': refused: .*this text is refused") as caught:
        done(job.run())
    assert "r33" == pickle.loads(pickle.dumps(caught.value)).failure.id

    api.refuse = lambda text: None
    assert 40 == done(job.run()).rows
    assert 40 == len(set(api.texts)) == len(api.texts)


def test_a_query_that_the_client_refuses_fails_alone(vo, api, tmp_path):
    """A query with more documents than a request may have must not fail the others."""
    rows = [
        {"id": row, "q": "all" if row < 1001 else "few", "d": f"d {row}"} for row in range(1003)
    ]
    job = job_of(
        vo,
        rows,
        tmp_path / "v",
        method="rerank",
        columns=("q", "d"),
        model="rerank-2.5",
        slice_rows=2000,
    )
    result = done(job.run())

    assert (2, 1001) == (result.rows, result.failed)
    assert "1,000" in next(result.failures()).message or "1000" in next(result.failures()).message


# Ids


@pytest.mark.parametrize("make", [list, iter], ids=["read before", "read once"])
@pytest.mark.parametrize(
    ("ids", "match"),
    [
        ([1, 2, None], "column 'id' is null in row 2"),
        ([1, 2, 1], "column 'id' has 1 more than once"),
        (["a", "b", "b"], "column 'id' has 'b' more than once"),
    ],
)
def test_an_id_that_is_null_or_repeated_is_refused_by_name(vo, tmp_path, make, ids, match):
    """Two vectors could not be told apart by such an id."""
    rows = make([{"id": id_, "body": "text"} for id_ in ids])
    with pytest.raises(ArgumentError, match=match):
        done(job_of(vo, rows, tmp_path / "v").run())


def test_negative_ids_are_no_repetition(api, tmp_path):
    """In Python, -1 and -2 have the same hash."""
    rows = [{"id": id_, "body": "text"} for id_ in (-1, -2, 2**63 - 1, -(2**63), 0)]

    assert 5 == job_of(api.client(), rows, tmp_path / "v").run().rows


@pytest.mark.parametrize("make", [list, iter], ids=["read before", "read once"])
def test_rows_of_a_group_that_are_not_adjacent_are_refused_by_name(vo, tmp_path, make):
    """Each document is one request, so its rows must be read together."""
    rows = make([{"id": n, "doc": doc, "body": "text"} for n, doc in enumerate("aaba")])
    options = {"method": "contextualized_embed", "model": "voyage-context-4"}
    with pytest.raises(ArgumentError, match="rows of doc 'a' are not adjacent"):
        done(job_of(vo, rows, tmp_path / "v", **options).run())


# Contextualized chunks and reranking


def test_chunks_are_sent_by_document_and_documents_are_never_split(vo, api, tmp_path):
    """The vectors of chunks depend on their whole document, so no slice may cut it."""
    rows = [{**row, "doc": place // 7} for place, row in enumerate(rows_of(40))]
    options = {"method": "contextualized_embed", "model": "voyage-context-4", "slice_rows": 10}
    result = done(job_of(vo, rows, tmp_path / "v", **options).run())

    assert 40 == result.rows
    assert expected(rows) == table_in(tmp_path / "v")
    documents = sorted(len(chunks) for body in api.bodies for chunks in body["inputs"])
    assert [5, 7, 7, 7, 7, 7] == documents


def test_documents_are_scored_by_query(vo, api, tmp_path):
    """The scores are in the order of the rows, not sorted."""
    rows = [{**row, "q": f"question {place // 4}"} for place, row in enumerate(rows_of(20))]
    columns, model = ("q", "body"), "rerank-2.5"
    result = done(
        job_of(vo, rows, tmp_path / "v", method="rerank", columns=columns, model=model).run()
    )

    assert (20, 5) == (result.rows, len(api.bodies))
    table = pa.parquet.read_table(tmp_path / "v").to_pylist()
    assert [(row["id"], number_of(row["body"]) / 1000) for row in rows] == [
        (row["id"], row["relevance_score"]) for row in table
    ]


def test_a_text_that_comes_again_is_sent_once(vo, api, tmp_path):
    """With `deduplicate=True` each slice sends and pays for equal texts once."""
    rows = [{"id": row, "body": f"text {row % 3}"} for row in range(20)]
    result = done(job_of(vo, rows, tmp_path / "v", deduplicate=True).run())

    assert 20 == result.rows
    assert expected(rows) == table_in(tmp_path / "v")
    assert 6 == len(api.texts)


# Cost


def test_max_cost_is_a_promise_that_is_kept_over_runs(vo, api, tmp_path):
    """The billed cost of all runs, with the worst case for lost responses, never exceeds it."""
    rows = rows_of(400)
    api.tokens_per_word = 3
    job = job_of(vo, rows, tmp_path / "v", concurrency=2)
    lost = iter([True])

    def before(body: Any) -> httpx2.Response | None:
        if len(api.bodies) == 2 and next(lost, False):
            raise httpx2.ReadError("gone")
        return None

    api.before = before
    limit = job.estimate.cost * 1.05
    with pytest.raises(
        MaxCostError, match=r"rows are done. Continue with a higher max_cost"
    ) as stop:
        done(job.run(max_cost=limit))
    price = job.estimate.price / 1_000_000
    billed = 3 * 4 * len(api.texts)
    bytes_lost = 10 * len("text number 20 here")
    assert stop.value.spent == pytest.approx(billed * price)
    assert (billed + bytes_lost) * price <= limit
    assert "up to $0.0000" in str(stop.value)
    assert 0 < len(api.texts) < 400

    with pytest.raises(MaxCostError):  # the limit counts all runs
        done(job_of(vo, rows, tmp_path / "v").run(max_cost=limit))
    assert billed == 3 * 4 * len(api.texts)
    result = done(job_of(vo, rows, tmp_path / "v").run(max_cost=1))
    assert 400 == result.rows == len(api.texts)
    assert expected(rows) == table_in(tmp_path / "v")


def test_lost_answers_count_at_their_most_whether_or_not_there_was_a_limit_then(vo, api, tmp_path):
    """A later limit must hold too, so the job stores what lost responses may have cost."""
    rows = rows_of(20)
    lost = iter([True])

    def before(body: Any) -> httpx2.Response | None:
        if next(lost, False):
            raise httpx2.ReadError("gone")
        return None

    api.before = before
    result = done(job_of(vo, rows, tmp_path / "v", concurrency=1).run())
    price = job_of(vo, rows, tmp_path / "v").estimate.price / 1_000_000

    most = sum(len(row["body"]) for row in rows[:10])
    assert 4 * 20 == result.tokens
    assert result.cost == pytest.approx(result.tokens * price)
    assert most <= result.unknown_tokens
    assert result.unknown_tokens == done(job_of(vo, rows, tmp_path / "v").run()).unknown_tokens

    def stopping(body: Any) -> httpx2.Response | None:
        return httpx2.Response(401) if len(api.bodies) > 3 else before(body)

    lost, api.before = iter([True]), stopping
    with pytest.raises(AuthenticationError):
        done(job_of(vo, rows_of(40), tmp_path / "w", concurrency=1).run())
    job, sent = job_of(vo, rows_of(40), tmp_path / "w"), api.sent
    with pytest.raises(
        MaxCostError, match=r"up to \$0.0000\d+ may have been billed for lost responses"
    ):
        done(job.run(max_cost=job.estimate.cost * 1.01))
    assert sent == api.sent


def test_the_last_request_is_cut_down_to_what_the_money_allows(vo, api, tmp_path):
    """Stopping earlier would leave much of the allowed cost unused."""
    job = job_of(vo, rows_of(1000), tmp_path / "v", slice_rows=1000)
    api.tokens_per_word = 8
    with pytest.raises(MaxCostError) as stop:
        done(job.run(max_cost=job.estimate.cost))

    assert max(len(body["input"]) for body in api.bodies) < 1000
    assert 0.8 * job.estimate.cost < stop.value.spent <= job.estimate.cost


def test_max_cost_is_checked_before_anything_is_sent(vo, api, tmp_path):
    """The price of a model must be known, and the estimate must fit."""
    job = job_of(vo, rows_of(100), tmp_path / "v")
    with pytest.raises(MaxCostError, match="but the job would cost about"):
        done(job.run(max_cost=1e-9))
    for wrong in ("1", -1, float("nan"), True):
        with pytest.raises(ArgumentError, match="max_cost must be a number of US dollars from 0"):
            done(job.run(max_cost=wrong))
    with pytest.raises(MaxCostError, match="the price of voyage-99 is not known"):
        done(job_of(vo, rows_of(1), tmp_path / "w", model="voyage-99").run(max_cost=1))

    assert 0 == api.sent


# Locks, progress and arguments


def test_a_job_that_runs_is_locked(vo, api, tmp_path):
    """Two processes would each send, and pay for, every row."""
    job, other = (job_of(vo, rows_of(10), tmp_path / "v") for _ in range(2))
    refused: list[Exception] = []

    def before(body: Any) -> None:
        second = job_of(api.client(), rows_of(10), tmp_path / "v")
        for act in (second.run, second.retry_failed):
            with pytest.raises(JobInUseError, match="is in use by another process") as caught:
                act()
            refused.append(caught.value)

    api.before = before
    assert 10 == done(job.run()).rows
    assert 2 == len(refused)
    api.before = lambda body: None
    assert 10 == done(other.run()).rows


def test_progress_tells_rows_tokens_and_money(vo, tmp_path):
    """The last report always gives the final numbers."""
    events: list[Any] = []
    done(job_of(vo, rows_of(30), tmp_path / "v", progress=events.append).run())

    assert ("done", 30, 30, "rows") == (
        events[-1].stage,
        events[-1].done,
        events[-1].total,
        events[-1].unit,
    )
    assert re.search(r"v: voyage-4, 120 tokens, \$", events[-1].message)


def test_progress_tells_the_share_of_the_limit_and_the_time_left(api, tmp_path):
    """The share is measured over the last minute, and a log gets one line a minute."""
    events: list[Any] = []
    now = 0.0
    client = api.client(rate_limit=RateLimit(tpm=6000))
    prepared = job_of(client, rows_of(1000), tmp_path / "v")._prepared

    class Sender:
        environment = Environment(clock=lambda: now)
        telemetry = None

        def options(self, given):
            return Options(limiter=RateLimiter(RateLimit(tpm=6000)), **given)

    job = TableJob(Sender(), prepared, {})
    totals = Totals()
    report = job._reporter(totals, events.append)
    for now in range(0, 91, 5):  # 2 rows and 75 tokens a second  # the clock reads it
        totals.rows, totals.tokens = 2 * now, 75 * now
        report()
        report()

    assert 19 == len(events)
    assert {"v: voyage-4"} == {one.message for one in events}
    assert re.fullmatch(r"375 tokens, \$\S+", events[1].detail)
    assert events[2].detail.endswith(", 75% of the limit, 8 min left")
    assert events[-1].detail.endswith(", 75% of the limit, 7 min left")
    assert [0] * 12 + [1] * 7 == [one.minutes for one in events]
    lines: list[str] = []
    shown = Lines(lambda _, line: lines.append(line))
    for one in events:
        shown.show(one)
    assert 3 == len(lines)  # at the start, after a tenth and after a minute
    assert lines[-1].startswith("v: voyage-4: 120 of 1,000 rows, 4,500 tokens, $")


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"on_error": "ignore"}, "on_error must be one of record, raise, null"),
        ({"concurrency": 0}, "concurrency must be a whole number from 1, not 0"),
        ({"keep": "more"}, "keep must be a list of names"),
        ({"keep": ["embedding"]}, "the job writes a column 'embedding' of its own"),
        ({"deduplicate": 1}, "deduplicate"),
        ({"share": 0.5}, "share needs a client with a rate_limit"),
        ({"output_dimension": 7}, "output_dimension"),
        ({"format": "xml"}, "format must be one of"),
        ({"text": "nobody"}, "there is no column 'nobody'"),
        ({"text": "number"}, "column 'number' holds int64; texts must be strings"),
    ],
)
def test_a_wrong_argument_is_refused_before_anything_is_written(vo, tmp_path, options, match):
    """The error says what to change, and the directory is not created."""
    rows = [{**row, "number": 1} for row in rows_of(3)]
    arguments = {"text": "body", "id": "id", "model": "voyage-4", **OPTIONS, **options}
    with pytest.raises(ArgumentError, match=match):
        done(vo.tables.prepare_embed(rows, into=tmp_path / "v", **arguments))

    assert not (tmp_path / "v").exists()


def test_fields_that_a_table_has_no_use_for_are_refused(vo, tmp_path):
    """The rows of a table are already chunks, and each row gets a score."""
    into = tmp_path / "v"
    chunks: dict[str, Any] = {"text": "a", "group": "b", "model": "voyage-context-4", "into": into}
    for name in ("enable_auto_chunking", "chunk_size", "chunk_overlap"):
        with pytest.raises(ArgumentError, match="rows of a table are chunks already"):
            done(vo.tables.contextualized_embed([], **chunks, **{name: 1}))
    ranked: dict[str, Any] = {"query": "a", "document": "b", "model": "rerank-2.5", "into": into}
    for name, match in (("top_k", "gets a score"), ("return_documents", "name the column in keep")):
        with pytest.raises(ArgumentError, match=match):
            done(vo.tables.rerank([], **ranked, **{name: 1}))


SOURCES = ["parquet", "arrow", "csv", "ndjson", "table", "reader", "dataset", "list", "generator"]


def empty(name: str, path: Any) -> Any:
    """Return a source without rows."""
    table = pa.table({"id": pa.array([], pa.int32()), "body": pa.array([], pa.string())})
    file = path / f"a.{name}"
    if name == "parquet":
        pa.parquet.write_table(table, file)
    elif name == "arrow":
        with pa.ipc.new_stream(str(file), table.schema):
            pass
    elif name in ("csv", "ndjson"):
        file.write_text("id,body\n" if name == "csv" else "")
    else:
        makers = {
            "table": lambda: table,
            "reader": table.to_reader,
            "dataset": lambda: pyarrow.dataset.dataset(table),
            "list": list,
            "generator": lambda: iter([]),
        }
        return makers[name]()
    return file


@pytest.mark.parametrize("via", ["live", "batch"])
@pytest.mark.parametrize("name", SOURCES)
def test_a_source_without_rows_is_a_table_without_rows(vo, api, tmp_path, name, via):
    """The table has its columns, so readers need no special case."""
    job = job_of(vo, empty(name, tmp_path), tmp_path / "v", via=via)
    result = done(job.run())

    assert (0, 0, 0) == (result.rows, result.failed, result.tokens)
    assert str(result).startswith("0 rows in ")
    assert job.estimate.rows is None or "0 rows" in str(job.estimate)
    table = pa.parquet.read_table(tmp_path / "v")
    assert (0, ["id", "embedding"]) == (table.num_rows, table.column_names)
    assert pa.list_(pa.float32(), 256) == table.schema.field("embedding").type
    untyped = name in ("csv", "ndjson", "list", "generator")
    assert (pa.null() if untyped else pa.int32()) == table.schema.field("id").type
    source = file if (file := tmp_path / f"a.{name}").exists() else empty(name, tmp_path)
    assert result == done(job_of(vo, source, tmp_path / "v", via=via).run())
    assert 0 == api.sent


def test_an_unknown_argument_is_refused_with_the_name_that_is_near(vo, tmp_path):
    """The error is a `TypeError`, as for any Python function."""
    arguments: dict[str, Any] = {"text": "body", "model": "voyage-4", "into": tmp_path / "v"}
    with pytest.raises(TypeError, match=r"^tables.embed\(\) got .*; did you mean 'concurrency'\?"):
        done(vo.tables.embed([], concurency=1, **arguments))


def test_a_directory_of_something_else_is_left_alone(vo, tmp_path):
    """No file of the user is overwritten."""
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(ArgumentError, match="holds other files and no table job"):
        job_of(vo, rows_of(3), tmp_path)


def test_a_share_makes_the_limit_of_a_job_smaller(api, tmp_path):
    """Four processes with `share=1/4` together stay within the limit."""
    vo = api.client(rate_limit=RateLimiter(RateLimit(tpm=48_000, rpm=2000)))
    arguments: dict[str, Any] = {"text": "body", "id": "id", "model": "voyage-4", **OPTIONS}
    rows = [{"id": row, "body": "word " * 100} for row in range(20)]
    vo.tables.embed(rows, into=tmp_path / "v", share=1 / 4, **arguments)

    assert max(sum(len(text.split()) for text in body["input"]) for body in api.bodies) <= 120


def test_the_event_loop_is_never_blocked(api, tmp_path):
    """File access of the job runs in threads, so other tasks of the loop go on."""
    rows = [{**row, "doc": place // 5} for place, row in enumerate(rows_of(45))]
    rows[7]["body"] = ""
    pa.parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")

    async def call() -> int:
        client = api.client("AsyncClient")
        arguments: dict[str, Any] = {"text": "body", "id": "id", **OPTIONS}
        source = tmp_path / "a.parquet"
        with blockbuster_ctx():
            job = await client.tables.prepare_embed(
                source, into=tmp_path / "v", model="voyage-4", progress=False, **arguments
            )
            found = await job.run()
            await job.retry_failed()
            await client.tables.contextualized_embed(
                source, group="doc", into=tmp_path / "w", model="voyage-context-4", **arguments
            )
        await client.aclose()
        return found.rows

    assert 44 == asyncio.run(call())
