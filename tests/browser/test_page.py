"""The emulator's page at `/`, used in a real browser."""

from __future__ import annotations

import contextlib
import json
import re
from pathlib import Path
from typing import Any

import httpx2
import pytest
from voyageai_emulator import running
from voyageai_emulator.emulator import Emulator
from voyageai_rest.catalogue import MODELS

from tests.browser.page import Visit
from tests.emulator.http_helpers import RANKING, TEXTS, admin, connect, message, post

expect = pytest.importorskip("playwright.sync_api").expect

MARKUP = "<script>hacked = 1</script><img src=x onerror='hacked = 1'>"


# The token


def test_the_token_is_taken_out_of_the_address(visit: Visit) -> None:
    """A token in the address bar could be seen by others, and copied with the address."""
    expect(visit.page).to_have_url(f"{visit.emulator.origin}/")
    visit.page.reload()
    expect(visit.page.get_by_text("Connected", exact=True)).to_be_visible()


def test_without_a_token_the_page_asks_for_one(browser: Any, emulator: Emulator) -> None:
    """The page says where to find the token, and shows no data before it has it."""
    with Visit.of(browser, emulator) as visit:
        page = visit.page
        page.clock.install()
        page.goto(emulator.origin)
        field = page.get_by_label("Token", exact=True)
        expect(field).to_be_focused()
        expect(visit.part("Requests")).to_be_hidden()
        field.fill("wrong")
        page.get_by_role("button", name="Open").click()
        expect(page.get_by_role("alert")).to_contain_text("not the token of this emulator")
        expect(visit.part("Requests")).to_be_hidden()
        # Some updates later the alert and the focus are unchanged.
        button = page.get_by_role("button", name="Open")
        button.focus()
        page.clock.run_for(5_000)
        expect(page.get_by_role("alert")).to_contain_text("not the token of this emulator")
        expect(button).to_be_focused()
        field.fill(emulator.admin_token)
        field.press("Enter")
        expect(visit.part("Requests")).to_be_visible()
        expect(page.get_by_role("alert")).to_be_hidden()


def test_a_link_with_the_token_unlocks_an_open_page(browser: Any, emulator: Emulator) -> None:
    """A browser does not reload a page when only the fragment of its URL changes."""
    with Visit.of(browser, emulator) as visit:
        visit.page.goto(f"{emulator.origin}/#token=old")
        expect(visit.page.get_by_role("alert")).to_contain_text("not the token")
        visit.page.goto(visit.link)
        expect(visit.part("Requests")).to_be_visible()


# Requests


def test_requests_appear_as_they_come(visit: Visit) -> None:
    """The list updates without a reload, with the latest request first."""
    expect(visit.part("Requests")).to_contain_text("No requests yet.")
    post(visit.emulator, {**TEXTS, "input_type": "query"})
    expect(visit.rows()).to_have_count(1)
    post(visit.emulator, {**RANKING, "model": "none"}, "/rerank")
    first, second = visit.rows().nth(0), visit.rows().nth(1)
    expect(first).to_contain_text("rerank")
    expect(first).to_contain_text("400")
    tokens = visit.emulator.requests[0].tokens
    texts = [text.strip() for text in second.locator("td").all_text_contents()]
    assert ["1", "createEmbeddings", "voyage-4", "query", str(tokens), "200"] == [
        texts[i] for i in (0, 2, 3, 4, 5, 6)
    ]
    assert re.fullmatch(r"\d\d:\d\d:\d\d", texts[1])
    assert re.fullmatch(r"[\d.]+ m?s", texts[7])


def test_a_request_is_shown_from_its_arrival(visit: Visit) -> None:
    """A request that hangs is the one that a user looks for."""
    visit.emulator.faults.next("hang")
    with connect(visit.emulator) as sock:
        sock.sendall(message())
        expect(visit.rows()).to_contain_text("under way")
    expect(visit.rows()).to_contain_text("client left")
    expect(visit.rows()).to_contain_text("voyage-4")


