"""The output, the errors and the exit status of the `live` command."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from voyageai_emulator import Emulator, in_process, running

from generator.drift.__main__ import main
from generator.drift.live.reports import as_text
from tests.drift.live.conftest import Live
from tests.drift.live.probe_harness import KEY, probe_transport


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    """An emulator that follows the contract and accepts one key."""
    with running(api_key=KEY) as emulator:
        yield emulator


def asked(emulator: Emulator) -> int:
    """Return the number of requests that an emulator has received."""
    return len(list(emulator.requests))


def test_the_plan_and_its_cost_are_printed_first(emulator: Emulator, live: Live) -> None:
    """The user who pays sees the possible cost before the first request, apart from the report."""
    ran = live(emulator, "--format", "json")
    first, *probes = ran.err.splitlines()
    report = ran.report
    assert f"{report['requests']} requests to {emulator}/, at most $" in first
    assert report["requests"] == sum(int(line.split()[0]) for line in probes)
    assert f"${report['usd']['at_most']:.6f}" in first


def test_no_request_costs_more_than_estimated(emulator: Emulator, live: Live) -> None:
    """The estimate printed first is an upper bound."""
    usd = live(emulator, "--format", "json").report["usd"]
    assert 0 < usd["counted"] <= usd["at_most"] < 0.01


def test_a_dry_run_asks_nothing(emulator: Emulator, live: Live) -> None:
    """A maintainer can read the plan before any request is billed."""
    before = asked(emulator)
    ran = live(emulator, "--dry-run")
    assert (0, "") == (ran.status, ran.out)
    assert "at most $" in ran.err
    assert before == asked(emulator)


def test_more_than_the_budget_is_not_spent(emulator: Emulator, live: Live) -> None:
    """A higher price or a longer context must not first be noticed on the bill."""
    before = asked(emulator)
    ran = live(emulator, "--limits", "--budget", "0.001")
    assert (3, "") == (ran.status, ran.out)
    assert "above the budget of $0.001" in ran.err
    assert before == asked(emulator)


def test_the_stable_form_has_these_keys(emulator: Emulator, live: Live) -> None:
    """Programs parse these keys, which the reports of other comparisons share."""
    with running(api_key=KEY) as changed:
        changed.faults.always("extra_fields", operation="rerank")
        report = live(changed, "--format", "json").report
    assert {
        *("version", "old", "new", "summary", "differences"),
        *("requests", "usd", "unseen", "left_behind"),
    } == set(report)
    first = report["differences"][0]
    assert {
        "path": "POST /rerank: response.200.data[].x_unheard_of",
        "kind": "field-added",
        "class": "additive",
        "sentence": "`data[].x_unheard_of` is new in responses",
        "subject": "x_unheard_of",
        "before": None,
        "after": "object",
        "requests": [
            "ranking of rerank-3 at POST /rerank",
            "ranking of rerank-3-lite at POST /rerank",
            "blank_document of rerank-3-lite at POST /rerank",
        ],
    } == first


def test_a_report_can_be_pasted_into_a_pull_request(live: Live) -> None:
    """Breaking differences come first, and the places of each can be unfolded."""
    with running(api_key=KEY) as changed:
        changed.faults.always("missing_usage", operation="rerank")
        lines = live(changed, "--format", "markdown").out.splitlines()
    assert f"## Drift from `spec` to `{changed}/`" == lines[0]
    assert "### Breaking for readers (1)" in lines
    assert "| POST /rerank: response.200.usage | `usage` is no longer returned. |" in lines
    assert "<details><summary>Seen in (1)</summary>" in lines


@pytest.mark.parametrize("format", ["text", "json"])
def test_the_key_is_never_printed(live: Live, format: str) -> None:
    """Reports end up in logs and pull requests, and a host may echo the key."""
    said = f"Who is {KEY}? Bearer {KEY} is nobody."
    with running(api_key=KEY) as echoing:
        echoing.faults.always("status", operation="rerank", status=422, detail=said)
        ran = live(echoing, "--format", format)
    assert 0 == ran.status
    assert "Who is [key]?" in ran.out
    assert KEY not in ran.out + ran.err


@pytest.mark.parametrize(("fail_on", "status"), [("breaking", 0), ("additive", 1), ("any", 1)])
def test_the_exit_status_is_what_fail_on_asks_for(live: Live, fail_on: str, status: int) -> None:
    """A new field is only reported, and fails a job only if the job asks for it."""
    with running(api_key=KEY) as changed:
        changed.faults.always("extra_fields", operation="rerank")
        ran = live(changed, "--fail-on", fail_on)
    assert "additive (" in ran.out
    assert status == ran.status


@pytest.mark.parametrize("format", ["text", "json"])
def test_control_characters_of_a_host_are_escaped(live: Live, format: str) -> None:
    """Control characters of a host must not reach the terminal, or break the JSON."""
    with running(api_key=KEY) as hostile:
        hostile.faults.always(
            "status", operation="rerank", status=422, detail="no\x1b[2J\x7f\u202e\U000e0041\nyes"
        )
        ran = live(hostile, "--format", format)
    assert 0 == ran.status
    assert r"no\u001b[2J\u007f\u202e\udb40\udc41 yes" in ran.out
    assert ran.out.replace("\n", "").isprintable()
    assert format == "text" or json.loads(ran.out)


def test_a_host_that_can_not_be_reached_is_no_difference(live: Live) -> None:
    """A scheduled job must not mistake a network failure for a change of the API."""
    ran = live("http://127.0.0.1:1/v1")
    assert (3, "") == (ran.status, ran.out)
    assert "127.0.0.1 can't be reached: ConnectError" in ran.err


def test_a_key_that_is_refused_is_no_difference(emulator: Emulator, live: Live) -> None:
    """An expired key must not look like an API that lost its endpoints."""
    ran = live(emulator, key="pa-of-nobody")
    assert (3, "") == (ran.status, ran.out)
    assert "refuses the key with status 401: Provided API key is invalid." in ran.err
    assert "pa-of-nobody" not in ran.err


def test_unchecked_requests_are_a_failure() -> None:
    """A report without differences is only good news if every request was checked."""
    with in_process(api_key=KEY) as failing:
        failing.faults.always("status", operation="rerank", status=503)
        seen = probe_transport(failing.transport)
    shown = as_text(seen)
    assert 3 == seen.status(None)
    assert "Nothing differs from the contract." in shown
    assert "Could not be checked" in shown
    assert "ranking of rerank-3 at POST /rerank: status 503" in shown


@pytest.mark.parametrize(
    ("key", "url", "said"),
    [
        ("", "http://127.0.0.1:1/v1", "VOYAGE_API_KEY is not set"),
        ("pa-a\nb", "http://127.0.0.1:1/v1", "characters that no API key has"),
        ("pa-ä", "http://127.0.0.1:1/v1", "characters that no API key has"),
        (KEY, "127.0.0.1/v1", "http://"),
        (KEY, "http://[/v1", "is not a valid URL"),
    ],
)
def test_invalid_settings_are_reported_at_once(live: Live, key: str, url: str, said: str) -> None:
    """The error is one line, without a traceback and without the key."""
    ran = live(url, key=key)
    assert 3 == ran.status
    assert said in ran.err.splitlines()[-1]
    assert not key or key not in ran.out + ran.err


@pytest.mark.parametrize("wrong", [("--rpm", "0"), ("--budget", "nan"), ("--budget", "-1")])
def test_wrong_arguments_are_no_breaking_difference(
    wrong: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit status 2 means a breaking difference, so usage errors have another."""
    with pytest.raises(SystemExit) as left:
        main(["live", *wrong])
    assert 3 == left.value.code
    assert "must be above 0" in capsys.readouterr().err
