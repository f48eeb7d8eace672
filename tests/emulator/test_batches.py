"""Batch jobs, run by the emulator."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import attrs
import httpx2
import pytest
from voyageai_emulator import running
from voyageai_emulator.batches.validation import MAX_ERRORS
from voyageai_emulator.bodies import max_body
from voyageai_emulator.emulator import Emulator
from voyageai_emulator.engine import LexicalEngine
from voyageai_emulator.engine.lexical import Scores
from voyageai_emulator.server import Server, serving
from voyageai_emulator.settings import Settings
from voyageai_emulator.state import BatchLimits
from voyageai_rest import catalogue

from tests.emulator.batch_jobs import MODEL, SMALL, Jobs, a_line, ids, jsonl, some_lines
from tests.emulator.contract_client import check

BATCH = "#/components/schemas/Batch"
OUTPUT = "#/components/schemas/BatchOutputLine"
ERROR = "#/components/schemas/Error"
PREAMBLE = (
    "The request body is not valid JSON, or some arguments were not specified properly. "
    "In particular, "
)
HOUR = 3600
KEYS = count()


@pytest.fixture(scope="module")
def shared() -> Iterator[Emulator]:
    """An emulator for tests that do not control it."""
    with running() as emulator:
        yield emulator


@pytest.fixture
def jobs(shared: Emulator) -> Iterator[Jobs]:
    """A client of the shared emulator, whose jobs no other test sees."""
    with Jobs(shared.url, f"key-{next(KEYS)}") as jobs:
        yield jobs


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """An emulator that a test controls, with a clock that only the test moves."""
    with running(clock=lambda: 1_764_616_704.0) as emulator:
        yield emulator


@pytest.fixture
def steered(emulator: Emulator) -> Iterator[Jobs]:
    """A client of the emulator that the test controls."""
    with Jobs(emulator.url) as jobs:
        yield jobs


def refused(response: httpx2.Response, status: int) -> str:
    """Return the reason for which a request is refused."""
    assert status == response.status_code, response.text
    check(ERROR, response.json())
    detail: str = response.json()["detail"]
    return detail


def finished(emulator: Emulator, jobs: Jobs, job: dict[str, Any]) -> dict[str, Any]:
    """Let a job finish, and return it."""
    assert 0 == emulator.batches.settle(timeout=30)
    batch = jobs.get(f"/batches/{job['id']}")
    check(BATCH, batch)
    return batch


def counts_of(batch: dict[str, Any]) -> tuple[int, int, int]:
    """Return the numbers of all, completed and failed lines of a job."""
    counts = batch["request_counts"]
    return counts["total"], counts["completed"], counts["failed"]


# The course of a job


def test_a_job_takes_its_course(emulator: Emulator, steered: Jobs) -> None:
    """A client can observe each status with its time, and the files exist at the end."""
    names = ("validating", "in_progress", "finalizing")
    for name in names:
        emulator.batches.hold(name)
    job = steered.create(some_lines(3), metadata={"corpus": "recipes"})
    check(BATCH, job)
    times = {
        f"{name}_at": None
        for name in (
            "in_progress",
            "finalizing",
            "completed",
            "failed",
            "cancelling",
            "cancelled",
        )
    }
    created = {
        "id": job["id"],
        "object": "batch",
        "endpoint": "/v1/embeddings",
        "errors": None,
        "input_file_id": steered.get("/files")["first_id"],
        "completion_window": "12h",
        "model": "voyage-4",
        "status": "validating",
        "output_file_id": None,
        "error_file_id": None,
        "request_counts": {"total": 0, "completed": 0, "failed": 0},
        "metadata": {"corpus": "recipes"},
        "created_at": "2025-12-01T19:18:24+00:00",
        "expected_completion_at": "2025-12-02T07:18:24+00:00",
        **times,
    }
    assert created == job
    expected = {
        "validating": ((0, 0, 0), times),
        "in_progress": ((3, 0, 0), {**times, "in_progress_at": "2025-12-01T20:18:24+00:00"}),
        "finalizing": (
            (3, 3, 0),
            {
                **times,
                "in_progress_at": "2025-12-01T20:18:24+00:00",
                "finalizing_at": "2025-12-01T21:18:24+00:00",
            },
        ),
    }
    for place, name in enumerate(names):
        assert 1 == emulator.batches.settle()
        batch = steered.get(f"/batches/{job['id']}")
        counts, known = expected[name]
        assert (name, None) == (batch["status"], batch["output_file_id"])
        assert (counts, known) == (counts_of(batch), {key: batch[key] for key in times})
        emulator.clock.advance(HOUR)
        emulator.batches.release()
        for later in names[place + 1 :]:
            emulator.batches.hold(later)
    batch = finished(emulator, steered, job)
    assert ("completed", "2025-12-01T22:18:24+00:00") == (batch["status"], batch["completed_at"])
    assert ((3, 3, 0), None) == (counts_of(batch), batch["error_file_id"])
    output = steered.get(f"/files/{batch['output_file_id']}")
    assert (f"batch_{job['id']}_output", "batch-output", batch["completed_at"]) == (
        output["filename"],
        output["purpose"],
        output["created_at"],
    )


@pytest.mark.parametrize(
    ("endpoint", "params", "bodies"),
    [
        (
            "embeddings",
            {**SMALL, "input_type": "document", "encoding_format": "base64"},
            [{"input": "one text"}, {"input": ["two", "texts"]}, {"input": ["one text"]}],
        ),
        (
            "contextualizedembeddings",
            {"model": "voyage-context-3", "input_type": "document", "output_dimension": 256},
            [{"inputs": [["a", "b"], ["c"]]}, {"inputs": [["d"]]}],
        ),
        (
            "rerank",
            {"model": "rerank-2.5", "top_k": 1, "return_documents": True},
            [{"query": "q", "documents": ["a", "b"]}, {"query": "keys?", "documents": ["keys"]}],
        ),
    ],
)
def test_a_line_is_answered_as_a_request_would_be(
    shared: Emulator,
    jobs: Jobs,
    endpoint: str,
    params: dict[str, Any],
    bodies: list[dict[str, Any]],
) -> None:
    """Vectors made in batches and live vectors can be compared."""
    lines = [a_line(f"line-{place}", **body) for place, body in enumerate(bodies)]
    job = jobs.create(lines, endpoint=f"/v1/{endpoint}", request_params=params)
    assert "completed" == finished(shared, jobs, job)["status"]
    output, errors = jobs.results(job["id"])
    live = {
        line["custom_id"]: jobs.http.post(f"/{endpoint}", json={**params, **line["body"]}).json()
        for line in lines
    }
    for line in output:
        check(OUTPUT, line)
        assert {"custom_id", "response", "error"} == set(line)
        assert (200, None) == (line["response"]["status_code"], line["error"])
    assert (live, []) == ({line["custom_id"]: line["response"]["body"] for line in output}, errors)


def test_every_line_is_answered_once_and_in_another_order(shared: Emulator, jobs: Jobs) -> None:
    """Code that relies on the order of the input must fail here, not in production."""
    for number in (2, 3, 1000):
        lines = list(some_lines(number))
        batch = finished(shared, jobs, job := jobs.create(lines))
        output, errors = jobs.results(job["id"])
        assert (ids(lines), []) == (ids(output), errors)
        assert (number, number, 0) == counts_of(batch)
        assert list(ids(lines)) != list(ids(output))
        again = jobs.create(lines)
        finished(shared, jobs, again)
        assert list(ids(output)) == list(ids(jobs.results(again["id"])[0]))


# Lines that fail


@pytest.mark.parametrize(
    ("content", "errors"),
    [
        (b"{", [("invalid_json", 1, "The line is not JSON.", None)]),
        (
            jsonl([a_line("a")]) + b"\n[1]\n" + jsonl([a_line("b")]) + b"{}",
            [
                ("invalid_json", 2, "The line is not JSON.", None),
                ("invalid_request", 3, "Input should be a valid dictionary", "body"),
                ("invalid_request", 5, "missing one or more required", "custom_id"),
                ("invalid_request", 5, "missing one or more required", "body"),
            ],
        ),
        (
            jsonl([a_line("a"), a_line("b"), a_line("a")]),
            [("duplicate_custom_id", 3, "The custom_id is that of line 1 too.", "custom_id")],
        ),
        (jsonl([a_line("")]), [("empty_custom_id", 1, "The custom_id is empty.", "custom_id")]),
        (
            jsonl([{"custom_id": 5, "body": {"input": "a"}}]),
            [("invalid_request", 1, "Value '5' supplied", "custom_id")],
        ),
        (
            jsonl([{**a_line("a"), "method": "POST", "url": "/v1/embeddings"}]),
            [
                ("invalid_request", 1, "Argument 'method' is not supported", "method"),
                ("invalid_request", 1, "Argument 'url' is not supported", "url"),
            ],
        ),
        (
            jsonl([a_line("a", input="x", model="voyage-4")]),
            [("invalid_request", 1, "Argument 'model' is not supported by our API", "body.model")],
        ),
        (
            jsonl([a_line("a", query="q", documents=["d"])]),
            [
                ("invalid_request", 1, "missing one or more required", "body.input"),
                ("invalid_request", 1, "Argument 'query' is not supported", "body.query"),
                ("invalid_request", 1, "Argument 'documents' is not supported", "body.documents"),
            ],
        ),
        (
            jsonl([a_line("a", input=["a", ""])]),
            [("invalid_request", 1, "cannot contain empty strings", "body.input.1")],
        ),
        (
            jsonl([a_line("a", input=["a"] * 1001)]),
            [("invalid_request", 1, "List should have at most 1000 items", "body.input")],
        ),
        (b'{"custom_id": "\xff"}', [("invalid_json", 1, "The line is not JSON.", None)]),
        (
            b'{"custom_id": "a", "body": {"input": %b}}' % (b"[" * 500 + b"]" * 500),
            [("invalid_json", 1, "The line is not JSON.", None)],
        ),
    ],
)
def test_a_job_fails_for_lines_that_are_not_as_they_must_be(
    shared: Emulator, jobs: Jobs, content: bytes, errors: list[tuple[Any, ...]]
) -> None:
    """The errors say what is wrong in which line, and no line runs."""
    batch = finished(shared, jobs, jobs.create(content))
    assert ("failed", True) == (batch["status"], batch["failed_at"] is not None)
    assert (None, None, None) == (
        batch["output_file_id"],
        batch["error_file_id"],
        batch["in_progress_at"],
    )
    found = batch["errors"]["data"]
    assert "list" == batch["errors"]["object"]
    expected = [(code, line, param) for code, line, _, param in errors]
    assert sorted(expected, key=str) == sorted(
        [(error["code"], error["line"], error["param"]) for error in found], key=str
    )
    for _, line, message, param in errors:
        assert [
            error
            for error in found
            if message in error["message"] and (line, param) == (error["line"], error["param"])
        ]
    lines = len(content.splitlines())
    assert (lines, 0, 0) == counts_of(batch)


def test_of_many_errors_some_are_reported(shared: Emulator, jobs: Jobs) -> None:
    """The response stays small, and states the total."""
    batch = finished(shared, jobs, jobs.create(b"{\n" * (MAX_ERRORS + 7)))
    errors = [(error["code"], error["line"]) for error in batch["errors"]["data"]]
    told = [("invalid_json", line) for line in range(1, MAX_ERRORS + 1)]
    assert [*told, ("too_many_errors", None)] == errors
    assert "There are 7 more errors." == batch["errors"]["data"][-1]["message"]


def test_a_job_takes_only_so_many_lines(emulator: Emulator, steered: Jobs) -> None:
    """Users split larger files; the limit is the catalogue's unless a test sets another."""
    assert catalogue.BATCH.max_inputs == emulator.batches.as_json()["limits"]["max_inputs"]
    emulator.batches.limit(max_inputs=3)
    assert "completed" == finished(emulator, steered, steered.create(some_lines(3)))["status"]
    batch = finished(emulator, steered, steered.create(some_lines(4)))
    (error,) = batch["errors"]["data"]
    assert ("failed", (4, 0, 0), "too_many_inputs", None) == (
        batch["status"],
        counts_of(batch),
        error["code"],
        error["line"],
    )