def test_requests_are_chosen_by_operation_and_status(visit: Visit) -> None:
    """A user can find one request among a thousand."""
    for body in (TEXTS, {**TEXTS, "model": "none"}):
        post(visit.emulator, body)
    post(visit.emulator, RANKING, "/rerank")
    visit.emulator.faults.next("status", status=503)
    post(visit.emulator, RANKING, "/rerank")
    part = visit.part("Requests")
    expect(visit.rows()).to_have_count(4)
    part.get_by_label("Operation").select_option("rerank")
    expect(visit.rows()).to_have_count(2)
    expect(part).to_contain_text("2 of 4")
    part.get_by_label("Status").select_option("5xx, failed")
    expect(visit.rows()).to_have_count(1)
    expect(visit.rows()).to_contain_text("status; status=503")
    part.get_by_label("Operation").select_option("createEmbeddings")
    expect(part).to_contain_text("No request matches the filters.")
    part.get_by_label("Status").select_option("4xx, refused")
    expect(visit.rows()).to_contain_text("none")


def test_a_request_is_shown_in_detail(visit: Visit) -> None:
    """The details show body and headers, but never the API key."""
    post(visit.emulator, headers={"authorization": "Bearer pa-secret", "x-mine": "here"})
    opener = visit.page.get_by_role("button", name="Request 1: details")
    opener.click()
    dialog = visit.page.get_by_role("dialog", name="Request 1")
    expect(dialog).to_contain_text("POST /v1/embeddings")
    expect(dialog).to_contain_text("here")
    expect(dialog).to_contain_text('"a cat"')
    expect(dialog).not_to_contain_text("pa-secret")
    visit.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(opener).to_be_focused()


def test_the_list_can_be_paused_and_cleared(visit: Visit) -> None:
    """A user can't read a list that keeps moving."""
    pause = visit.page.get_by_role("button", name="Pause")
    pause.click()
    assert "true" == pause.get_attribute("aria-pressed")
    post(visit.emulator)
    for _ in range(2):  # the update in progress, and a complete one
        with visit.page.expect_response("**/usage"):
            pass
    expect(visit.rows()).to_have_count(0)
    pause.click()
    expect(visit.rows()).to_have_count(1)
    visit.page.get_by_role("button", name="Clear", exact=True).click()
    expect(visit.rows()).to_have_count(0)
    assert 0 == len(visit.emulator.requests)
    post(visit.emulator)
    expect(visit.rows()).to_have_count(1)


def test_the_page_asks_nothing_while_nobody_sees_it(browser: Any, emulator: Emulator) -> None:
    """A forgotten tab must not send requests forever."""
    with Visit.of(browser, emulator) as visit:
        page = visit.page
        page.clock.install()
        page.add_init_script(
            "Object.defineProperty(document, 'visibilityState', { get: () => self.seen ?? 'hidden' })"
        )
        page.goto(visit.link)
        page.clock.run_for(60_000)
        assert f"{emulator.origin}/_emulator/page/page.js" in visit.asked
        assert f"{emulator.origin}/_emulator/state" not in visit.asked
        page.evaluate(
            "() => { seen = 'visible'; document.dispatchEvent(new Event('visibilitychange')); }"
        )
        expect(visit.part("Requests")).to_be_visible()


def test_the_page_says_when_there_is_no_answer(visit: Visit) -> None:
    """The page still shows the last data then, which may be outdated."""
    visit.page.route("**/_emulator/**", lambda route: route.abort())
    expect(visit.page.get_by_text("The emulator does not answer")).to_be_visible()
    visit.page.unroute("**/_emulator/**")
    expect(visit.page.get_by_text("Connected", exact=True)).to_be_visible()


def test_another_emulator_at_the_same_address_starts_empty(browser: Any) -> None:
    """The new emulator numbers its requests from 1 as well, so old ones must not stay."""
    with contextlib.ExitStack() as stack:
        with running(admin_token="same") as first:
            visit = stack.enter_context(Visit.of(browser, first))
            visit.open()
            for _ in range(2):
                post(first)
            expect(visit.rows()).to_have_count(2)
        port = int(first.origin.rpartition(":")[2])
        with running(admin_token="same", port=port) as second:
            post(second, RANKING, "/rerank")
            expect(visit.rows()).to_have_count(1)
            expect(visit.rows()).to_contain_text("rerank")


