"""The admin routes, and who may use them; those about faults are in test_fault_plan."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib import resources
from typing import Any

import httpx2
import pytest
from voyageai_emulator import running
from voyageai_emulator.emulator import Emulator
from voyageai_emulator.recording import fingerprint
from voyageai_rest.catalogue import BATCH, MODELS, TIERS, Tiers

from tests.emulator.contract_client import DOCUMENT
from tests.emulator.http_helpers import KEY, RANKING, TEXTS, admin, post

LINES = b'{"custom_id": "a", "body": {"input": ["one"]}}\n'


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """A new emulator for each test, as the routes change its state."""
    with running(clock=lambda: 1_000_000.0) as emulator:
        yield emulator


def get(emulator: Emulator, path: str) -> Any:
    """Return the JSON of an admin route."""
    response = admin(emulator, "GET", path)
    assert 200 == response.status_code, response.text
    return response.json()


def lines(emulator: Emulator, query: str = "") -> list[dict[str, Any]]:
    """Return the recorded requests, parsed from one JSON document per line."""
    return [
        json.loads(line) for line in admin(emulator, "GET", f"/requests{query}").text.splitlines()
    ]


def refused(answer: httpx2.Response, status: int = 400) -> str:
    """Return the reason of a refusal, after checking its format."""
    assert (status, ["detail"]) == (answer.status_code, list(answer.json())), answer.text
    return str(answer.json()["detail"])


# Access


@pytest.mark.parametrize(
    "path",
    [
        "state",
        "requests",
        "requests/1",
        "usage",
        "limits",
        "latency",
        "clock",
        "batches",
        "files",
        "key",
        "nowhere",
    ],
)
def test_without_the_token_nothing_is_revealed(emulator: Emulator, path: str) -> None:
    """A stranger must see neither the bodies of requests nor which admin routes exist."""
    url = f"{emulator.origin}/_emulator/{path}"
    for headers in ({}, KEY, {"x-emulator-token": "wrong"}, {"x-emulator-token": "\xff"}):
        raw = {name: value.encode("latin-1") for name, value in headers.items()}
        assert "token" in refused(httpx2.get(url, headers=raw), 401)


@pytest.mark.parametrize("path", ["/", "/_emulator/page/page.js", "/_emulator/state"])
@pytest.mark.parametrize(
    "host", ["rebound.example", "rebound.example:80", "a.b.", "127.0.0.1.example", "", "[::1"]
)
def test_public_names_are_refused(emulator: Emulator, path: str, host: str) -> None:
    """DNS rebinding, by which a stranger's web page would reach the admin routes, must fail."""
    headers = {"host": host, "x-emulator-token": emulator.admin_token}
    assert "name" in refused(httpx2.get(emulator.origin + path, headers=headers), 421)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "[::1]:80",
        "localhost:8000",
        "emulator",
        "emulator:80",
        "host.docker.internal",
        "emulator.test",
    ],
)
def test_addresses_and_local_names_are_served(emulator: Emulator, host: str) -> None:
    """Containers and machines on the same network use such names."""
    headers = {"host": host, "x-emulator-token": emulator.admin_token}
    assert 200 == httpx2.get(f"{emulator.origin}/_emulator/clock", headers=headers).status_code
    assert 200 == httpx2.get(f"{emulator.origin}/", headers=headers).status_code


def test_the_api_answers_under_any_name(emulator: Emulator) -> None:
    """The API needs a key, so users may call it by any host name."""
    assert 200 == post(emulator, headers={"host": "api.example"}).status_code


def test_no_answer_lets_other_origins_read_it(emulator: Emulator) -> None:
    """Browsers must not cache answers, guess their type, or show the page in a frame."""
    headers = {"x-emulator-token": emulator.admin_token, "origin": "http://elsewhere.example"}
    for path in ("/", "/_emulator/page/page.js", "/_emulator/state", "/_emulator/nowhere"):
        for method in ("GET", "OPTIONS"):
            response = httpx2.request(method, emulator.origin + path, headers=headers)
            assert [] == [name for name in response.headers if name.startswith("access-control")]
            assert "nosniff" == response.headers["x-content-type-options"]
            assert "no-store" == response.headers["cache-control"]
            assert "default-src 'none'" in response.headers["content-security-policy"]
            assert "unsafe" not in response.headers["content-security-policy"]
            assert "frame-ancestors 'none'" in response.headers["content-security-policy"]
            assert "not the" in response.headers["x-emulator"]


