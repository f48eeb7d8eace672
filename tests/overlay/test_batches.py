"""Batch jobs: requests, results, and waiting for the end."""

from __future__ import annotations

import asyncio
import datetime
import inspect
import pickle
import threading
from typing import Any

import attrs
import httpx2
import pytest
import voyageai
from voyageai import error
from voyageai.batches import AsyncBatches, Batch, Batches, Polling, RequestCounts
from voyageai.batches.resource import RawBatches
from voyageai.batches.resource_async import AsyncRawBatches

from .file_server import BATCH, answer, done, in_turn

PARAMS = {"model": "voyage-4", "input_type": "document"}
ARGUMENTS = ("/v1/embeddings", "file-1", PARAMS)


def at(status: str, completed: int = 0, **fields: Any) -> httpx2.Response:
    """Return the response for a job with a status."""
    counts = {"total": 3, "completed": completed, "failed": 0}
    return answer(**{**BATCH, "status": status, "request_counts": counts, **fields})


DONE = at("completed", 3, completed_at="2025-12-01T19:20:00+00:00")


# Batch objects


def test_a_job_is_a_value(face):
    """Programs compare, print, pickle and store jobs."""
    batch = done(face.client(in_turn(answer(**BATCH))).batches.retrieve("batch-1"))
    assert "/v1/batches/batch-1" == face.requests[0].url.path
    assert BATCH == batch.to_dict()
    assert batch == Batch.from_dict(BATCH) == pickle.loads(pickle.dumps(batch))
    assert "Batch('batch-1', in_progress, 1 of 3 lines)" == repr(batch)
    assert ("req-1", RequestCounts(3, 1, 0)) == (batch.request_id, batch.request_counts)
    assert datetime.timedelta(hours=12) == batch.expected_completion_at - batch.created_at
    assert ({"run": "7f3a"}, ()) == (batch.metadata, batch.errors)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        batch.status = "completed"


def test_missing_fields_are_none_and_new_ones_are_kept():
    """The API is a preview, so fields may be missing and new ones may come."""
    needed = ("id", "endpoint", "input_file_id", "status", "created_at")
    data = {**{name: BATCH[name] for name in needed}, "status": "paused", "shard": 7}
    batch = Batch.from_dict(data)
    assert ("paused", data, False, 0.0) == (
        batch.status,
        batch.to_dict(),
        batch.is_done,
        batch.progress,
    )
    assert {None} == {batch.model, batch.output_file_id, batch.completed_at, batch.cancelled_at}
    assert (RequestCounts(), {}, ()) == (batch.request_counts, batch.metadata, batch.errors)


def test_times_have_a_zone_whatever_the_server_writes():
    """Python can't compare times with and without a time zone."""
    bare = Batch.from_dict({**BATCH, "in_progress_at": "2025-12-01T19:18:25"})
    assert bare == Batch.from_dict(BATCH)
    assert bare.in_progress_at.tzinfo is datetime.UTC


def test_a_job_that_failed_says_which_lines(face):
    """Users find the faulty lines in their file by number."""
    errors = [
        {"code": "invalid_json", "line": 3, "message": "The line is not JSON.", "param": None},
        {"code": "new_kind", "message": "Something."},
    ]
    batch = Batch.from_dict({**BATCH, "errors": {"object": "list", "data": errors}})
    assert [("invalid_json", 3), ("new_kind", None)] == [
        (error.code, error.line) for error in batch.errors
    ]


@pytest.mark.parametrize(
    ("fields", "is_done"),
    [
        ({"status": "validating"}, False),
        ({"status": "cancelling"}, False),
        ({"status": "completed"}, True),
        ({"status": "failed"}, True),
        ({"status": "cancelled"}, True),
        ({"status": "ended", "completed_at": BATCH["created_at"]}, True),
    ],
)
def test_a_job_with_a_final_status_is_done(fields, is_done):
    """A status that this release does not know counts as final if it comes with an end time."""
    assert is_done == Batch.from_dict({**BATCH, **fields}).is_done


def test_progress_is_the_share_of_lines_that_are_done():
    """A line counts as done whether it succeeded or failed."""
    counts = {"total": 4, "completed": 1, "failed": 2}
    batch = Batch.from_dict({**BATCH, "request_counts": counts})
    assert 0.75 == batch.progress
    assert "Batch('batch-1', in_progress, 1 of 4 lines, 2 failed)" == repr(batch)
    empty = {**BATCH, "request_counts": {"total": 0, "completed": 0, "failed": 0}}
    assert (0.0, 1.0) == (
        Batch.from_dict(empty).progress,
        Batch.from_dict({**empty, "status": "failed"}).progress,
    )


