"""A run of a job is a span with links to earlier runs and a child per part; metrics count rows."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2
import pyarrow as pa
import pytest
import voyageai
from opentelemetry import trace
from voyageai import error
from voyageai.tables import Embedder
from voyageai.telemetry.jobs import FILE, MAX_SPANS, JobSpan
from voyageai.telemetry.recorder import Telemetry

from .conftest import KEY, Recorded, attributes, done

ROLE: dict[str, Any] = {"model": "voyage-4", "input_type": "document"}
ROWS = [{"id": 1, "body": "It rains."}, {"id": 2, "body": "It snows."}, {"id": 3, "body": None}]
TABLE: dict[str, Any] = {**ROLE, "text": "body", "id": "id", "progress": False}
BATCH: dict[str, Any] = {**ROLE, "poll": 0.02, "progress": False}


def parent_of(span: Any) -> int | None:
    return span.parent and span.parent.span_id


def own(span: Any, prefix: str) -> dict[str, Any]:
    """Return the attributes of a span whose names start with a prefix."""
    return {k.removeprefix(prefix): v for k, v in attributes(span).items() if k.startswith(prefix)}


def test_a_run_of_a_batch_job_is_a_span_with_a_child_per_batch(recorded, emulator, tmp_path):
    """The trace shows which batch of a nightly job took the time."""
    job = done(recorded.client().batches.prepare_embed(["a b", "c"], directory=tmp_path, **BATCH))
    results = done(job.run())

    [batch], [run] = recorded.spans("batch voyage-4"), recorded.spans("batch_job")
    assert "batch_job voyage-4" == run.name
    assert (run.context.span_id, run.context.trace_id) == (parent_of(batch), batch.context.trace_id)
    found = own(run, "voyageai.job.")
    assert 0 < found.pop("limit_share") < 1e-6
    assert {
        "action": "run",
        "cost": pytest.approx(results.cost),
        "id": job.id,
        "kind": "batch",
        "method": "embed",
        "model": "voyage-4",
        "rows": 2,
        "tokens": results.total_tokens,
    } == found
    found = own(batch, "voyageai.batch.")
    assert found.pop("id").startswith("batch-")
    assert {"number": 1, "requests": 1, "rows": 2, "status": "completed"} == found
    assert (trace.StatusCode.UNSET, trace.SpanKind.INTERNAL) == (run.status.status_code, run.kind)
    assert {"gen_ai.provider.name"} == {
        name for span in (batch, run) for name in attributes(span) if name.startswith("gen_ai.")
    }, "a model would make readers of these conventions count its tokens as those of live calls"
    sent = [request.headers["traceparent"] for request in emulator.requests]
    assert {f"{run.context.span_id:016x}"} == {line.split("-")[2] for line in sent}


def test_counters_hold_what_each_run_has_added(recorded, tmp_path):
    """Backends add counters over all processes, so each row is counted in one run only."""
    client = recorded.client()
    results = done(client.batches.embed(["a b", "c"], directory=tmp_path / "batches", **BATCH))
    done(done(_resumed(client, tmp_path / "batches")).run())
    table = done(client.tables.prepare_embed(ROWS, into=tmp_path / "live", **TABLE))
    live = done(table.run())
    done(table.run())
    via = done(client.tables.embed(ROWS, into=tmp_path / "via", via="batch", **TABLE, poll=0.02))

    tokens = live.tokens + via.tokens
    assert {("batch", "done"): 2, ("table", "done"): 4, ("table", "failed"): 2} == recorded.sums(
        "voyageai.job.rows"
    )
    assert {("batch",): results.total_tokens, ("table",): tokens} == recorded.sums(
        "voyageai.job.tokens"
    )
    assert {
        ("batch",): pytest.approx(results.cost),
        ("table",): pytest.approx(live.cost + via.cost),
    } == recorded.sums("voyageai.job.cost")


def _resumed(client: Any, folder: Path) -> Any:
    return client.batches.resume(folder, poll=0.02, progress=False)


@pytest.mark.parametrize("via", ["live", "batch"])
def test_a_run_of_a_table_is_a_span_with_a_child_per_part(recorded, tmp_path, via):
    """A slow slice is found by its number, and its calls are the children of its span."""
    more = {"poll": 0.02} if via == "batch" else {}
    client = recorded.client()
    job = done(client.tables.prepare_embed(ROWS, into=tmp_path, via=via, **TABLE, **more))
    result = done(job.run())

    [run] = recorded.spans("table_job")
    found = own(run, "voyageai.job.")
    found.pop("limit_share", None)
    assert {
        "action": "run",
        "cost": pytest.approx(result.cost),
        "failed_rows": 1,
        "id": job.id,
        "kind": "table",
        "method": "embed",
        "model": "voyage-4",
        "rows": 2,
        "tokens": result.tokens,
        "via": via,
    } == found
    [part] = recorded.spans("slice" if via == "live" else "batch")
    assert run.context.span_id == parent_of(part)
    if via == "live":
        expected = {"failed_rows": 1, "input": 0, "number": 0, "rows": 2, "tokens": result.tokens}
        assert expected == own(part, "voyageai.slice.")
    calls = recorded.spans("embeddings")
    assert ([part.context.span_id] if via == "live" else []) == [parent_of(one) for one in calls]


def test_a_second_run_is_linked_to_the_first(recorded, tmp_path):
    """A job can take several processes, and the links connect their traces."""
    job = done(recorded.client().tables.prepare_embed(ROWS, into=tmp_path, **TABLE))
    done(job.run())
    done(job.retry_failed())

    first, second = recorded.spans("table_job")
    assert ["run", "retry_failed"] == [
        own(one, "voyageai.job.")["action"] for one in (first, second)
    ]
    [link] = second.links
    assert (first.context.trace_id, first.context.span_id) == (
        link.context.trace_id,
        link.context.span_id,
    )
    assert {"voyageai.job.id": job.id} == dict(link.attributes)


SCRIPT = """
import os, sys
import voyageai
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