def test_a_line_that_is_too_long_fails_the_job() -> None:
    """The line is never held in memory as a whole."""
    model = attrs.evolve(catalogue.MODELS[MODEL], max_request_tokens=1)
    settings = Settings(models={MODEL: model})
    lines = [a_line("a"), a_line("b" * max_body([model]))]
    with serving(Server("127.0.0.1", 0, settings)) as emulator, Jobs(emulator.url) as jobs:
        (error,) = finished(emulator, jobs, jobs.create(lines))["errors"]["data"]
    assert ("line_too_long", 2) == (error["code"], error["line"])


def test_a_line_that_the_model_refuses_fails_alone(shared: Emulator, jobs: Jobs) -> None:
    """The line's error has the message of the endpoint."""
    params = {**SMALL, "truncation": False}
    long = {"input": ["x " * 40_000]}
    job = jobs.create([a_line("a"), a_line("long", **long)], request_params=params)
    batch = finished(shared, jobs, job)
    output, errors = jobs.results(job["id"])
    assert ("completed", (2, 1, 1), ["a"]) == (
        batch["status"],
        counts_of(batch),
        [line["custom_id"] for line in output],
    )
    live = refused(jobs.http.post("/embeddings", json={**params, **long}), 400)
    response = {"status_code": 400, "message": live}
    assert [{"custom_id": "long", "response": response, "error": None}] == errors
    check(OUTPUT, errors[0])
    file = jobs.get(f"/files/{batch['error_file_id']}")
    assert ("batch-error", f"batch_{job['id']}_error") == (file["purpose"], file["filename"])