# Creation


def test_a_job_is_asked_for_as_the_contract_says(face):
    """The completion window is the only allowed one, and extra_body can add new fields."""
    client = face.client(in_turn(answer(**BATCH)))
    batch = done(client.batches.create(*ARGUMENTS, metadata={"run": "7f3a"}))
    assert "batch-1" == batch.id
    assert {
        "endpoint": "/v1/embeddings",
        "input_file_id": "file-1",
        "completion_window": "12h",
        "request_params": PARAMS,
        "metadata": {"run": "7f3a"},
    } == face.body
    done(client.batches.create(*ARGUMENTS, extra_body={"priority": 1}))
    assert ("metadata" not in face.body, 1) == (True, face.body["priority"])


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"endpoint": "/v1/multimodalembeddings"}, "endpoint must be one of '/v1/embeddings'"),
        ({"endpoint": None}, "endpoint must be"),
        ({"input_file_id": ""}, "input_file_id must be an id"),
        ({"completion_window": "24h"}, "completion_window must be one of '12h'"),
        ({"request_params": {}}, "request_params must be a model .*model: missing"),
        ({"request_params": None}, "request_params must be a model"),
        ({"request_params": {"model": ""}}, "model must be the name of a model"),
        ({"request_params": {**PARAMS, "input": "a"}}, r"unknown keys: input.*extra_body"),
        ({"request_params": {**PARAMS, "input_type": "text"}}, "input_type must be one of"),
        ({"request_params": {**PARAMS, "output_dimension": 7}}, "is not a dimension of voyage-4"),
        ({"request_params": {**PARAMS, "output_dtype": "int4"}}, "output_dtype must be one of"),
        ({"request_params": {"model": "voyage-context-4", "chunk_size": 0}}, "chunk_size must be"),
        ({"metadata": {"run": 7}}, "metadata must be pairs of strings: run: expected a string"),
        ({"metadata": ["run"]}, "metadata must be pairs of strings"),
        ({"metadata": {str(n): "" for n in range(17)}}, "metadata must have 16 pairs or fewer"),
    ],
)
def test_an_invalid_job_is_refused_before_it_is_sent(face, changes, reason):
    """The server would refuse the job only after the whole file is uploaded."""
    given = dict(zip(("endpoint", "input_file_id", "request_params"), ARGUMENTS, strict=True))
    with pytest.raises(error.ArgumentError, match=reason):
        done(face.client(in_turn(answer(**BATCH))).batches.create(**{**given, **changes}))
    assert [] == face.requests


@pytest.mark.parametrize(
    "params",
    [
        {"model": "a-model-to-come", "output_dimension": 77},
        {"model": "voyage-context-4", "enable_auto_chunking": True, "chunk_size": 100},
        {"model": "rerank-2.5", "top_k": 3},
    ],
)
def test_parameters_of_every_endpoint_pass(face, params):
    """Parameters for any endpoint pass, as only the server knows which belong together."""
    done(face.client(in_turn(answer(**BATCH))).batches.create("/v1/rerank", "file-1", params))
    assert params == face.body["request_params"]


@pytest.mark.parametrize(
    "failure",
    [
        httpx2.ReadError("x"),
        httpx2.ReadTimeout("x"),
        answer(500),
        answer(503),
        httpx2.Response(200, content=b"{"),
    ],
    ids=str,
)
def test_a_job_that_may_run_is_not_created_twice(face, failure):
    """A second job would be billed too, so the error tells how to find the first."""
    client = face.client(in_turn(failure), max_retries=3)
    with pytest.raises(
        error.VoyageError, match=r"may have been created.*metadata with batches\.list\(\)"
    ) as raised:
        done(client.batches.create(*ARGUMENTS))
    assert (1, True) == (len(face.requests), raised.value.outcome_unknown)


@pytest.mark.parametrize(
    ("refusal", "tries"), [(httpx2.ConnectError("x"), 2), (answer(429), 2), (answer(400), 1)]
)
def test_a_job_that_was_refused_does_not_exist(face, refusal, tries):
    """Without any doubt about a first job, the user can simply try again."""
    client = face.client(in_turn(refusal), max_retries=1)
    with pytest.raises(error.VoyageError) as raised:
        done(client.batches.create(*ARGUMENTS))
    assert (tries, False) == (len(face.requests), raised.value.outcome_unknown)
    assert "may have been" not in str(raised.value)