url, folder = sys.argv[1:]

def tell(progress):
    if progress.stage == "creating":
        context = trace.get_current_span().get_span_context()
        print(f"{context.trace_id:032x}-{context.span_id:016x}", flush=True)
        os._exit(9)

vo = voyageai.Client(KEY, base_url=url, open_telemetry={"tracer_provider": TracerProvider()})
vo.batches.embed(["It rains."], directory=folder, model="voyage-4", input_type="document", poll=0.02, progress=tell)
"""


def test_a_later_process_is_linked_to_one_that_was_killed(recorded, emulator, tmp_path):
    """The killed run's span was never exported, but its link shows that there was a run."""
    script = SCRIPT.replace("KEY", repr(KEY))
    command = [sys.executable, "-c", script, emulator.url, str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert 9 == ended.returncode, ended.stderr
    done(done(_resumed(recorded.client(), tmp_path)).run())

    [run] = recorded.spans("batch_job")
    [link] = run.links
    assert ended.stdout.strip() == f"{link.context.trace_id:032x}-{link.context.span_id:016x}"
    assert 1 == len(recorded.spans("batch voyage-4"))


def test_a_job_that_fails_says_so_and_ends_its_parts(recorded, tmp_path):
    """Parts that were open when the job stopped are exported too, with the error."""
    answer = httpx2.MockTransport(lambda _: httpx2.Response(401, json={"detail": "no"}))
    client = recorded.client(transport=answer)
    job = done(client.tables.prepare_embed(ROWS, into=tmp_path, **TABLE))
    with pytest.raises(error.AuthenticationError):
        done(job.run())

    [part], [run] = recorded.spans("slice"), recorded.spans("table_job")
    assert (trace.StatusCode.ERROR, "AuthenticationError") == (
        run.status.status_code,
        attributes(run)["error.type"],
    )
    assert run.context.span_id == parent_of(part)
    assert trace.INVALID_SPAN == trace.get_current_span()


def test_refusals_for_the_rate_are_counted(recorded, emulator, tmp_path):
    """Many refusals tell an operator that the limit is set too high."""
    emulator.faults.next("status", status=429, retry_after=0)
    done(recorded.client().tables.embed(ROWS, into=tmp_path, **TABLE))

    assert {("table",): 1} == recorded.sums("voyageai.job.refusals")
    [run] = recorded.spans("table_job")
    assert 1 == own(run, "voyageai.job.")["refusals"]


def test_the_share_of_the_limit_is_a_gauge_and_its_highest_value_an_attribute(recorded, tmp_path):
    """A user sees when a job uses a tenth of its limit and could run ten times as fast."""
    with a_span(recorded, tmp_path) as span:
        span.share(0.75)
        span.share(0.5)

    assert {("table",): 0.5} == recorded.sums("voyageai.job.limit_share")
    [run] = recorded.spans("table_job")
    assert 0.75 == own(run, "voyageai.job.")["limit_share"]


def a_span(recorded: Recorded, folder: Path) -> JobSpan:
    made = JobSpan(
        Telemetry.of(recorded.providers),
        *("table",),
        id="1",
        method="embed",
        model="voyage-4",
        folder=folder,
        price=None,
    )
    made.load()
    return made


def test_the_file_keeps_a_few_spans_and_nothing_else(recorded, tmp_path):
    """The file of a job that runs every hour stays small."""
    for _ in range(MAX_SPANS + 2):
        with a_span(recorded, tmp_path) as span:
            span.keep()

    spans = recorded.spans("table_job")
    assert MAX_SPANS == len(spans[-1].links)
    kept = json.loads((tmp_path / FILE).read_text())
    assert {"spans", "counted"} == set(kept)
    assert all(re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", line) for line in kept["spans"])
    assert spans[-1].context.span_id == int(kept["spans"][-1].split("-")[2], 16)


@pytest.mark.parametrize(
    "content", ["", "[]", '{"spans": 5}', '{"spans": ["x", 1], "counted": {"rows": "y"}}']
)
def test_a_damaged_file_stops_no_job(recorded, tmp_path, content):
    """The file holds nothing that was paid for, so losing it costs only links."""
    job = done(recorded.client().tables.prepare_embed(ROWS, into=tmp_path, **TABLE))
    (tmp_path / "_job" / FILE).write_text(content)

    assert 2 == done(job.run()).rows
    [run] = recorded.spans("table_job")
    assert () == tuple(run.links)


def test_without_telemetry_a_job_leaves_no_file(emulator, tmp_path):
    """A program that records nothing finds no extra file beside its job."""
    with voyageai.Client(KEY, base_url=emulator.url, open_telemetry=False) as vo:
        vo.batches.embed(["a"], directory=tmp_path / "batches", **BATCH)
        vo.tables.embed(ROWS, into=tmp_path / "table", **TABLE)

    assert [] == list(tmp_path.rglob(FILE))


SECRETS = ("Zanzibar", "Quetzal", "Xylophone", "https://pictures.example/Nightingale.png")


def test_no_text_and_no_key_is_in_anything_that_is_recorded(recorded, emulator, tmp_path):
    """Spans and metrics are stored for long, often by other companies."""
    place, bird, music, picture = SECRETS
    client = recorded.client(max_retries=0)
    done(client.embed([f"{place} is far."], **ROLE))
    done(client.rerank(bird, [f"{music} one", "two"], "rerank-2.5"))
    done(client.contextualized_embed([[place, bird]], "voyage-context-4", "document"))
    done(client.multimodal_embed_query([[bird]], "voyage-multimodal-3.5"))

    def quoting(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(400, json={"detail": f"can't read {request.content.decode()}"})

    refused = recorded.client(transport=httpx2.MockTransport(quoting))
    images = [[{"type": "image_url", "image_url": picture}]]
    with pytest.raises(error.InvalidRequestError, match="Nightingale"):
        done(
            refused.multimodal_embed([{"content": images[0]}], "voyage-multimodal-3.5", "document")
        )
    with pytest.raises(error.InvalidRequestError, match=place):
        done(refused.embed([place], **ROLE))
    rows = [{"id": music, "body": f"{place} {n}"} for n in range(2)] + [{"id": bird, "body": None}]
    rows[1]["id"] = f"{music}2"
    table = done(client.tables.prepare_embed(rows, into=tmp_path / place, **TABLE))
    done(table.run())
    done(table.retry_failed())
    done(client.batches.embed([place, bird], directory=tmp_path / bird, **BATCH))
    with pytest.raises(error.InvalidRequestError):
        done(
            done(
                refused.tables.prepare_embed(
                    [{"id": n, "body": f"{place} {n}"} for n in range(9)],
                    into=tmp_path / "no",
                    **TABLE,
                )
            ).run()
        )

    written = recorded.everything()
    assert 12 < len(recorded.spans())
    assert [] == [word for word in (*SECRETS, KEY, "pa-secret") if word in written]
    files = "".join(path.read_text() for path in tmp_path.rglob(FILE))
    assert [] == [word for word in (*SECRETS, KEY) if word in files]


def test_calls_of_an_embedder_belong_to_the_callers_span(emulator):
    """Data engines call an embedder in a span of their own and in threads, and the trace stays
    whole.
    """
    recorded = Recorded("Client", emulator.url)
    embedder = Embedder("body", model="voyage-4", input_type="document", **_made(recorded))
    batch = pa.record_batch({"body": ["It rains.", "It snows."]})
    with recorded.tracer.start_as_current_span("engine") as engine:
        assert 2 == embedder(batch).num_rows
    Recorded.made.append(embedder._client)

    assert [engine.get_span_context().span_id] == [
        parent_of(span) for span in recorded.spans("embeddings")
    ]


def _made(recorded: Recorded) -> dict[str, Any]:
    return {"api_key": KEY, "base_url": recorded.url, "open_telemetry": recorded.providers}