def test_a_line_that_breaks_the_server_fails_alone(emulator: Emulator, steered: Jobs) -> None:
    """The other lines and jobs go on."""

    class Fragile(LexicalEngine):
        def relevance(self, query: str, documents: Sequence[str], model: str) -> Scores:
            if query == "broken":
                raise ZeroDivisionError
            return super().relevance(query, documents, model)

    emulator.engine = Fragile()
    lines = [a_line(query, query=query, documents=["a", "b"]) for query in ("a", "broken", "c")]
    job = steered.create(lines, endpoint="/v1/rerank", request_params={"model": "rerank-2.5"})
    assert (3, 2, 1) == counts_of(finished(emulator, steered, job))
    assert [{"status_code": 500, "message": "Internal Server Error"}] == [
        line["response"] for line in steered.results(job["id"])[1]
    ]


def test_lines_fail_when_told_to(emulator: Emulator, steered: Jobs) -> None:
    """A test can fail one line, a number of lines or a share, for a limited time."""
    lines = list(some_lines(400))

    def failed() -> list[dict[str, Any]]:
        job = steered.create(lines)
        batch = finished(emulator, steered, job)
        output, errors = steered.results(job["id"])
        assert (400, len(output), len(errors)) == counts_of(batch)
        assert ids(lines) == ids(output) + ids(errors)
        return errors

    emulator.batches.fail("line-7", status=503, message="Service Unavailable")
    response = {"status_code": 503, "message": "Service Unavailable"}
    expected = [{"custom_id": "line-7", "response": response, "error": None}]
    assert (expected, expected) == (failed(), failed())
    emulator.batches.stop_failing()
    emulator.batches.fail(times=3)
    assert ([500] * 3, []) == ([line["response"]["status_code"] for line in failed()], failed())
    emulator.batches.fail(rate=0.5)
    first, second = ids(failed()), ids(failed())
    assert 100 < len(first) < 300
    assert first != second
    emulator.batches.stop_failing()
    emulator.batches.fail()
    batch = finished(emulator, steered, steered.create(lines))
    assert ("completed", None, (400, 0, 400)) == (
        batch["status"],
        batch["output_file_id"],
        counts_of(batch),
    )