def test_too_many_jobs_are_distinguished_from_too_many_requests(face):
    """The remedy differs: jobs have to finish before new ones can start."""
    with pytest.raises(error.RateLimitError, match=r"100 jobs .* wait 30 minutes"):
        done(face.client(in_turn(answer(429))).batches.create(*ARGUMENTS))


# Lists and cancellation


def test_iterating_a_list_loads_all_pages(face):
    """Users iterate over all jobs without handling pages."""

    def page(*names: str, more: bool) -> httpx2.Response:
        data = [{**BATCH, "id": name} for name in names]
        return answer(object="list", data=data, last_id=names[-1], has_more=more)

    client = face.client(in_turn(page("a", "b", more=True), page("c", more=False)))
    assert ["a", "b", "c"] == [batch.id for batch in done(client.batches.list(limit=2))]
    assert [{"limit": "2"}, {"limit": "2", "after": "b"}] == [
        dict(request.url.params) for request in face.requests
    ]


def test_a_job_is_cancelled(face):
    """The returned object has the new status."""
    batch = done(face.client(in_turn(at("cancelling"))).batches.cancel("batch-1"))
    assert ("cancelling", "POST") == (batch.status, face.requests[0].method)
    assert "/v1/batches/batch-1/cancel" == face.requests[0].url.path


def test_a_cancellation_whose_response_was_lost_counts(face):
    """A retry after a lost response is refused because the first request took effect."""
    refused = answer(400, detail="Batch 'batch-1' cannot be cancelled: its status is cancelling.")
    lost = httpx2.ReadError("x")
    client = face.client(in_turn(lost, refused, at("cancelled")), max_retries=1)
    assert "cancelled" == done(client.batches.cancel("batch-1")).status
    client = face.client(in_turn(lost, refused, DONE), max_retries=1)
    with pytest.raises(error.InvalidRequestError, match="cannot be cancelled"):
        done(client.batches.cancel("batch-1"))
    client = face.client(in_turn(refused, at("cancelled")), max_retries=1)
    with pytest.raises(error.InvalidRequestError, match="cannot be cancelled"):
        done(client.batches.cancel("batch-1"))


# Waiting


def test_a_wait_reports_each_change_and_ends_with_the_job(face):
    """Callbacks run only on changes, so a progress bar is redrawn only when needed."""
    states = [at("validating"), at("in_progress", 1), at("in_progress", 1), at("in_progress", 2)]
    seen = []
    client = face.client(in_turn(*states, DONE))
    batch = done(client.batches.wait("batch-1", on_change=seen.append))
    assert [
        ("validating", 0.0),
        ("in_progress", 1 / 3),
        ("in_progress", 2 / 3),
        ("completed", 1),
    ] == [(batch.status, batch.progress) for batch in seen]
    assert batch is seen[-1]
    assert [0.9 * 1.5**n for n in range(4)] == pytest.approx(face.waits)


def test_a_finished_job_is_not_waited_for(face):
    """One poll is enough, even if the given object is out of date."""
    batch = Batch.from_dict(BATCH)
    assert done(face.client(in_turn(DONE)).batches.wait(batch)).is_done
    assert ([], 1) == (face.waits, len(face.requests))


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_a_wait_ends_with_every_final_status(face, status):
    """A failed or cancelled job returns too, so that the caller decides what to do with it."""
    assert status == done(face.client(in_turn(at(status))).batches.wait("batch-1")).status


def test_polling_intervals_grow_to_a_maximum_with_jitter():
    """Jitter keeps many programs with the same schedule from polling at the same second."""
    polling = Polling()
    pauses = [polling.delay(polls, 0.0) for polls in range(200)]
    assert (1.0, 60.0) == (pauses[0], pauses[-1])
    assert pauses == sorted(pauses)
    assert [0.8, 48.0] == pytest.approx([polling.delay(0, 1.0), polling.delay(10**9, 1.0)])
    assert 0.0 == Polling(jitter=5).delay(0, 1.0)


@pytest.mark.parametrize("poll", [0, -1, "5", True, float("nan")])
def test_an_invalid_polling_interval_is_refused(face, poll):
    """Without a pause, the client would flood the server with polls."""
    with pytest.raises(error.ArgumentError, match="poll must be a number of seconds"):
        done(face.client().batches.wait("batch-1", poll=poll))


def test_a_number_is_a_constant_polling_interval(face):
    """A plain number means a constant interval, varied only by jitter."""
    client = face.client(in_turn(*[at("in_progress")] * 5, DONE))
    done(client.batches.wait("batch-1", poll=10))
    assert [9.0] * 5 == pytest.approx(face.waits)