# Faults


def test_a_fault_that_is_switched_on_happens_and_is_gone(visit: Visit) -> None:
    """The fault hits the next request of a program, and not the one after that."""
    part = visit.part("Faults")
    part.get_by_label("Fault", exact=True).select_option("status")
    part.get_by_label("status", exact=True).fill("503")
    part.get_by_label("retry_after", exact=True).fill("7")
    part.get_by_role("button", name="Add to the plan").click()
    expect(part.get_by_role("listitem")).to_contain_text("status; status=503; retry_after=7")
    refused = post(visit.emulator)
    assert (503, "7") == (refused.status_code, refused.headers["retry-after"])
    expect(part.get_by_role("listitem")).to_have_count(0)
    expect(visit.rows()).to_contain_text("status; status=503; retry_after=7")
    assert 200 == post(visit.emulator).status_code


def test_faults_are_planned_for_some_and_for_all(visit: Visit) -> None:
    """A fault can be planned for each operation and for each count that the plan supports."""
    part = visit.part("Faults")
    name, when = part.get_by_label("Fault", exact=True), part.get_by_label("Applies to")
    add = part.get_by_role("button", name="Add to the plan")
    name.select_option("delay")
    expect(part.locator("#fault-description")).to_contain_text("late")
    part.get_by_label("seconds").fill("0.01")
    part.get_by_label("How many").fill("3")
    part.get_by_label("Operation").select_option("rerank")
    add.click()
    expect(part.get_by_role("listitem")).to_have_count(1)
    name.select_option("truncated")
    part.get_by_label("chunked").check()
    when.select_option("a share of requests")
    part.get_by_label("Percent").fill("2.5")
    part.get_by_label("Operation").select_option("all")
    add.click()
    expect(part.get_by_role("listitem")).to_have_count(2)
    name.select_option("gone")
    when.select_option("every request")
    add.click()
    expect(part.get_by_role("listitem")).to_have_count(3)
    expected = [
        {"fault": "delay; seconds=0.01", "times": 3, "operation": "rerank"},
        {"fault": "truncated; chunked=true", "rate": 0.025, "operation": None},
        {"fault": "gone", "rate": 1.0, "operation": None},
    ]
    assert expected == visit.emulator.faults.as_json()
    part.get_by_role("button", name="Remove truncated; chunked=true").click()
    expect(part.get_by_role("listitem")).to_have_count(2)
    assert [expected[0], expected[2]] == visit.emulator.faults.as_json()
    assert 410 == post(visit.emulator).status_code
    part.get_by_role("button", name="Clear the plan").click()
    expect(part.get_by_role("listitem")).to_have_count(0)
    assert 200 == post(visit.emulator).status_code


def test_every_fault_can_be_planned(visit: Visit) -> None:
    """The form offers each fault's parameters with their default values."""
    part = visit.part("Faults")
    name, add = (
        part.get_by_label("Fault", exact=True),
        part.get_by_role("button", name="Add to the plan"),
    )
    faults = visit.admin("GET", "/faults").json()["faults"]
    assert [fault["name"] for fault in faults] == name.locator("option").all_text_contents()
    for planned, fault in enumerate(faults, 1):
        name.select_option(fault["name"])
        labels = part.get_by_role("group", name="Parameters of the fault").locator("label")
        assert list(fault["parameters"]) == labels.all_text_contents()
        add.click()
        expect(part.get_by_role("listitem")).to_have_count(planned)
    assert [fault["name"] for fault in faults] == [
        e["fault"] for e in visit.emulator.faults.as_json()
    ]


def test_a_fault_that_cannot_be_is_refused_in_words(visit: Visit) -> None:
    """The user reads the reason, and nothing is planned."""
    part = visit.part("Faults")
    part.get_by_label("status", exact=True).fill("99")
    part.get_by_role("button", name="Add to the plan").click()
    expect(part).to_contain_text("parameter status of a fault cannot be")
    assert [] == visit.emulator.faults.as_json()