# Cancelling and expiring


def test_a_cancelled_job_keeps_what_it_has(emulator: Emulator, steered: Jobs) -> None:
    """Answers are in the output file, and lines that did not run in the error file."""
    lines = list(some_lines(100))
    emulator.batches.pace(60)
    emulator.batches.hold("cancelling")
    job = steered.create(lines)
    emulator.batches.settle()
    emulator.clock.advance(30 * 60)
    assert 1 == emulator.batches.settle()
    assert (100, 30, 0) == counts_of(steered.get(f"/batches/{job['id']}"))
    batch = steered.cancel(job["id"])
    assert ("cancelling", "2025-12-01T19:48:24+00:00") == (
        batch["status"],
        batch["cancelling_at"],
    )
    refused(steered.http.post(f"/batches/{job['id']}/cancel"), 400)
    emulator.clock.advance(60)
    emulator.batches.release()
    batch = finished(emulator, steered, job)
    assert ("cancelled", "2025-12-01T19:49:24+00:00", (100, 30, 70)) == (
        batch["status"],
        batch["cancelled_at"],
        counts_of(batch),
    )
    assert (None, None) == (batch["completed_at"], batch["finalizing_at"])
    output, errors = steered.results(job["id"])
    assert ids(lines[:30]) == ids(output)
    assert ids(lines[30:]) == ids(errors)
    assert {(None, "batch_cancelled")} == {
        (line["response"], line["error"]["code"]) for line in errors
    }
    for line in errors:
        check(OUTPUT, line)