PASSING = [
    httpx2.ConnectError("x"),
    httpx2.ReadTimeout("x"),
    httpx2.ReadError("x"),
    *map(answer, (408, 429, 500, 502, 503, 504, 529)),
]


def test_a_temporary_failure_does_not_end_a_wait(face):
    """A job takes hours, and a server is sometimes unavailable for a moment."""
    client = face.client(in_turn(*PASSING, DONE))
    assert done(client.batches.wait("batch-1")).is_done
    assert len(PASSING) == len(face.waits)


@pytest.mark.parametrize("failure", [*map(answer, (400, 401, 403, 404, 501)), httpx2.Response(200)])
def test_a_permanent_failure_ends_a_wait(face, failure):
    """Another poll would only fail the same way."""
    with pytest.raises(error.VoyageError):
        done(face.client(in_turn(failure, DONE)).batches.wait("batch-1"))
    assert [] == face.waits


def test_an_hour_of_failures_ends_a_wait(face):
    """A wait gives up after an hour of nothing but errors; any success restarts that hour."""
    client = face.client(in_turn(*[answer(503)] * 30, at("in_progress"), answer(503)))
    polling = Polling(initial_delay=100, max_delay=100, jitter=0)
    start = face.time
    with pytest.raises(error.ServiceUnavailableError):
        done(client.batches.wait("batch-1", poll=polling))
    assert 3000 + 100 + 3700 == face.time - start


def test_a_wait_honours_retry_after(face):
    """A Retry-After longer than the polling interval replaces it."""
    busy = httpx2.Response(429, headers={"retry-after": "77"})
    done(face.client(in_turn(busy, DONE)).batches.wait("batch-1"))
    assert [77.0] == face.waits


def test_a_wait_times_out_with_the_last_state_of_the_job(face):
    """The last poll comes right at the timeout, so a job that just finished is not missed."""
    client = face.client(in_turn(at("in_progress", 1)))
    with pytest.raises(
        error.Timeout, match=r"'batch-1', in_progress, 1 of 3 lines\) is not done after 10 s"
    ) as raised:
        done(
            client.batches.wait(
                "batch-1", timeout=10, poll=Polling(initial_delay=4, max_delay=4, jitter=0)
            )
        )
    assert isinstance(raised.value, error.DeadlineError)
    assert [4, 4, 2] == face.waits
    assert 4 == len(face.requests)


def test_a_timeout_of_zero_polls_once(face):
    """A timeout of 0 checks whether a job is done without waiting."""
    with pytest.raises(error.Timeout):
        done(face.client(in_turn(at("in_progress"))).batches.wait("batch-1", timeout=0))
    assert done(face.client(in_turn(DONE)).batches.wait("batch-1", timeout=0)).is_done
    assert ([], 2) == (face.waits, len(face.requests))
    with pytest.raises(error.ArgumentError, match="timeout must be 0 seconds or more"):
        done(face.client(in_turn(DONE)).batches.wait("batch-1", timeout=-1))


def test_a_timeout_without_a_successful_poll_says_so(face):
    """The error also names the last failure, as the job's state is unknown."""
    with pytest.raises(
        error.Timeout, match=r"no poll of batch-1 succeeded after 5 s; .*ConnectError"
    ) as raised:
        done(face.client(in_turn(httpx2.ConnectError("x"))).batches.wait("batch-1", timeout=5))
    assert isinstance(raised.value.__cause__, error.APIConnectionError)


def test_the_timeout_of_a_client_does_not_bound_a_wait(face):
    """The client's timeout bounds each poll, not the wait."""
    client = face.client(in_turn(*[at("in_progress")] * 9, DONE), timeout=2)
    assert done(client.batches.wait("batch-1", timeout=1000)).is_done
    assert {2.0} == {request.extensions["timeout"]["read"] for request in face.requests}


def test_an_exception_of_a_callback_ends_the_wait(face):
    """Any exception ends it, even StopIteration, or one that a failed call would raise."""
    for kind in (ZeroDivisionError, StopIteration, error.ServerError, KeyboardInterrupt):

        def callback(batch: Batch, kind: type[BaseException] = kind) -> None:
            raise kind

        # Coroutines can't raise StopIteration.
        expected = RuntimeError if kind is StopIteration else kind
        with pytest.raises((expected, kind)):
            done(face.client(in_turn(DONE)).batches.wait("batch-1", on_change=callback))