# The playground


def test_texts_that_are_alike_are_similar(visit: Visit) -> None:
    """A text has similarity 1 with itself, and texts that share words are closer."""
    visit.page.get_by_label("Texts, one per line").fill(
        "\n the cat sat on the mat\n\nthe cat sat on a mat\nmarkets fell sharply today\n"
    )
    visit.page.get_by_label("Texts, one per line").press("Tab")
    playground = visit.part("Playground")
    playground.get_by_label("input_type").select_option("document")
    playground.get_by_label("Model").first.select_option("voyage-4-lite")
    playground.get_by_role("button", name="Embed").click()
    table = playground.get_by_role("table", name="Cosine similarity, voyage-4-lite")
    expect(table.locator("tbody tr")).to_have_count(3)
    texts = [row.locator("td").all_text_contents() for row in table.locator("tbody tr").all()]
    numbers = [[float(text) for text in row] for row in texts]
    assert [1.0, 1.0, 1.0] == [numbers[i][i] for i in range(3)]
    assert [list(column) for column in zip(*numbers, strict=True)] == numbers
    assert numbers[0][1] > max(numbers[0][2], numbers[1][2])
    first = table.get_by_role("rowheader").first
    assert "1 the cat sat on the mat" == first.inner_text()
    request = visit.emulator.requests.last
    assert ("document", "voyage-4-lite") == (request.body["input_type"], request.body["model"])
    expect(visit.rows()).to_have_count(1)


def test_documents_are_put_in_order(visit: Visit) -> None:
    """The document that answers the query comes first, and scores descend."""
    visit.page.get_by_label("Query").fill("the cat on the mat")
    visit.page.get_by_label("Documents, one per line").fill(
        "markets fell\nthe cat sat on the mat\na mat"
    )
    playground = visit.part("Playground")
    playground.get_by_role("button", name="Rerank").click()
    table = playground.get_by_role("table", name="Relevance")
    expect(table.locator("tbody tr")).to_have_count(3)
    rows = [row.locator("td").all_inner_texts() for row in table.locator("tbody tr").all()]
    assert "the cat sat on the mat" == rows[0][1]
    assert "markets fell" == rows[2][1]
    scores = [float(row[2]) for row in rows]
    assert sorted(scores, reverse=True) == scores


def test_the_playground_says_why_it_is_refused(visit: Visit) -> None:
    """The playground is an ordinary client, which meets faults, keys and limits."""
    visit.emulator.faults.next("html")
    playground = visit.part("Playground")
    embed = playground.get_by_role("button", name="Embed")
    embed.click()
    expect(playground).to_contain_text("Failed: 502")
    visit.page.get_by_label("API key").fill(" ")
    embed.click()
    expect(playground).to_contain_text("API key at the top of the page")
    visit.page.get_by_label("API key").fill("key")
    visit.page.get_by_label("Texts, one per line").fill("\n".join(map(str, range(41))))
    embed.click()
    expect(playground).to_contain_text("at most 40 texts; there are 41")
    visit.page.get_by_label("Texts, one per line").fill("one")
    embed.click()
    expect(playground.get_by_role("table", name="Cosine similarity")).to_be_visible()


def test_a_result_goes_when_the_next_request_fails(visit: Visit) -> None:
    """An old result would look like the answer to the new input."""
    playground = visit.part("Playground")
    for button, table in (("Embed", "Cosine similarity"), ("Rerank", "Relevance")):
        playground.get_by_role("button", name=button).click()
        expect(playground.get_by_role("table", name=table)).to_be_visible()
        visit.emulator.faults.next("unavailable")
        playground.get_by_role("button", name=button).click()
        expect(playground).to_contain_text("Failed: 503")
        expect(playground.get_by_role("table", name=table)).to_have_count(0)
        playground.get_by_role("button", name=button).click()
        expect(playground.get_by_role("table", name=table)).to_be_visible()