@pytest.mark.parametrize(
    ("content", "errors", "failed"),
    [(jsonl(some_lines(5)), 0, 5), (b"{", 1, 0)],
)
def test_a_job_is_cancelled_while_it_is_validated(
    emulator: Emulator, steered: Jobs, content: bytes, errors: int, failed: int
) -> None:
    """The outcome must not depend on the speed of the client."""
    emulator.batches.hold("validating")
    job = steered.create(content)
    assert "cancelling" == steered.cancel(job["id"])["status"]
    batch = finished(emulator, steered, job)
    assert ("cancelled", failed, None) == (
        batch["status"],
        batch["request_counts"]["failed"],
        batch["output_file_id"],
    )
    assert (errors, failed) == (
        len((batch["errors"] or {"data": []})["data"]),
        len(steered.results(job["id"])[1]),
    )


def test_only_a_job_that_runs_can_be_cancelled(emulator: Emulator, steered: Jobs) -> None:
    """A job can be cancelled until it is finalizing, and the refusal names its status."""
    emulator.batches.hold("finalizing")
    job = steered.create(some_lines(1))
    assert 1 == emulator.batches.settle()
    path = f"/batches/{job['id']}/cancel"
    assert f"Batch '{job['id']}' cannot be cancelled: its status is finalizing." == refused(
        steered.http.post(path), 400
    )
    emulator.batches.release()
    finished(emulator, steered, job)
    assert "completed" in refused(steered.http.post(path), 400)


def test_a_job_that_misses_its_window_is_completed(emulator: Emulator, steered: Jobs) -> None:
    """The API has no status for it, so the lines that did not run say so."""
    lines = list(some_lines(20))
    emulator.batches.pace(HOUR)
    job = steered.create(lines)
    emulator.batches.settle()
    emulator.clock.advance(5 * HOUR)
    emulator.batches.settle()
    assert (20, 5, 0) == counts_of(steered.get(f"/batches/{job['id']}"))
    emulator.clock.advance(20 * HOUR)
    batch = finished(emulator, steered, job)
    assert ("completed", None) == (batch["status"], batch["failed_at"])
    output, errors = steered.results(job["id"])
    # A line that is due exactly at the end of the window has expired.
    assert (ids(lines[:11]), ids(lines[11:])) == (ids(output), ids(errors))
    assert {
        (
            "batch_expired",
            "This request could not be executed before the completion window expired.",
        )
    } == {(line["error"]["code"], line["error"]["message"]) for line in errors}
    for line in errors:
        check(OUTPUT, line)