# The page


@pytest.mark.parametrize(
    ("script", "schema", "fields"),
    [
        ("playground.js", "EmbeddingsRequest", "input model input_type"),
        ("playground.js", "EmbeddingsResponse", "data model usage"),
        ("playground.js", "Embedding", "embedding index"),
        ("playground.js", "RerankRequest", "query documents model"),
        ("playground.js", "RerankResponse", "data model usage"),
        ("playground.js", "RerankResult", "index relevance_score"),
        ("playground.js", "TokenUsage", "total_tokens"),
        ("batches.js", "UploadFileRequest", "purpose file"),
        ("batches.js", "FileObject", "id filename purpose bytes created_at expires_at"),
        (
            "batches.js",
            "CreateBatchRequest",
            "endpoint input_file_id completion_window request_params",
        ),
        ("batches.js", "BatchEmbeddingsParams", "model input_type"),
        (
            "batches.js",
            "Batch",
            "id endpoint model status request_counts created_at errors output_file_id "
            "error_file_id",
        ),
        ("batches.js", "BatchErrors", "data"),
        ("batches.js", "BatchError", "message"),
        ("batches.js", "BatchRequestCounts", "total completed failed"),
        ("server.js", "Error", "detail"),
    ],
)
def test_the_page_reads_fields_of_the_contract(script: str, schema: str, fields: str) -> None:
    """A renamed or removed field must fail here, not silently in a browser."""
    properties = DOCUMENT["components"]["schemas"][schema]["properties"]
    assert set(fields.split()) <= set(properties)
    text = resources.files("voyageai_emulator.page").joinpath(script).read_text("utf-8")
    assert set(fields.split()) <= set(re.findall(r"\w+", text))


def test_the_page_is_public_and_holds_nothing(emulator: Emulator) -> None:
    """The link passes the token in its fragment, which browsers do not send."""
    page = httpx2.get(emulator.origin)
    assert (200, "text/html; charset=utf-8") == (page.status_code, page.headers["content-type"])
    assert emulator.admin_token not in page.text
    assert "not the models" in page.text
    for part, kind in (("page.js", "javascript"), ("page.css", "css")):
        response = httpx2.get(f"{emulator.origin}/_emulator/page/{part}")
        assert 200 == response.status_code
        assert f"text/{kind}; charset=utf-8" == response.headers["content-type"]
    assert 200 == httpx2.head(emulator.origin).status_code
    assert 0 == len(emulator.requests)


@pytest.mark.parametrize(
    "part",
    ["", "__init__.py", "../app.py", "..%2Fapp.py", "%2e%2e/app.py", "index.html", "none.js"],
)
def test_only_the_parts_of_the_page_are_public(emulator: Emulator, part: str) -> None:
    """A request path is never used as a path on the disk."""
    response = httpx2.get(f"{emulator.origin}/_emulator/page/{part}")
    refused(response, 401)


def test_other_methods_are_refused(emulator: Emulator) -> None:
    """The answer has the format of every refusal."""
    refused(httpx2.post(emulator.origin), 405)
    refused(admin(emulator, "DELETE", "/state"), 405)
    refused(admin(emulator, "GET", "/nowhere"), 404)


# Routes that read


def test_the_state_lists_operations_and_models(emulator: Emulator) -> None:
    """The page and scripts find all operations and models there."""
    state = get(emulator, "/state")
    assert "/v1" == state["base"]
    assert {"id": "rerank", "method": "POST", "path": "/rerank"} in state["operations"]
    names = {model["name"] for models in state["models"].values() for model in models}
    assert {m.name for m in MODELS.values() if m.endpoint and m.lifecycle != "retired"} == names
    assert ["query", "document"] == state["choices"]["input_type"]
    assert {"in_flight": 0, "waiting": 0} == state["requests"]
    assert (None, "none") == (state["tier"], state["latency"])
    assert {"platform": None, "concurrency": None, "engine": "lexical"} == state["settings"]
    assert state["uptime"] >= 0