def test_models_are_those_of_the_catalogue(visit: Visit) -> None:
    """The list follows the catalogue, and marks deprecated models."""
    shown = visit.page.locator("#rerank-model option").all_text_contents()
    known = [m for m in MODELS.values() if m.endpoint == "rerank" and m.lifecycle != "retired"]
    assert [
        m.name if m.lifecycle == "active" else f"{m.name} ({m.lifecycle})" for m in known
    ] == shown


# Limits and time


def test_usage_is_shown_against_the_limits(visit: Visit) -> None:
    """A tier that the user selects applies at once."""
    part = visit.part("Rate limits")
    part.get_by_label("Usage tier").select_option("free")
    expect(part).to_contain_text("No requests in the last minute.")
    for _ in range(2):
        post(visit.emulator)
    used = visit.emulator.limits.usage()[0]
    expect(part).to_contain_text(f"2 of {used.rpm}")
    expect(part).to_contain_text(f"{used.tokens} of {used.tpm:,}")
    part.get_by_label("Usage tier").select_option("none")
    expect(part).not_to_contain_text(f"2 of {used.rpm}")
    assert visit.emulator.limits.tier is None


def test_the_clock_and_the_latency_are_set(visit: Visit) -> None:
    """The user can let a day pass by clicking a button."""
    part = visit.part("Time")
    before = visit.emulator.clock()
    part.get_by_role("button", name="+ 1 day").click()
    part.get_by_role("button", name="+ 1 hour").click()
    expect(part).to_contain_text("1 d 1 h ahead")
    assert visit.emulator.clock() >= before + 90_000
    part.get_by_label("Answers take").select_option("a fixed time")
    part.get_by_label("Seconds").fill("0.05")
    part.get_by_role("button", name="Set").click()
    expect(part).to_contain_text("The latency was set.")
    assert "0.05" == str(visit.emulator.latency)
    visit.page.reload()
    expect(part.get_by_label("Seconds")).to_have_value("0.05")


# Batches and files


def upload(visit: Visit, lines: int = 3, name: str = "texts.jsonl") -> Any:
    """Upload a file with the form."""
    content = "".join(
        json.dumps({"custom_id": f"line-{i}", "body": {"input": [f"text {i}"]}}) + "\n"
        for i in range(lines)
    )
    part = visit.part("Batches and files")
    part.get_by_label("File of JSON lines").set_input_files(
        {"name": name, "mimeType": "application/jsonl", "buffer": content.encode()}
    )
    part.get_by_role("button", name="Upload").click()
    expect(part).to_contain_text("Uploaded as file-")
    return part


def test_an_action_is_shown_although_a_round_began_before_it(visit: Visit) -> None:
    """An update that was requested before the upload must not hide the new file."""
    held: list[tuple[Any, Any]] = []

    def hold(route: Any) -> None:
        if held:
            route.continue_()
        else:
            held.append((route, route.fetch()))

    part = visit.part("Batches and files")
    content = {"name": "a.jsonl", "mimeType": "application/jsonl", "buffer": b"{}"}
    part.get_by_label("File of JSON lines").set_input_files(content)
    visit.page.route("**/_emulator/files", hold)
    with visit.page.expect_request("**/_emulator/files"):
        pass
    with visit.page.expect_response(lambda response: response.request.method == "POST"):
        part.get_by_role("button", name="Upload").click()
    route, earlier = held[0]
    route.fulfill(response=earlier)
    expect(part).to_contain_text("Uploaded as file-")
    assert part.get_by_label("Input file").input_value().startswith("file-")