def test_what_is_held_expires_when_it_is_released(emulator: Emulator, steered: Jobs) -> None:
    """The time for which a test holds a job, and the expiry of its input, must not matter."""
    emulator.batches.hold("in_progress")
    job = steered.create(some_lines(3))
    emulator.batches.settle()
    emulator.clock.advance(40 * 24 * HOUR)
    refused(steered.http.get(f"/files/{job['input_file_id']}"), 404)
    steered.upload(b"drops what is expired")
    emulator.batches.release()
    batch = finished(emulator, steered, job)
    assert ("completed", (3, 0, 3)) == (batch["status"], counts_of(batch))
    assert ids(some_lines(3)) == ids(steered.results(job["id"])[1])


def test_jobs_run_side_by_side(emulator: Emulator, steered: Jobs) -> None:
    """A job that waits for the clock must not delay the others."""
    emulator.batches.pace(60)
    slow = steered.create(some_lines(2))
    emulator.batches.settle()
    emulator.batches.pace(0)
    emulator.batches.hold("validating")
    held = steered.create(some_lines(2))
    assert 1 == emulator.batches.settle()
    assert ["validating", "completed"] == [
        steered.get(f"/batches/{job['id']}")["status"] for job in (held, slow)
    ]


# Refusals


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (
            {"endpoint": "/v1/multimodalembeddings"},
            "Value '/v1/multimodalembeddings' supplied for endpoint is not allowed",
        ),
        (
            {"completion_window": "24h"},
            "Value '24h' supplied for completion_window is not allowed",
        ),
        ({"request_params": {}}, "Your request body was missing one or more required arguments."),
        (
            {"request_params": {**SMALL, "dimensions": 5}},
            "Argument 'dimensions' is not supported by our API",
        ),
        (
            {"request_params": {"model": "rerank-2.5", "top_k": "all"}},
            "Error for argument 'request_params.top_k': Input should be a valid integer",
        ),
        (
            {"request_params": {**SMALL, "top_k": 5}},
            "Argument 'top_k' is not supported by our API",
        ),
        ({"metadata": {"k": 5}}, "Error for argument 'metadata.k': Input should be a valid string"),
        (
            {"metadata": {"k": "v" * 513}},
            "Error for argument 'metadata.k': String should have at most 512 characters",
        ),
        (
            {"metadata": {str(number): "v" for number in range(17)}},
            "Error for argument 'metadata': Dictionary should have at most 16 items",
        ),
        (
            {"metadata": {"k" * 65: "v"}},
            "Error for argument 'metadata': Value error, \"kkkk",
        ),
        ({"priority": 1}, "Argument 'priority' is not supported by our API"),
    ],
)
def test_a_job_that_is_not_as_it_must_be_is_refused(
    jobs: Jobs, fields: dict[str, Any], reason: str
) -> None:
    """The job is refused before anything is stored."""
    file = jobs.upload(jsonl(some_lines(1)))["id"]
    assert refused(jobs.post(file, **fields), 400).startswith(PREAMBLE + reason)
    assert [] == jobs.get("/batches")["data"]