def test_the_state_holds_no_secret() -> None:
    """Users share the page, and publish screenshots of it."""
    with running(api_key="pa-secret-key", admin_token="secret-token") as emulator:
        text = admin(emulator, "GET", "/state").text
        assert "secret" not in text


def test_requests_can_be_listed_in_brief(emulator: Emulator) -> None:
    """The page polls every second, and bodies may be large."""
    post(emulator, {**TEXTS, "input_type": "query"})
    post(emulator, RANKING, "/rerank")
    httpx2.post(f"{emulator}/rerank", headers=KEY, content=b"no JSON")
    first, second, third = lines(emulator, "?brief=true")
    assert ("createEmbeddings", "voyage-4", "query") == (
        first["operation"],
        first["model"],
        first["input_type"],
    )
    assert (200, True, None) == (first["status"], first["done"], first["fault"])
    assert emulator.requests[0].tokens == first["tokens"] > 0
    assert ("rerank", "rerank-2.5", None) == (
        second["operation"],
        second["model"],
        second["input_type"],
    )
    assert (None, None) == (third["model"], third["input_type"])
    assert {"body", "headers"}.isdisjoint(first)


def test_an_unknown_model_name_is_shown_truncated(emulator: Emulator) -> None:
    """The value may be anything, so its length is limited."""
    post(emulator, {**TEXTS, "model": "<b>" * 1000})
    post(emulator, {**TEXTS, "model": ["voyage-4"], "input_type": {}})
    long, none = lines(emulator, "?brief=true")
    assert ("<b>" * 1000)[:200] == long["model"]
    assert (None, None) == (none["model"], none["input_type"])


def test_the_model_of_a_batch_is_shown(emulator: Emulator) -> None:
    """Batches name the model in their `request_params`, one level deeper than requests."""
    params = {"model": "voyage-4", "input_type": "document"}
    body = {
        "endpoint": "/v1/embeddings",
        "input_file_id": "file-none",
        "completion_window": "12h",
        "request_params": params,
    }
    post(emulator, body, "/batches")
    (line,) = lines(emulator, "?brief=true")
    assert ("voyage-4", "document") == (line["model"], line["input_type"])


def test_requests_can_be_listed_from_a_number_on(emulator: Emulator) -> None:
    """A reader gets each request once, even after the oldest were dropped."""
    for _ in range(4):
        post(emulator)
    assert [3, 4] == [line["number"] for line in lines(emulator, "?after=2")]
    assert [4] == [line["number"] for line in lines(emulator, "?after=1&limit=1")]
    assert [] == lines(emulator, "?after=4")
    assert [] == lines(emulator, "?limit=0")
    assert [1, 2, 3, 4] == [line["number"] for line in lines(emulator, "?limit=9")]
    assert [] == lines(emulator, "?operation=rerank")
    emulator.requests.clear()
    post(emulator)
    assert [5] == [line["number"] for line in lines(emulator, "?after=2")]
    for query in ("after=-1", "limit=x", "limit=", "brief=yes", "after=1.5", "operation=rank"):
        refused(admin(emulator, "GET", f"/requests?{query}"))


def test_one_request_is_shown_whole(emulator: Emulator) -> None:
    """The details have headers and body, but never the key."""
    post(emulator, headers={"authorization": "Bearer pa-secret"})
    told = get(emulator, "/requests/1")
    assert (TEXTS, "hidden") == (told["body"], told["headers"]["authorization"])
    assert "secret" not in json.dumps(told)
    refused(admin(emulator, "GET", "/requests/2"), 404)
    refused(admin(emulator, "GET", "/requests/0"), 404)
    emulator.requests.clear()
    refused(admin(emulator, "GET", "/requests/1"), 404)


def test_usage_is_reported_by_model_and_key(emulator: Emulator) -> None:
    """The answer includes the limits, so that users see how close they are."""
    admin(emulator, "PUT", "/limits", {"tier": "free"})
    post(emulator)
    (used,) = get(emulator, "/usage")["usage"]
    seen = emulator.requests.last
    assert {
        "owner": seen.key,
        "model": "voyage-4",
        "requests": 1,
        "tokens": seen.tokens,
        "rpm": TIERS.free.rpm,
        "tpm": TIERS.free.tpm,
    } == used