def test_a_batch_is_followed_to_its_end(visit: Visit) -> None:
    """The page shows a batch from its input file to the download of its results."""
    visit.emulator.batches.hold("in_progress")
    visit.emulator.batches.fail("line-1", status=503, message="Service Unavailable")
    part = upload(visit)
    part.get_by_role("button", name="Create batch").click()
    table = part.get_by_role("region", name="Batches", exact=True)
    expect(table).to_contain_text("in_progress")
    expect(part).to_contain_text("Held in in_progress")
    part.get_by_role("button", name="Release").click()
    expect(table).to_contain_text("completed")
    expect(table).to_contain_text("2 of 3, 1 failed")
    with visit.page.expect_download() as downloading:
        table.get_by_role("button", name=re.compile("^Output ")).click()
    path = downloading.value.path()
    answers = [json.loads(line) for line in Path(path).read_text("utf-8").splitlines()]
    assert {"line-0", "line-2"} == {answer["custom_id"] for answer in answers}
    with visit.page.expect_download() as downloading:
        table.get_by_role("button", name=re.compile("^Errors ")).click()
    assert "line-1" in Path(downloading.value.path()).read_text("utf-8")


def test_a_batch_is_cancelled(visit: Visit) -> None:
    """The page cancels a batch by the API, like any client."""
    part = upload(visit)
    part.get_by_label("Hold batches in").select_option("validating")
    part.get_by_role("button", name="Hold", exact=True).click()
    expect(part).to_contain_text("Held in validating")
    part.get_by_role("button", name="Create batch").click()
    table = part.get_by_role("region", name="Batches", exact=True)
    table.get_by_role("button", name=re.compile("^Cancel ")).click()
    part.get_by_role("button", name="Release").click()
    expect(table).to_contain_text("cancelled")
    expect(table.get_by_role("button", name=re.compile("^Cancel "))).to_have_count(0)
    operations = [request.operation for request in visit.emulator.requests]
    assert ["uploadFile", "createBatch", "cancelBatch"] == operations


def test_files_are_downloaded_and_deleted(visit: Visit) -> None:
    """A download equals the upload, and a deleted file is no longer listed."""
    part = upload(visit, lines=2)
    table = part.get_by_role("region", name="Files", exact=True)
    with visit.page.expect_download() as downloading:
        table.get_by_role("button", name=re.compile("^Download ")).click()
    assert "texts.jsonl" == downloading.value.suggested_filename
    assert 2 == len(Path(downloading.value.path()).read_text("utf-8").splitlines())
    table.get_by_role("button", name=re.compile("^Delete ")).click()
    expect(table).to_contain_text("There are no files, of any API key.")
    expect(part.get_by_label("Input file").locator("option")).to_have_count(0)


def test_batches_and_files_of_all_keys_are_shown(visit: Visit) -> None:
    """The token shows every key's data, while actions still need the API key that owns them."""
    part = upload(visit)
    part.get_by_role("button", name="Create batch").click()
    batches = part.get_by_role("region", name="Batches", exact=True)
    files = part.get_by_role("region", name="Files", exact=True)
    use = re.compile("^(Output|Download) ")
    owner = visit.emulator.requests.last.key
    expect(part.get_by_role("row").filter(has_text="this page")).to_have_count(3)
    expect(part.get_by_role("button", name=use)).to_have_count(3)
    key = visit.page.get_by_label("API key")
    for other, note in (
        ("other", None),
        ("", "Type an API key at the top of the page"),
        ("not a key", "Type an API key at the top of the page"),
    ):
        key.fill(other)
        key.press("Tab")
        for table in (batches, files):
            expect(table).to_contain_text(str(owner))
            expect(table).to_contain_text("need its API key")
        expect(part.get_by_role("button", name=use)).to_have_count(0)
        expect(part.get_by_label("Input file").locator("option")).to_have_count(0)
        if note:
            expect(part).to_contain_text(note)
    expect(visit.page.get_by_text("Connected", exact=True)).to_be_visible()
    key.fill("emulator")
    key.press("Tab")
    expect(part.get_by_role("button", name=use)).to_have_count(3)
    expect(part).not_to_contain_text("Type an API key")


