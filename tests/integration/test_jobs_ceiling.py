"""Jobs with a cost ceiling never exceed it, whatever the token counts of their texts."""

from __future__ import annotations

import json
import os
import pickle
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
import voyageai
import voyageai_emulator
from huggingface_hub import constants
from voyageai import error, tokenization
from voyageai.batches import MaxCostError
from voyageai_emulator import Emulator
from voyageai_emulator.tokenizer import load
from voyageai_rest import catalogue

from tests.batch_limits import limit_batches

from .job_harness import MODEL, ROLE, Site, older, sited, texts

PRICE = catalogue.MODELS[MODEL].price.usd_per_million_tokens * (1 - catalogue.BATCH.discount) / 1e6
ROWS = 40


class CutOff(BaseException):
    """Stands for the end of the process."""


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    """An emulator for all tests, each of which has its own key."""
    with voyageai_emulator.running() as found:
        yield found


@pytest.fixture(params=["Client", "AsyncClient"])
def site(
    request: pytest.FixtureRequest,
    emulator: Emulator,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Iterator[Site]:
    """Each client, without a tokenizer that was fetched before."""
    monkeypatch.setenv("HF_ENDPOINT", emulator.origin)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    with sited(request.param, emulator) as found:
        yield found


def dense(number: int, letters: str = "0123456789abcdef", length: int = 120) -> list[str]:
    """Return distinct texts with many more tokens than their length suggests."""
    dice = Random(number)
    return ["".join(dice.choices(letters, k=length)) for _ in range(number)]


def billed(site: Site) -> int:
    """Count the tokens that all of the emulator's output files report."""
    return sum(
        line["response"]["body"]["usage"]["total_tokens"]
        for file in site.plain.files.list(purpose="batch-output")
        for line in site.plain.files.content(file.id).lines()
    )


def tokenizing(site: Site) -> None:
    """Give the site's client the tokenizer with which the emulator counts."""
    site.get(site.client.aclose()) if site.asynchronous else site.client.close()
    site.client = site.connect(tokenizers={MODEL: load()})


# The ceiling


@pytest.mark.parametrize(
    ("letters", "share"),
    [
        *[("0123456789abcdef", 1.05), ("0123456789abcdef", 1.5), ("0123456789abcdef", 3.0)],
        *[("åß∂ƒ©˙∆", 1.05), ("🜁🜂🜃🜄", 1.5), ("कख़ग़ज़", 3.0), ("ab ", 1.05)],
    ],
)
def test_no_job_is_billed_more_than_it_may_cost(
    site: Site, tmp_path: Path, letters: str, share: float
) -> None:
    """The texts may have many times the estimated number of tokens."""
    job = site.job(dense(ROWS, letters), directory=tmp_path / "job")
    ceiling, left = job.estimate.cost * share, 0
    try:
        site.get(job.run(max_cost=ceiling))
    except MaxCostError as stopped:
        left = stopped.rows_left
    results = site.get(job.results())
    assert left == len(results.failures)
    assert 0 < billed(site) * PRICE <= ceiling
    assert pytest.approx(billed(site) * PRICE) == results.cost


def test_batches_run_together_as_far_as_their_bounds_allow(site: Site) -> None:
    """Further batches wait until finished ones release what they did not cost."""
    job = site.job(dense(ROWS))
    bound = job.estimate.cost_range[1] / job.estimate.batches
    site.emulator.batches.hold("in_progress")
    in_flight: list[int] = []

    def look() -> None:
        in_flight.append(site.created)
        if len(in_flight) == 3:
            site.emulator.batches.release()
            site.emulator.batches.settle()

    site.on_wait = look
    results = site.get(job.run(max_cost=3.5 * bound))
    assert [3, 3, 3] == in_flight[:3]
    assert site.live(dense(ROWS)) == results.embeddings
    assert job.estimate.cost < results.cost <= 3.5 * bound
    assert ROWS / 2 == site.lines


def test_one_batch_that_could_cost_too_much_goes_in_parts(site: Site) -> None:
    """The likely cost fits, so the job completes, and a message explains why it takes long."""
    job = site.job(texts(8))
    assert 1 == job.estimate.batches
    ceiling = (site.plain.embed(texts(8), **ROLE).total_tokens + 120) * PRICE
    assert job.estimate.cost < ceiling < job.estimate.cost_range[1]
    results = site.get(job.run(max_cost=ceiling))
    assert site.live(texts(8)) == results.embeddings
    assert (1 < site.created, 4) == (True, site.lines)
    assert "of max_cost=$0.00000" in site.said("waiting")
    assert f"vo.tokenizer('{MODEL}')" in site.said("waiting")
    assert "was billed; batches in flight can cost up to $0 more" in site.said("running")


def test_with_a_tokenizer_the_bound_is_the_bill(site: Site) -> None:
    """Nothing needs to be split then; only the prompt may or may not be billed."""
    tokenizing(site)
    job = site.job(dense(8, length=600))
    tokens = site.plain.embed(dense(8, length=600), **ROLE).total_tokens
    prompts = 8 * len(load().encode(voyageai.prompts.prompt("document")))
    ceiling = (tokens + prompts) * PRICE
    assert ceiling < job.estimate.cost_range[1]
    results = site.get(job.run(max_cost=ceiling * (1 + 1e-9)))
    assert (tokens, 1) == (results.total_tokens, site.created)

    again = site.job(dense(8, length=600), exact_tokens=True)
    assert pytest.approx(ceiling) == again.estimate.cost_range[1]
    assert pytest.approx(tokens * PRICE) == again.estimate.cost == again.estimate.cost_range[0]


def test_a_tokenizer_that_was_fetched_before_is_at_hand(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tokenizer fetched earlier is used, and none is downloaded for a cost ceiling."""
    job = site.job(dense(8, length=600))
    ceiling = site.plain.embed(dense(8, length=600), **ROLE).total_tokens * PRICE * 1.1
    with voyageai_emulator.running() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.origin)
        assert tokenization.at_hand(MODEL) is None
        assert 0 == len(hub.requests)
        tokenization.fetch(MODEL, "tokenizer.json")
    site.get(job.run(max_cost=ceiling))
    assert 1 == site.created
    assert tokenization.at_hand(MODEL) is tokenization.at_hand(MODEL)


def test_without_the_extra_no_tokenizer_is_available(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cost ceiling works without a tokenizer."""
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    results = site.embed(texts(8), max_cost=0.6 * site.job(texts(8)).estimate.cost_range[1])
    assert site.live(texts(8)) == results.embeddings


@pytest.mark.parametrize(
    ("method", "rows", "arguments"),
    [
        ("embed", dense(5), {"model": MODEL, "input_type": "query"}),
        ("embed", ["x" * 200_000], {"model": MODEL}),
        (
            "contextualized_embed",
            [dense(3), dense(2)],
            {"model": "voyage-context-3", "input_type": "document"},
        ),
        (
            "contextualized_embed",
            [" ".join(dense(20, length=7)) + "." for _ in range(3)],
            {
                "model": "voyage-context-4",
                "input_type": "document",
                "enable_auto_chunking": True,
                "chunk_size": 20,
                "chunk_overlap": 15,
            },
        ),
        ("rerank", [(text, dense(3)) for text in dense(4)], {"model": "rerank-2.5"}),
    ],
)
@pytest.mark.filterwarnings("ignore::voyageai.prompts.MissingInputTypeWarning")
def test_a_bound_is_never_below_the_bill(
    site: Site, method: str, rows: list[Any], arguments: dict[str, Any]
) -> None:
    """Each endpoint bills in its own way, and a long text is billed as far as it is read."""
    prepare = getattr(site.client.batches, f"prepare_{method}")
    job = site.get(prepare(rows, progress=False, **arguments))
    results = site.get(job.run(max_cost=1.0))
    assert not results.failures
    assert 0 < results.total_tokens <= job.estimate.most_tokens
    assert job.estimate.cost_range[0] < job.estimate.cost < job.estimate.cost_range[1]


def test_a_job_that_can_not_end_does_not_go_on_in_ever_smaller_parts(
    site: Site,
) -> None:
    """Each part would take as long as a batch, so the job stops when the rest can't fit."""
    limit_batches(site.client, inputs=200)
    job = site.job(dense(200), rows_per_line=1)
    ceiling = 2.5 * job.estimate.cost
    with pytest.raises(MaxCostError) as raised:
        site.get(job.run(max_cost=ceiling))
    assert 0.9 * ceiling < raised.value.spent <= ceiling
    assert raised.value.likely_cost > ceiling - raised.value.spent
    one_request = job.estimate.cost_range[1] / 200
    assert one_request < ceiling - raised.value.spent
    told = site.said("waiting").splitlines()
    assert [True, False] == ["vo.tokenizer(" in line for line in told[:2]]
    assert all("all that is left is likely to cost $0.000" in line for line in told)


# Stopping and resuming


def test_a_job_that_was_stopped_says_what_is_left_and_goes_on(site: Site, tmp_path: Path) -> None:
    """Nothing is billed twice, and finished rows can be read in the meantime."""
    job = site.job(dense(ROWS), directory=tmp_path / "job")
    ceiling = job.estimate.cost * 1.5
    with pytest.raises(MaxCostError) as raised:
        site.get(job.run(max_cost=ceiling))
    stopped = pickle.loads(pickle.dumps(raised.value))
    left = stopped.rows_left
    assert 0 < left < ROWS
    assert (f"{left} of {ROWS} texts were not sent" in str(stopped), "max_cost") == (
        True,
        stopped.argument,
    )
    assert stopped.spent <= ceiling < stopped.spent + stopped.highest_cost
    assert stopped.likely_cost <= stopped.highest_cost
    (_, note) = raised.value.__notes__
    assert f"batches.resume({str(tmp_path / 'job')!r}).run(max_cost=...)" in note

    live = site.live(dense(ROWS))
    part = site.get(site.client.batches.resume(tmp_path / "job", progress=False))
    results = site.get(part.results())
    assert {"unfinished"} == {failure.code for failure in results.failures}
    assert left == len(results.failures)
    for row in site.rows(results):
        assert row.failure or live[row.index] == row.result

    whole = site.get(part.run(max_cost=stopped.spent + stopped.highest_cost))
    assert live == whole.embeddings
    assert ROWS / 2 == site.lines
    assert pytest.approx(stopped.likely_cost, rel=0.2) == whole.cost - stopped.spent


@pytest.mark.parametrize("after", [False, True], ids=["unwritten", "written"])
def test_a_job_that_is_cut_off_while_a_batch_is_split_goes_on(
    site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, after: bool
) -> None:
    """Each line is in exactly one batch before and after the split."""
    job = site.job(texts(8), directory=tmp_path / "job")
    ceiling = (site.plain.embed(texts(8), **ROLE).total_tokens + 120) * PRICE
    journal, fsync = tmp_path / "job/journal.jsonl", os.fsync

    def cut(number: int) -> None:
        fsync(number)
        *lines, last = journal.read_bytes().splitlines(keepends=True)
        if b'"split"' in last:
            os.truncate(journal, sum(map(len, lines)) + len(last) * after)
            raise CutOff

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", cut)
        with pytest.raises(CutOff):
            site.get(job.run(max_cost=ceiling))
    assert 0 == site.created
    job = site.get(site.client.batches.resume(tmp_path / "job", progress=False))
    assert site.live(texts(8)) == site.get(job.run(max_cost=ceiling)).embeddings
    assert 4 == site.lines


def test_what_is_left_may_be_run_without_a_ceiling(site: Site) -> None:
    """The parts of a split batch are ordinary batches."""
    job = site.job(dense(ROWS))
    with pytest.raises(MaxCostError):
        site.get(job.run(max_cost=job.estimate.cost * 1.2))
    assert site.live(dense(ROWS)) == site.get(job.run()).embeddings
    assert ROWS / 2 == site.lines


def test_nothing_is_sent_if_not_one_request_is_within_the_ceiling(site: Site) -> None:
    """A single request could exceed the ceiling."""
    job = site.job(dense(2))
    with pytest.raises(MaxCostError, match="2 of 2 texts were not sent") as raised:
        site.get(job.run(max_cost=job.estimate.cost * 1.2))
    assert (0.0, 0) == (raised.value.spent, site.answered("uploadFile"))


def test_an_estimate_above_the_ceiling_is_refused_at_once(site: Site) -> None:
    """No user wants half of a job that could never complete."""
    job = site.job(dense(ROWS))
    with pytest.raises(MaxCostError, match=r"the job would cost about \$0\.0"):
        site.get(job.run(max_cost=job.estimate.cost * 0.99))
    assert 0 == site.answered("uploadFile")


@pytest.mark.parametrize("is_told", [True, False], ids=["answered", "unanswered"])
def test_a_crash_does_not_make_a_job_forget_what_it_has_sent(
    site: Site, tmp_path: Path, is_told: bool
) -> None:
    """When the job resumes, the cost of a batch in flight is still reserved."""
    job = site.job(dense(ROWS), directory=tmp_path / "job")
    bound = job.estimate.cost_range[1] / job.estimate.batches
    ceiling = 1.7 * bound
    assert job.estimate.cost < ceiling
    site.emulator.batches.hold("in_progress")
    if not is_told:
        site.emulator.faults.next("truncated", operation="createBatch")

    def cut() -> None:
        site.on_wait = lambda: None
        raise CutOff

    site.on_wait = cut
    with pytest.raises(CutOff):
        site.get(job.run(max_cost=ceiling))
    assert 1 == site.created

    seen: list[int] = []

    def look() -> None:
        seen.append(site.created)
        if len(seen) == 6:
            site.emulator.batches.release()
            site.emulator.batches.settle()

    site.on_wait = look
    job = site.get(site.client.batches.resume(tmp_path / "job", progress=False))
    with pytest.raises(MaxCostError):
        site.get(job.run(max_cost=ceiling))
    assert {1} == set(seen[:5])
    assert bound / 2 < billed(site) * PRICE <= ceiling
    whole = site.get(job.run())
    assert site.live(dense(ROWS)) == whole.embeddings
    assert ROWS / 2 == site.lines


def test_a_lower_ceiling_holds_for_a_batch_that_may_never_have_been_made(
    site: Site, tmp_path: Path
) -> None:
    """A request that may not have arrived is not repeated if it no longer fits the ceiling."""
    job = site.job(dense(8), directory=tmp_path / "job")
    site.emulator.faults.next("unavailable", operation="createBatch", times=50)
    with pytest.raises(error.ServiceUnavailableError) as raised:
        site.get(job.run(max_cost=job.estimate.cost_range[1]))
    assert "run(max_cost=" in raised.value.__notes__[-1]
    site.emulator.faults.clear()
    with pytest.raises(MaxCostError):
        site.get(job.run(max_cost=job.estimate.cost * 1.3))
    assert billed(site) * PRICE <= job.estimate.cost * 1.3
    assert site.live(dense(8)) == site.get(job.run()).embeddings
    assert 4 == site.lines


def test_a_batch_that_was_made_is_not_made_again_in_parts(site: Site, tmp_path: Path) -> None:
    """Its response was lost, and the lower ceiling would require a new batch to be split."""
    job = site.job(dense(8), directory=tmp_path / "job")
    site.emulator.faults.next("truncated", operation="createBatch")

    def cut() -> None:
        site.on_wait = lambda: None
        raise CutOff

    site.on_wait = cut
    with pytest.raises(CutOff):
        site.get(job.run(max_cost=job.estimate.cost_range[1]))
    results = site.get(job.run(max_cost=job.estimate.cost * 1.3))
    assert site.live(dense(8)) == results.embeddings
    assert (1, 4) == (site.created, site.lines)


# Failed rows


def test_rows_that_failed_are_retried_within_the_ceiling_only(site: Site) -> None:
    """The ceiling covers the retries as well, as it is one job with one bill."""
    site.emulator.batches.fail(times=1, status=500, message="Internal Server Error")
    job = site.job(dense(8))
    results = site.get(job.run())
    assert 2 == len(results.failures)
    with pytest.raises(MaxCostError) as raised:
        site.get(job.retry_failed(max_cost=results.cost * 1.01))
    assert (2, pytest.approx(results.cost)) == (raised.value.rows_left, raised.value.spent)
    assert 4 == site.lines
    whole = site.get(job.retry_failed(max_cost=results.cost + raised.value.highest_cost))
    assert site.live(dense(8)) == whole.embeddings
    assert 5 == site.lines
    with pytest.raises(error.ArgumentError, match="max_cost must be a number"):
        site.get(job.retry_failed(max_cost="5"))


@pytest.mark.parametrize("is_counted", [False, True], ids=["bytes", "tokens"])
def test_answers_that_are_gone_count_as_the_most_that_they_can_be(
    site: Site, is_counted: bool
) -> None:
    """Lost output was billed at an unknown price, at most the reserved one."""
    if is_counted:
        tokenizing(site)

    def delete() -> None:
        site.plain.files.delete_many([f.id for f in site.plain.files.list(purpose="batch-output")])

    site.on_wait = delete
    job = site.job(dense(8), exact_tokens=is_counted)
    most = job.estimate.cost_range[1]
    results = site.get(job.run(max_cost=most))
    assert {"file_gone"} == {failure.code for failure in results.failures}
    site.on_wait = lambda: None
    with pytest.raises(MaxCostError) as raised:
        site.get(job.retry_failed(max_cost=1.5 * most))
    assert pytest.approx(most) == raised.value.spent - billed(site) * PRICE


def test_an_answer_that_can_not_be_read_counts_as_the_most_that_it_can_be(
    site: Site, tmp_path: Path
) -> None:
    """The answer was billed, and a line that belongs to no row tells nothing about its cost."""
    job = site.job(dense(8), directory=tmp_path / "job")
    whole = site.get(job.run()).cost
    output = tmp_path / "job/batches/0001.output.jsonl"
    first, *others = output.read_bytes().splitlines(keepends=True)
    output.write_bytes(b"".join([first[:80] + b"\n", b'{"custom_id": "another"}\n', *others]))
    older(tmp_path / "job")  # which does not know how the file was
    with pytest.raises(MaxCostError) as raised:
        site.get(job.retry_failed(max_cost=whole))
    readable = site.get(job.results()).cost
    assert readable < whole
    assert pytest.approx(raised.value.highest_cost) == raised.value.spent - readable


def test_what_was_not_run_is_not_billed(site: Site) -> None:
    """A job that failed as a whole can be retried under the same ceiling."""
    site.emulator.batches.fail()
    job = site.job(dense(8))
    ceiling = job.estimate.cost_range[1]
    assert 8 == len(site.get(job.run(max_cost=ceiling)).failures)
    site.emulator.batches.stop_failing()
    assert site.live(dense(8)) == site.get(job.retry_failed(max_cost=ceiling)).embeddings


@pytest.mark.parametrize("tokens", [-1_000_000, 10**15])
def test_a_count_of_tokens_that_is_forged_is_not_believed(
    site: Site, tmp_path: Path, tokens: int
) -> None:
    """A negative count would make room for more, and a huge one would stop the job."""
    job = site.job(dense(8), directory=tmp_path / "job")
    whole = site.get(job.run()).cost
    output = tmp_path / "job/batches/0001.output.jsonl"
    first, *others = output.read_bytes().splitlines(keepends=True)
    forged = json.loads(first)
    forged["response"]["body"]["usage"]["total_tokens"] = tokens
    output.write_bytes(b"".join([json.dumps(forged).encode() + b"\n", *others]))
    older(tmp_path / "job")  # which does not know how the file was
    results = site.get(job.results())
    assert {"malformed_answer"} == {failure.code for failure in results.failures}
    assert 0 < results.cost < whole
    with pytest.raises(MaxCostError) as raised:
        site.get(job.retry_failed(max_cost=whole))
    assert pytest.approx(raised.value.highest_cost) == raised.value.spent - results.cost
