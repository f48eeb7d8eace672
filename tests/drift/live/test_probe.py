"""A probe waits when throttled, gives up in time, and never prints the key."""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx2
import pytest

from generator.drift.live.command import ProbeReport, probe
from generator.drift.live.plan import load_table, plan
from generator.drift.live.probe import MAX_FAILURES, RETRY_DELAYS, ProbeError, Prober
from generator.drift.reports import FAILED
from tests.drift.live.probe_harness import KEY, contract

FREE = (
    "You have not yet added your payment method in the billing page and will have reduced rate "
    "limits of {rpm} RPM and {tpm}K TPM."
)
REFUSED = httpx2.Response(404, json={"detail": "Not Found"}, headers={"x-request-id": "1"})

Answers = Callable[[httpx2.Request], httpx2.Response]


class Clock:
    """A clock that only advances when the probe sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def probe_with(answers: Answers, names: tuple[str, ...], clock: Clock, **options) -> ProbeReport:
    """Run a few probes against a host with these responses; return their findings."""
    planned = [each for each in plan(load_table(), contract()) if each.probe.name in names]
    with httpx2.Client(base_url="http://host/v1", transport=httpx2.MockTransport(answers)) as http:
        prober = Prober(
            http, KEY, "no", load_table(), sleep=clock.sleep, clock=lambda: clock.now, **options
        )
        return probe(prober, load_table(), contract(), planned)


def answering(*answers: httpx2.Response | BaseException) -> Answers:
    """Return a host that sends these responses in order, and repeats the last."""
    left = list(answers)

    def answer(_: httpx2.Request) -> httpx2.Response:
        given = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(given, BaseException):
            raise given
        return httpx2.Response(given.status_code, headers=given.headers, content=given.content)

    return answer


def limited(**headers: str) -> httpx2.Response:
    tier = contract().free()
    detail = FREE.format(rpm=tier["rpm"], tpm=tier["tpm"] // 1000)
    return httpx2.Response(429, json={"detail": detail}, headers={"x-request-id": "1"} | headers)


def failing(status: int = 503) -> httpx2.Response:
    return httpx2.Response(status, text="gone")


def test_a_request_refused_for_now_is_made_again() -> None:
    """A busy host does not mean that the API has changed."""
    clock = Clock()
    seen = probe_with(answering(failing(), REFUSED), ("unknown_path",), clock)
    assert ([], {}) == (seen.differences, seen.unseen)
    assert [RETRY_DELAYS[0]] == clock.slept


def test_it_waits_as_long_as_the_host_says() -> None:
    """Retrying earlier than `Retry-After` would only extend the throttling."""
    clock = Clock()
    answers = answering(httpx2.Response(503, headers={"retry-after": "40"}), REFUSED)
    probe_with(answers, ("unknown_path",), clock)
    assert [40.0] == clock.slept


def test_it_goes_on_at_the_pace_of_a_free_account() -> None:
    """Rate limits are low without a payment method, and a probe must still finish."""
    clock = Clock()
    seen = probe_with(answering(limited(), REFUSED), ("unknown_path", "unknown_file"), clock)
    pace = 60 / contract().free()["rpm"]
    assert ([], {}) == (seen.differences, seen.unseen)
    assert 3 * pace <= clock.now < 4 * pace


def test_what_a_free_account_can_not_ask_is_not_seen() -> None:
    """Such a request would be refused after any wait, so it is reported as unchecked."""
    clock = Clock()
    seen = probe_with(answering(limited()), ("context_length",), clock)
    assert {"context_length of voyage-4-lite at POST /embeddings"} < set(seen.unseen)
    assert FAILED == seen.status(None)


def test_other_free_limits_are_a_difference() -> None:
    """Error messages state the free limits, which are compared with the catalogue."""
    other = httpx2.Response(429, json={"detail": FREE.format(rpm=1, tpm=20)})
    seen = probe_with(answering(other, REFUSED), ("unknown_path",), Clock())
    found = {each.path: (each.kind, each.after) for each in seen.differences}
    assert ("limit-lowered", 1) == found["catalogue: tiers.free.rpm"]
    assert ("limit-raised", 20_000) == found["catalogue: tiers.free.tpm"]


def test_a_host_that_only_fails_is_left_alone() -> None:
    """Each failing request costs more than a minute of retries."""
    requests: list[httpx2.Request] = []

    def answers(request: httpx2.Request) -> httpx2.Response:
        requests.append(request)
        return failing()

    seen = probe_with(answers, ("missing_arguments", "not_json", "unknown_path"), Clock())
    assert 6 == len(seen.unseen)
    assert MAX_FAILURES * (len(RETRY_DELAYS) + 1) == len(requests)


def test_a_connection_that_breaks_later_leaves_something_unseen() -> None:
    """The findings before the failure are still reported, and the rest as unchecked."""
    answers = answering(REFUSED, httpx2.ReadError("reset"))
    seen = probe_with(answers, ("unknown_path", "unknown_batch"), Clock())
    assert ["the connection failed: ReadError"] == list(seen.unseen.values())


def test_a_body_that_can_not_be_unpacked_is_no_crash() -> None:
    """A proxy may label a body as compressed that is not."""
    broken = httpx2.Response(
        200, headers={"content-encoding": "gzip"}, stream=httpx2.ByteStream(b"no")
    )

    def answers(request: httpx2.Request) -> httpx2.Response:
        return broken

    with pytest.raises(ProbeError, match="DecodingError"):
        probe_with(answers, ("unknown_path",), Clock())


@pytest.mark.parametrize(
    "escaped", [json.dumps(KEY), '"' + "".join(f"\\u{ord(c):04x}" for c in KEY) + '"']
)
def test_a_key_is_hidden_however_it_was_escaped(escaped: str) -> None:
    """A plain search of the output would miss a key that is truncated or escaped."""
    body = f'{{"detail": {escaped}, {escaped}: 1}}'
    answers = answering(httpx2.Response(404, text=body))
    seen = probe_with(answers, ("unknown_batch",), Clock())
    assert [each.path for each in seen.differences if each.path.endswith(".[key]")]
    assert KEY not in str(seen.differences)


def test_probes_about_a_missing_key_send_none() -> None:
    """Such a probe shows nothing if the key is sent."""
    sent: list[str | None] = []

    def answers(request: httpx2.Request) -> httpx2.Response:
        sent.append(request.headers.get("authorization"))
        return httpx2.Response(401, json={"detail": "Unauthorized"})

    probe_with(answers, ("no_key", "body_before_key", "wrong_key"), Clock())
    assert [None, None, None, "Bearer no"] == sent


def test_findings_before_an_interruption_are_reported() -> None:
    """The requests have been paid for, and files left at the host must be named."""
    surprise = httpx2.Response(418, json={"detail": "Not Found"}, headers={"x-request-id": "1"})
    host = answering(surprise, KeyboardInterrupt())
    seen = probe_with(host, ("unknown_file", "unknown_batch"), Clock())

    assert {"418"} == {each.after for each in seen.differences if each.kind == "error-added"}
    assert {"it was interrupted"} == set(seen.unseen.values())
    assert len(seen.planned) - 1 == len(seen.unseen)