@pytest.mark.parametrize(
    ("endpoint", "params", "reason"),
    [
        ("embeddings", {"model": "no-such"}, "Model no-such is not supported. Supported models"),
        ("embeddings", {"model": "rerank-2.5"}, "Model rerank-2.5 is not supported."),
        (
            "embeddings",
            {"model": "voyage-4", "output_dimension": 3},
            "Request to model 'voyage-4' failed. The output dimension 3 is not supported.",
        ),
        (
            "embeddings",
            {"model": "voyage-code-2", "output_dtype": "int8"},
            "Request to model 'voyage-code-2' failed. The output data type 'int8'",
        ),
    ],
)
def test_a_job_for_a_model_that_cannot_do_it_is_refused(
    jobs: Jobs, endpoint: str, params: dict[str, Any], reason: str
) -> None:
    """The message is that of the endpoint."""
    file = jobs.upload(jsonl(some_lines(1)))["id"]
    response = jobs.post(file, endpoint=f"/v1/{endpoint}", request_params=params)
    assert refused(response, 400).startswith(reason)


def test_a_model_that_jobs_do_not_take_is_refused(jobs: Jobs) -> None:
    """The catalogue lists these models; others are accepted."""
    file = jobs.upload(jsonl(some_lines(1)))["id"]
    models = [
        model
        for model in catalogue.MODELS.values()
        if model.endpoint == "embeddings" and model.lifecycle != "retired"
    ]
    assert {True, False, None} == {model.batch for model in models}
    for model in models:
        response = jobs.post(file, request_params={"model": model.name})
        if model.batch is False:
            reason = refused(response, 400)
            assert reason.startswith(f"Model {model.name} is not supported.")
            assert f"'{model.name}'" not in reason
        else:
            assert 200 == response.status_code, response.text


def test_a_job_needs_a_file_that_was_uploaded_for_it(shared: Emulator, jobs: Jobs) -> None:
    """The file must exist, belong to the key, and be an upload rather than an output."""
    assert "File 'file-x' not found." == refused(jobs.post("file-x"), 404)
    with Jobs(shared.url, "another") as others:
        theirs = others.upload(jsonl(some_lines(1)))["id"]
    refused(jobs.post(theirs), 404)
    batch = finished(shared, jobs, jobs.create(some_lines(1)))
    reason = refused(jobs.post(batch["output_file_id"]), 400)
    assert "Error for argument 'input_file_id': Value error, the purpose" in reason


def test_only_so_many_jobs_are_in_flight(emulator: Emulator, steered: Jobs) -> None:
    """The limit is per owner, and a finished job makes room for another."""
    most = catalogue.BATCH.max_jobs_in_flight
    emulator.batches.hold("in_progress")
    first, second, *_ = [steered.create(some_lines(1)) for _ in range(most)]
    reason = refused(steered.post(first["input_file_id"]), 429)
    assert f"limit of {most} jobs in flight. Please wait 30 minutes" in reason
    with Jobs(emulator.url, "another") as others:
        others.create(some_lines(1))
    steered.cancel(second["id"])
    emulator.batches.settle()
    assert 200 == steered.post(first["input_file_id"]).status_code


def test_only_so_many_tokens_are_in_flight(emulator: Emulator, steered: Jobs) -> None:
    """A job beyond the limit fails when its lines are counted, and further ones are refused."""
    usage = steered.http.post("/embeddings", json={**SMALL, "input": "a b c d"}).json()["usage"]
    limit = usage["total_tokens"] * 3
    emulator.batches.limit(max_tokens_in_flight=limit)
    emulator.batches.hold("in_progress")

    def job(texts: int) -> dict[str, Any]:
        created = steered.create([a_line("a", input=["a b c d"] * texts)])
        emulator.batches.settle()
        return steered.get(f"/batches/{created['id']}")

    assert "in_progress" == job(2)["status"]
    beyond = job(2)
    assert ("failed", "too_many_tokens") == (beyond["status"], beyond["errors"]["data"][0]["code"])
    assert "in_progress" == job(1)["status"]
    reason = refused(steered.post(beyond["input_file_id"]), 429)
    assert f"limit of {limit} tokens in flight" in reason


# Lists and owners


