"""Matching faults to requests: by plan, by name, at the start and by admin routes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import httpx2
import pytest
from voyageai_emulator import running
from voyageai_emulator.__main__ import main
from voyageai_emulator.app import Application
from voyageai_emulator.emulator import Emulator
from voyageai_emulator.faults import FAULTS, Fault, FaultPlan
from voyageai_emulator.settings import Settings

from tests.emulator.http_helpers import RANKING, TEXTS, admin, post
from tests.emulator.test_serving import command


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """A new emulator for each test."""
    with running() as emulator:
        yield emulator


def statuses(base: str, times: int) -> list[int]:
    """Send some requests, and return their statuses."""
    return [post(base).status_code for _ in range(times)]


# Faults as values


@pytest.mark.parametrize(
    "fault",
    [
        Fault("reset_before"),
        Fault("status", {"status": 503, "retry_after": "a; b%c", "detail": "d=e/f"}),
        Fault("truncated", {"share": 0.25, "chunked": True}),
    ],
)
def test_a_fault_can_be_written_and_read(fault: Fault) -> None:
    """Any value survives being written in a header or in a URL path."""
    assert fault == Fault.parse(str(fault))
    assert fault == Fault.parse(fault.as_path())
    assert hash(fault) == hash(Fault.parse(str(fault)))
    assert "/" not in fault.as_path()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "there is no fault ''"),
        ("reset_befor", "no fault 'reset_befor'; did you mean reset_before?"),
        ("status; stats=500", "fault status has no parameter 'stats'; did you mean status?"),
        ("status; status", "written key=value, not 'status'"),
        ("status; status=99", "parameter status of a fault cannot be '99'"),
        ("status; status=half", "parameter status of a fault cannot be 'half'"),
        ("delay; seconds=nan", "parameter seconds of a fault cannot be 'nan'"),
        ("truncated; chunked=maybe", "parameter chunked of a fault cannot be 'maybe'"),
        ("truncated; share=1.5", "parameter share of a fault cannot be '1.5'"),
        ("drip; size=0", "parameter size of a fault cannot be '0'"),
        ("drip; delay=-1", "parameter delay of a fault cannot be '-1'"),
        ("huge_header; size=100000000000", "parameter size of a fault cannot be '100000000000'"),
    ],
)
def test_an_invalid_fault_is_named(text: str, reason: str) -> None:
    """A mistyped fault would never happen, so its test could not fail."""
    with pytest.raises(ValueError, match=reason):
        Fault.parse(text)


# The plan


def test_nothing_is_planned_at_first() -> None:
    """Without a plan the emulator answers normally."""
    assert FaultPlan().draw("rerank") is None


def test_planned_faults_come_in_order_and_then_no_more(emulator: Emulator) -> None:
    """A test can follow a retry step by step."""
    emulator.faults.next("status", status=429, times=2)
    emulator.faults.next("unavailable")
    assert [429, 429, 503, 200] == statuses(emulator, 4)


def test_a_fault_can_be_for_one_operation(emulator: Emulator) -> None:
    """Requests to other operations do not use the fault up."""
    emulator.faults.next("unavailable", operation="rerank")
    emulator.faults.always("overloaded", operation="createEmbeddings")
    assert [529, 529] == statuses(emulator, 2)
    assert 503 == post(emulator, RANKING, "/rerank").status_code
    assert 200 == post(emulator, RANKING, "/rerank").status_code


def test_shares_add_up_and_repeat_from_run_to_run() -> None:
    """A test with random faults must give the same result in each run."""

    def draws() -> list[str]:
        plan = FaultPlan()
        plan.sometimes("reset_before", rate=0.1)
        plan.sometimes("drip", rate=0.2)
        return [str(plan.draw()) for _ in range(10_000)]

    first = draws()
    assert first == draws()
    assert 1000 == pytest.approx(first.count("reset_before"), rel=0.1)
    assert 2000 == pytest.approx(first.count("drip"), rel=0.1)


def test_chance_is_passed_in() -> None:
    """A test can check both edges of a share exactly."""
    numbers = iter([0.0, 0.24, 0.25, 0.74, 0.75])
    plan = FaultPlan(random=lambda: next(numbers))
    plan.sometimes("empty", rate=0.25)
    plan.sometimes("html", rate=0.5)
    names = ["empty", "empty", "html", "html", "None"]
    assert names == [str(plan.draw()) for _ in range(5)]


def test_faults_for_the_next_request_come_before_shares() -> None:
    """A fault planned for the next request must hit that request."""
    plan = FaultPlan()
    plan.always("html")
    plan.next("empty")
    assert ["empty", "html", "html"] == [str(plan.draw()) for _ in range(3)]
    plan.clear()
    assert plan.draw() is None


def test_a_plan_refuses_what_cannot_be() -> None:
    """Such a fault would never happen."""
    plan = FaultPlan(["rerank"])
    with pytest.raises(ValueError, match="no operation 'rank'"):
        plan.next("html", operation="rank")
    for times in (0, 1.5, True):
        with pytest.raises(ValueError, match=f"times must be a whole number from 1, not {times}"):
            plan.next("html", times=times)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"from 0 to 1, not 1\.5"):
        plan.sometimes("html", rate=1.5)
    assert [] == plan.as_json()


# Requests that name their fault


def test_a_header_names_a_fault(emulator: Emulator) -> None:
    """Any client that can send a header can get any fault without a plan."""
    emulator.faults.next("gone")
    named = {"x-emulator-fault": "status; status=503; retry_after=2"}
    response = post(emulator, headers=named)
    assert (503, "2") == (response.status_code, response.headers["retry-after"])
    assert [410, 200] == statuses(emulator, 2)


def test_a_base_url_names_a_fault(emulator: Emulator) -> None:
    """A client needs only another base URL to get a fault."""
    base = emulator.faulty("status", status=503, detail="a/b; c")
    assert f"{emulator.origin}/faults/status;status=503;detail=a%2Fb%3B%20c/v1" == base
    response = post(base)
    assert (503, "a/b; c") == (response.status_code, response.json()["detail"])
    assert [503] == statuses(base, 1)
    assert ("/v1/embeddings", "createEmbeddings") == (
        emulator.requests.last.path,
        emulator.requests.last.operation,
    )
    assert [200] == statuses(emulator.faulty(Fault("shuffled")), 1)
    assert [200] == statuses(emulator, 1)


def test_an_invalid_name_is_a_400_that_says_so(emulator: Emulator) -> None:
    """A normal answer would look as if the client had survived the fault."""
    response = post(emulator, headers={"x-emulator-fault": "htlm"})
    assert 400 == response.status_code
    assert "there is no fault 'htlm'; did you mean html?" in response.json()["detail"]
    assert emulator.requests.last.fault is None
    assert 400 == post(f"{emulator.origin}/faults/nothing/v1").status_code


def test_paths_below_a_fault_are_those_of_the_api(emulator: Emulator) -> None:
    """An unknown path stays a 404 under a fault."""
    base = f"{emulator.origin}/faults"
    for path in ("/", "/shuffled", "/shuffled/", "/shuffled/v1/nowhere", "//v1/nowhere"):
        assert 404 == httpx2.get(base + path).status_code
    assert 404 == httpx2.get(f"{base}%2Fshuffled").status_code


def test_faults_without_a_socket_happen_where_they_can() -> None:
    """An in-process transport has statuses and bodies, but no connections."""
    app = Application(Settings())

    async def ask(fault: str) -> httpx2.Response:
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://emulator/v1") as http:
            return await http.post("/embeddings", json=TEXTS, headers={"x-emulator-fault": fault})

    assert 503 == asyncio.run(ask("unavailable")).status_code
    with pytest.raises(RuntimeError, match="needs a server with sockets"):
        asyncio.run(ask("reset_before"))


# Faults from the start


def test_faults_can_be_there_from_the_start() -> None:
    """A fault may be a name, a name with a share, or a value."""
    with running(faults=["status:0; status=500", "status; status=503"]) as emulator:
        assert [503, 503] == statuses(emulator, 2)
    with running(faults=[Fault("gone")]) as emulator:
        assert [410, 410] == statuses(emulator, 2)
    with pytest.raises(ValueError, match="not 'often'"), running(faults=["html:often"]):
        pass


def test_the_command_refuses_and_lists_faults(capsys: pytest.CaptureFixture[str]) -> None:
    """The list shows the names, which users need not remember."""
    with pytest.raises(SystemExit, match="2"):
        main(["--fault", "htlm"])
    assert "there is no fault 'htlm'; did you mean html?" in capsys.readouterr().err
    main(["--faults"])
    listed = capsys.readouterr().out
    assert all(f"{name}" in listed for name in FAULTS)
    assert "redirect; status=307; to=http://elsewhere.invalid\n" in listed


def test_the_command_takes_faults_and_says_its_token() -> None:
    """A shell script can plan faults and call the admin routes."""
    arguments = ("--port", "0", "--fault", "status; status=503")
    with command(*arguments) as (process, line):
        assert process.stdout is not None
        url, token = line.split()[-1], process.stdout.readline().strip().partition("#token=")[2]
        assert [503] == statuses(url, 1)
        root = url.removesuffix("/v1")
        headers = {"x-emulator-token": token}
        assert 200 == httpx2.delete(f"{root}/_emulator/faults", headers=headers).status_code
        assert [200] == statuses(url, 1)


# The admin routes


def test_the_admin_routes_plan_faults(emulator: Emulator) -> None:
    """Programs in any language can plan faults."""
    entry = {"fault": "status; status=503", "times": 2}
    shown = admin(emulator, "POST", "/faults", entry).json()
    assert [{**entry, "operation": None}] == shown["plan"]
    assert set(FAULTS) == {fault["name"] for fault in shown["faults"]}
    assert [503] == statuses(emulator, 1)
    entries = [
        {"fault": "gone"},
        {"fault": "status", "status": 408, "rate": 1, "operation": "createEmbeddings"},
    ]
    admin(emulator, "PUT", "/faults", entries)
    assert [410, 408, 408] == statuses(emulator, 3)
    plan = admin(emulator, "GET", "/faults").json()["plan"]
    assert [("status; status=408", 1)] == [(each["fault"], each["rate"]) for each in plan]
    admin(emulator, "PUT", "/faults", plan)
    assert plan == emulator.faults.as_json()
    assert [] == admin(emulator, "DELETE", "/faults").json()["plan"]
    assert [200] == statuses(emulator, 1)


@pytest.mark.parametrize(
    "entries",
    [
        [{"fault": "htlm"}],
        [{}],
        [{"fault": 5}],
        [{"fault": "html"}, {"fault": "html", "times": "two"}],
        [{"fault": "html", "rate": 7}],
        [{"fault": "html", "operation": []}],
        [5],
        {"fault": "html"},
        5,
    ],
)
def test_the_admin_routes_refuse_what_cannot_be_planned(
    emulator: Emulator, entries: object
) -> None:
    """An invalid entry plans none of the faults, and the error has the usual format."""
    emulator.faults.next("gone")
    response = admin(emulator, "PUT", "/faults", entries)
    assert (400, ["detail"]) == (response.status_code, list(response.json()))
    assert 1 == len(emulator.faults.as_json())


def test_the_admin_routes_take_the_token_only(emulator: Emulator) -> None:
    """An API key opens no admin route, and unknown admin paths do not reach the API."""
    for token in ("", "wrong", "any"):
        for method, path in [("GET", "/faults"), ("DELETE", "/faults"), ("GET", "/requests")]:
            assert 401 == admin(emulator, method, path, token=token).status_code
    url = f"{emulator.origin}/_emulator/faults"
    assert 401 == httpx2.get(url, headers={"authorization": emulator.admin_token}).status_code
    assert 404 == admin(emulator, "GET", "/nowhere").status_code
    with running(admin_token="chosen") as other:
        assert 200 == admin(other, "GET", "/faults", token="chosen").status_code
        assert emulator.admin_token != other.admin_token == "chosen"


def test_invalid_json_is_refused(emulator: Emulator) -> None:
    """The answer is a 400, not a server error."""
    headers = {"x-emulator-token": emulator.admin_token}
    url = f"{emulator.origin}/_emulator/faults"
    assert 400 == httpx2.post(url, content=b"{", headers=headers).status_code
    assert {"detail"} == set(json.loads(httpx2.put(url, content=b"\xff", headers=headers).text))


def test_a_fault_by_url_or_header_may_have_a_share() -> None:
    """A client that can't be changed otherwise still gets some requests through."""
    header = {"x-emulator-fault": "status:0.5; status=503"}
    with running() as emulator, httpx2.Client(headers={"authorization": "Bearer any"}) as http:
        asked = {"input": "a", "model": "voyage-4"}
        url = f"{emulator.origin}/faults/status:0.5;status=503/v1/embeddings"
        by_url = {http.post(url, json=asked).status_code for _ in range(40)}
        url = f"{emulator}/embeddings"
        by_header = {http.post(url, json=asked, headers=header).status_code for _ in range(40)}

    assert {200, 503} == by_url
    assert {200, 503} == by_header


@pytest.mark.parametrize("share", ["1.5", "half", "-1"])
def test_an_invalid_share_is_refused(share: str) -> None:
    """The command line checks shares in the same way."""
    with pytest.raises(ValueError, match="a share of requests is from 0 to 1"):
        FaultPlan().named(f"status:{share}; status=503")