# Routes that change state


def test_the_tier_can_be_changed(emulator: Emulator) -> None:
    """Requests are refused as soon as the tier is set, and accepted once it is reset."""
    assert {"tier": None, "tiers": list(Tiers.__annotations__)} == get(emulator, "/limits")
    assert "free" == admin(emulator, "PUT", "/limits", {"tier": "free"}).json()["tier"]
    statuses = [post(emulator).status_code for _ in range(4)]
    assert [200, 200, 200, 429] == statuses
    assert "free" == get(emulator, "/state")["tier"]
    admin(emulator, "PUT", "/limits", {"tier": None})
    assert 200 == post(emulator).status_code
    for body in ({"tier": "gold"}, {"tier": []}, {}, {"tier": "free", "more": 1}, 5, None):
        refused(admin(emulator, "PUT", "/limits", body))


def test_a_model_can_be_limited_by_itself(emulator: Emulator) -> None:
    """A test reaches a limit without sending a thousand requests."""
    admin(emulator, "POST", "/limits", {"model": "voyage-4", "rpm": 0})
    assert 429 == post(emulator).status_code
    admin(emulator, "DELETE", "/limits")
    assert 200 == post(emulator).status_code
    for body in ({"model": "none"}, {"rpm": -1}, {"rpm": "1"}, {"limit": 1}, [1]):
        refused(admin(emulator, "POST", "/limits", body))


def test_the_latency_can_be_changed(emulator: Emulator) -> None:
    """The route accepts the values of the command line, or a number."""
    for said, told in (("model", "model"), (0.25, "0.25"), ("0.5", "0.5"), ("none", "none")):
        assert {"latency": told} == admin(emulator, "PUT", "/latency", {"latency": said}).json()
        assert (told, told) == (str(emulator.latency), get(emulator, "/state")["latency"])
    for said in ("soon", -1, None, [], True):
        refused(admin(emulator, "PUT", "/latency", {"latency": said}))
    assert {"latency": "none"} == get(emulator, "/latency")


def test_the_clock_can_be_advanced(emulator: Emulator) -> None:
    """A test skips a day of waiting by one request."""
    assert {"time": 1_000_000.0, "ahead": 0.0} == get(emulator, "/clock")
    moved = admin(emulator, "POST", "/clock", {"advance": 86_400}).json()
    assert {"time": 1_086_400.0, "ahead": 86_400.0} == moved
    assert 1_086_400.0 == emulator.clock()
    for seconds in (-1, "60", True, None, 1e300, [1]):
        detail = refused(admin(emulator, "POST", "/clock", {"advance": seconds}))
        assert "advance" in detail
    assert 1_086_400.0 == emulator.clock()


def test_the_clock_stops_where_dates_end(emulator: Emulator) -> None:
    """A file uploaded after any number of moves still has valid dates."""
    years = 1_000 * 365 * 86_400
    while 200 == (response := admin(emulator, "POST", "/clock", {"advance": years})).status_code:
        pass
    assert "to the year 9000 at most" in refused(response)
    assert "at most" in refused(admin(emulator, "POST", "/clock", {"advance": 10**400}))
    upload = {"file": ("lines.jsonl", b"{}")}
    response = httpx2.post(
        f"{emulator}/files",
        data={"purpose": "batch"},
        files=upload,
        headers={"authorization": "Bearer any"},
    )
    assert response.json()["expires_at"] > response.json()["created_at"] > "8000"