def test_jobs_are_listed_newest_first_page_by_page(shared: Emulator, jobs: Jobs) -> None:
    """Every job appears on exactly one page."""
    file = jobs.upload(jsonl(some_lines(1)))["id"]
    created = [jobs.post(file).json()["id"] for _ in range(5)]
    shared.batches.settle()
    found: list[str] = []
    after: dict[str, str] = {}
    more = True
    while more:
        page = jobs.get("/batches", limit=2, **after)
        check("#/components/schemas/BatchList", page)
        assert (page["data"][0]["id"], page["data"][-1]["id"]) == (
            page["first_id"],
            page["last_id"],
        )
        found += [batch["id"] for batch in page["data"]]
        after, more = {"after": page["last_id"]}, page["has_more"]
    assert created[::-1] == found
    assert "Batch 'batch-x' not found." == refused(jobs.http.get("/batches?after=batch-x"), 404)
    refused(jobs.http.get("/batches?limit=101"), 400)


def test_jobs_of_another_key_are_not_there(shared: Emulator, jobs: Jobs) -> None:
    """Neither the jobs nor their files are visible."""
    with Jobs(shared.url, "another") as others:
        batch = finished(shared, others, others.create(some_lines(1)))
    for method, path in (("GET", ""), ("POST", "/cancel")):
        response = jobs.http.request(method, f"/batches/{batch['id']}{path}")
        assert f"Batch '{batch['id']}' not found." == refused(response, 404)
    refused(jobs.http.get(f"/files/{batch['output_file_id']}/content"), 404)
    empty = {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}
    assert empty == jobs.get("/batches")


# Controlling batches from a test


def test_the_handle_refuses_what_makes_no_sense(shared: Emulator) -> None:
    """A mistake in a test fails at the line that contains it."""
    batches = shared.batches
    with pytest.raises(ValueError, match="not in 'completed'"):
        batches.hold("completed")
    with pytest.raises(ValueError, match="0 seconds or more"):
        batches.pace(-1)
    for times in (0, 1.5):
        with pytest.raises(ValueError, match=f"a whole number from 1, or None, not {times}"):
            batches.fail(times=times)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="from 0 to 1"):
        batches.fail(rate=2)
    with pytest.raises(ValueError, match="from 400 to 599"):
        batches.fail(status=200)
    with pytest.raises(ValueError, match="max_inputs must be a whole number from 1, not 0"):
        batches.limit(max_inputs=0)


def test_the_handle_shows_all_jobs(emulator: Emulator, steered: Jobs) -> None:
    """The JSON has the jobs of every key with their owners, and the current controls."""
    limits = attrs.asdict(BatchLimits())
    assert {
        "held": [],
        "seconds_per_line": 0,
        "limits": limits,
        "batches": [],
    } == emulator.batches.as_json()
    emulator.batches.hold("validating")
    emulator.batches.pace(2.5)
    mine = steered.create(some_lines(1))
    with Jobs(emulator.url, "another") as others:
        theirs = others.create(some_lines(1))
    first, second = list(dict.fromkeys(request.key for request in emulator.requests))
    assert {
        "held": ["validating"],
        "seconds_per_line": 2.5,
        "limits": limits,
        "batches": [{"owner": second, **theirs}, {"owner": first, **mine}],
    } == emulator.batches.as_json()


def test_pace_is_kept_by_a_clock_that_goes_on(shared: Emulator) -> None:
    """The real clock needs no move by the test."""
    with running() as emulator, Jobs(emulator.url) as jobs:
        emulator.batches.pace(0.02)
        job = jobs.create(some_lines(4))
        batch = jobs.get(f"/batches/{job['id']}")
        while batch["status"] != "completed":
            batch = jobs.get(f"/batches/{job['id']}")
        began, ended = (
            datetime.fromisoformat(batch[name]) for name in ("in_progress_at", "completed_at")
        )
        assert ended - began >= timedelta(seconds=4 * 0.02)


def test_an_emulator_stops_in_the_middle_of_a_job() -> None:
    """The emulator stops at once, without a message."""
    with running() as emulator, Jobs(emulator.url) as jobs:
        jobs.create(some_lines(20_000))