def test_a_callback_of_an_asynchronous_client_may_be_asynchronous():
    """A callback may send the progress over a connection of its own."""
    seen = []

    async def callback(batch: Batch) -> None:
        await asyncio.sleep(0)
        seen.append(batch.status)

    async def main() -> None:
        transport = httpx2.MockTransport(lambda request: DONE)
        async with voyageai.AsyncClient("k", transport=transport) as vo:
            await vo.batches.wait("batch-1", on_change=callback)

    asyncio.run(main())
    assert ["completed"] == seen


def test_a_wait_that_is_cancelled_ends_at_once():
    """No thread and no task keeps running."""

    async def main() -> int:
        polled = asyncio.Event()

        def handle(request: httpx2.Request) -> httpx2.Response:
            polled.set()
            return at("in_progress")

        async with voyageai.AsyncClient("k", transport=httpx2.MockTransport(handle)) as vo:
            waiting = asyncio.create_task(vo.batches.wait("batch-1", poll=3600))
            await polled.wait()
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            return len(asyncio.all_tasks())

    assert 1 == asyncio.run(main())


def test_ctrl_c_ends_a_wait(face, monkeypatch):
    """The user stops waiting; the job itself goes on."""

    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    client = face.client(in_turn(at("in_progress")))
    if face.kind is voyageai.Client:
        client._transport.sleep = interrupt
    else:

        async def sleep(seconds: float) -> None:
            interrupt(seconds)

        client._transport.sleep = sleep
    with pytest.raises(KeyboardInterrupt):
        done(client.batches.wait("batch-1"))
    assert 1 == len(face.requests)


def test_concurrent_waits_need_no_further_threads():
    """A hundred jobs can be in flight, and waiting for them needs no thread each."""

    async def main() -> int:
        states = iter([at("in_progress")] * 200)
        transport = httpx2.MockTransport(lambda request: next(states, DONE))
        async with voyageai.AsyncClient("k", transport=transport) as vo:
            vo._transport.sleep = lambda seconds: asyncio.sleep(0)
            await asyncio.gather(*(vo.batches.wait(f"batch-{n}") for n in range(100)))
            return threading.active_count()

    before = threading.active_count()
    assert before == asyncio.run(main())


# All methods


def test_both_faces_have_the_same_methods_with_the_same_signatures():
    """A method added to one client only, or with other arguments, fails here."""

    def methods(kind):
        found = {}
        for name, member in vars(kind).items():
            if name.startswith("_"):
                continue
            function = member.fget if isinstance(member, property) else member
            signature = inspect.signature(function)
            given = [
                (p.name, p.kind, p.default, p.annotation) for p in signature.parameters.values()
            ]
            assert inspect.getdoc(function)
            found[name] = (given, str(signature.return_annotation).replace("Async", ""))
        return found

    assert methods(Batches) == methods(AsyncBatches)
    raw = {*vars(RawBatches)} - {"__init__", "__doc__"}
    assert raw == {*vars(AsyncRawBatches)} - {"__init__", "__doc__"}


def test_raw_responses_are_available(face):
    """Users can read headers that no result contains."""
    batches = face.client(in_turn(answer(**BATCH))).batches.with_raw_response
    for given in (
        batches.create(*ARGUMENTS),
        batches.retrieve("batch-1"),
        batches.cancel("batch-1"),
    ):
        found = done(given)
        assert (200, "req-1", "batch-1") == (found.status_code, found.request_id, found.parse().id)


def test_options_of_a_call_are_those_of_every_method(face):
    """Users learn one set of options for all methods."""
    client = face.client(in_turn(DONE))
    for call in (
        lambda batches, **given: batches.create(*ARGUMENTS, **given),
        lambda batches, **given: batches.retrieve("batch-1", **given),
        lambda batches, **given: batches.cancel("batch-1", **given),
        lambda batches, **given: batches.wait("batch-1", **given),
    ):
        done(call(client.batches, extra_headers={"x-a": "b"}))
        assert "b" == face.requests[-1].headers["x-a"]
        with pytest.raises(TypeError, match="unexpected keyword argument 'retries'"):
            done(call(client.batches, retries=3))


def test_errors_carry_the_servers_response(face):
    """A support case needs status, body and request id."""
    refused = httpx2.Response(
        404, json={"detail": "Batch 'batch-1' not found."}, headers={"x-request-id": "req-9"}
    )
    for method in ("retrieve", "cancel", "wait"):
        with pytest.raises(error.NotFoundError, match="not found") as raised:
            done(getattr(face.client(in_turn(refused)).batches, method)("batch-1"))
        assert (404, "req-9") == (raised.value.http_status, raised.value.request_id)
        with pytest.raises(error.ArgumentError, match="must be an id"):
            done(getattr(face.client().batches, method)(" "))