def test_batches_can_be_steered_and_seen(emulator: Emulator) -> None:
    """A test or demonstration can hold a job in a state in order to see it."""
    held = admin(emulator, "POST", "/batches/hold", {"status": "in_progress"}).json()
    assert (["in_progress"], []) == (held["held"], held["batches"])
    file = httpx2.post(
        f"{emulator}/files",
        headers=KEY,
        data={"purpose": "batch"},
        files={"file": ("a.jsonl", LINES)},
    ).json()
    body = {
        "endpoint": "/v1/embeddings",
        "input_file_id": file["id"],
        "completion_window": "12h",
        "request_params": {"model": "voyage-4"},
    }
    made = post(emulator, body, "/batches").json()
    assert 1 == emulator.batches.settle(timeout=0.05)
    (told,) = get(emulator, "/batches")["batches"]
    assert (made["id"], fingerprint("any")) == (told["id"], told["owner"])
    released = admin(emulator, "POST", "/batches/release", {}).json()
    assert [] == released["held"]
    assert 0 == emulator.batches.settle()
    assert ["completed"] == [batch["status"] for batch in get(emulator, "/batches")["batches"]]
    paced = admin(emulator, "POST", "/batches/pace", {"seconds_per_line": 0.5}).json()
    assert 0.5 == paced["seconds_per_line"]
    limited = admin(emulator, "POST", "/batches/limit", {"max_inputs": 3}).json()["limits"]
    assert (3, BATCH.max_jobs_in_flight) == (limited["max_inputs"], limited["max_jobs_in_flight"])
    for order, arguments in (("fail", {"custom_id": "a", "times": 1}), ("stop_failing", {})):
        assert 200 == admin(emulator, "POST", f"/batches/{order}", arguments).status_code
    for order, arguments in (
        ("hold", {"status": "completed"}),
        ("hold", {}),
        ("fail", {"rate": 2}),
        ("pace", 5),
        ("limit", {"max_inputs": 0}),
        ("limit", {"max_lines": 3}),
    ):
        refused(admin(emulator, "POST", f"/batches/{order}", arguments))
    refused(admin(emulator, "POST", "/batches/wake", {}), 404)


def test_listing_files_and_batches_leaves_no_trace(emulator: Emulator) -> None:
    """Polling by the page must not fill the recording, or use up a planned fault."""
    for key in ("first", "second"):
        headers = {"authorization": f"Bearer {key}"}
        upload = {"file": (f"{key}.jsonl", LINES)}
        httpx2.post(f"{emulator}/files", headers=headers, data={"purpose": "batch"}, files=upload)
    owners = {f"{key}.jsonl": fingerprint(key) for key in ("second", "first")}
    seen = len(emulator.requests)
    emulator.faults.next("gone")
    files = get(emulator, "/files")["files"]
    assert [*owners.items()] == [(file["filename"], file["owner"]) for file in files]
    assert (seen, 1) == (len(emulator.requests), len(emulator.faults.as_json()))


def test_expired_files_are_not_listed(emulator: Emulator) -> None:
    """The list equals what the key sees through the API."""
    upload = {"file": ("a.jsonl", LINES)}
    httpx2.post(f"{emulator}/files", headers=KEY, data={"purpose": "batch"}, files=upload)
    assert 1 == len(get(emulator, "/files")["files"])
    emulator.clock.advance(BATCH.file_retention_days * 86_400)
    assert [] == get(emulator, "/files")["files"]


def test_the_fingerprint_of_an_accepted_key_is_shown() -> None:
    """The page finds its own files by the fingerprint, without knowing how to compute it."""
    with running(api_key="right") as emulator:
        headers = {"x-emulator-token": emulator.admin_token}
        url = f"{emulator.origin}/_emulator/key"
        told = httpx2.get(url, headers={**headers, "authorization": "Bearer right"}).json()
        assert {"owner": fingerprint("right")} == told
        refused(httpx2.get(url, headers={**headers, "authorization": "Bearer wrong"}), 401)
        refused(httpx2.get(url, headers=headers), 401)


def test_bodies_are_bounded(emulator: Emulator) -> None:
    """No admin request needs a long body, so a huge one must not fill the memory."""
    headers = {"x-emulator-token": emulator.admin_token}
    url = f"{emulator.origin}/_emulator/faults"
    entry = json.dumps({"fault": "gone", "detail": ""}).encode()
    refused(httpx2.post(url, content=entry + b" " * 65_536, headers=headers), 413)
    refused(httpx2.put(url, content=b"[" * 65_536, headers=headers))
    for content in (
        b'{"advance": NaN}',
        b'{"advance": Infinity}',
        b'{"advance": 1e999}',
        b"\xff",
        b"",
    ):
        refused(httpx2.post(f"{emulator.origin}/_emulator/clock", content=content, headers=headers))
    assert [] == emulator.faults.as_json()