def test_a_key_that_the_emulator_refuses_is_named(browser: Any) -> None:
    """The note says which actions are impossible, and all data are still shown."""
    with running(api_key="only-key") as emulator, Visit.of(browser, emulator) as visit:
        upload = {"file": ("texts.jsonl", b'{"custom_id": "a", "body": {"input": ["one"]}}\n')}
        headers = {"authorization": "Bearer only-key"}
        httpx2.post(f"{emulator}/files", headers=headers, data={"purpose": "batch"}, files=upload)
        visit.open()
        part = visit.part("Batches and files")
        expect(part).to_contain_text("The emulator refuses the API key at the top of the page: 401")
        expect(part.get_by_role("region", name="Files", exact=True)).to_contain_text("texts.jsonl")
        visit.page.get_by_label("API key").fill("only-key")
        visit.page.get_by_label("API key").press("Tab")
        expect(part).to_contain_text("this page")
        expect(part).not_to_contain_text("refuses")


@pytest.mark.parametrize("by", ["mouse", "keyboard"])
def test_rows_open(visit: Visit, by: str) -> None:
    """A click anywhere on a row opens it, and so does Enter on its first cell."""
    upload(visit).get_by_role("button", name="Create batch").click()
    part = visit.part("Batches and files")
    expect(part.get_by_role("region", name="Batches", exact=True)).to_contain_text("completed")
    for name, told in (
        (r"Request 1: details", "POST /v1/files"),
        (r"Batch .+: details", '"completed":3'),
        (r"File .+: details", "texts.jsonl"),
    ):
        row = visit.page.get_by_role("row").filter(
            has=visit.page.get_by_role("button", name=re.compile(name))
        )
        row = row.last
        opener = row.get_by_role("button", name=re.compile(name))
        if by == "mouse":
            row.get_by_role("cell").nth(3).click()
        else:
            opener.press("Enter")
        dialog = visit.page.get_by_role("dialog")
        expect(dialog).to_contain_text(told)
        visit.page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
        expect(opener).to_be_focused()


# Untrusted text


def test_untrusted_input_stays_text(visit: Visit) -> None:
    """Otherwise any client could run scripts in the browser of a person who views the page."""
    emulator = visit.emulator
    post(emulator, {**TEXTS, "model": MARKUP, "input_type": MARKUP})
    post(emulator, {**TEXTS, "input": MARKUP}, headers={"x-mine": MARKUP})
    httpx2.get(f"{emulator.origin}/{MARKUP}")
    entry = {"fault": "other_model", "name": MARKUP, "rate": 1, "operation": "createEmbeddings"}
    admin(emulator, "POST", "/faults", entry)
    upload(visit, name=f"{MARKUP.replace('/', '')}.jsonl")
    visit.page.get_by_label("Texts, one per line").fill(f"{MARKUP}\none")
    visit.page.get_by_label("Documents, one per line").fill(f"{MARKUP}\none")
    visit.page.get_by_role("button", name="Embed").click()
    visit.page.get_by_role("button", name="Rerank").click()
    expect(visit.part("Playground").get_by_role("table")).to_have_count(2)
    expect(visit.rows().filter(has_text="<script>")).not_to_have_count(0)
    for number in (1, 2):
        visit.page.get_by_role("button", name=f"Request {number}: details").click()
        expect(visit.page.get_by_role("dialog")).to_contain_text("<script>")
        visit.page.keyboard.press("Escape")
    expect(visit.part("Faults")).to_contain_text("%3Cscript%3E")
    expect(visit.part("Batches and files")).to_contain_text("<img")
    assert 1 == visit.page.locator("script").count()
    assert 0 == visit.page.locator("img").count()
    assert visit.page.evaluate("typeof hacked") == "undefined"


def test_the_page_runs_no_injected_code(visit: Visit) -> None:
    """If a text ever became markup, the content security policy would still block it."""
    for attempt in (
        "document.body.innerHTML = '<b>'",
        "setTimeout('hacked = 1')",
        "document.body.setAttribute('onclick', 'hacked = 1')",
        "document.head.append(Object.assign(document.createElement('script'), {text: 'hacked = 1'}))",
    ):
        with pytest.raises(Exception, match=r"TrustedHTML|TrustedScript"):
            visit.page.evaluate(f"() => {{ {attempt} }}")
    assert visit.page.evaluate("typeof hacked") == "undefined"
    assert all("Trusted" in each for each in visit.complaints)
    visit.complaints.clear()
