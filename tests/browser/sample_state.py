"""Fill an emulator with something for every section of the page."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import httpx2
from voyageai_emulator.emulator import Emulator

from tests.browser.page import Visit
from tests.emulator.http_helpers import KEY, RANKING, TEXTS, post

OWNER = {"authorization": "Bearer emulator"}
CHUNKS = {"inputs": [["a cat", "a dog"], ["a bird"]], "model": "voyage-context-3"}


def fill(emulator: Emulator) -> None:
    """Send requests with and without faults, and start batches."""
    emulator.limits.tier = "free"
    post(emulator, {**TEXTS, "input_type": "document"})
    post(emulator, {**TEXTS, "model": "voyage-4-large", "input_type": "document"})
    post(emulator, {**TEXTS, "model": "voyage-unknown"})
    for wording in ("where do cats sleep?", "which birds sing at night?"):
        post(emulator, {**TEXTS, "input": wording, "input_type": "query"})
    post(emulator, TEXTS)
    post(emulator, CHUNKS, "/contextualizedembeddings")
    post(emulator, RANKING, "/rerank", headers=OWNER)
    emulator.faults.next("status", status=503, retry_after=2)
    post(emulator, RANKING, "/rerank")
    emulator.faults.next("truncated")
    with httpx2.Client() as http, contextlib.suppress(httpx2.RemoteProtocolError):
        http.post(f"{emulator}/rerank", json=RANKING, headers=KEY)
    _batches(emulator)


def _batches(emulator: Emulator) -> None:
    emulator.batches.fail("line-3", status=503, message="Service Unavailable")
    _batch(emulator, "products.jsonl", 240)
    assert 0 == emulator.batches.settle(timeout=20)
    emulator.batches.hold("in_progress")
    _batch(emulator, "support-questions.jsonl", 1200)


def _batch(emulator: Emulator, name: str, count: int) -> None:
    texts = ({"custom_id": f"line-{i}", "body": {"input": [f"text {i}"]}} for i in range(count))
    content = "".join(json.dumps(line) + "\n" for line in texts).encode()
    form = {"data": {"purpose": "batch"}, "files": {"file": (name, content)}}
    file: Any = httpx2.post(f"{emulator}/files", headers=OWNER, **form).json()
    body = {
        "endpoint": "/v1/embeddings",
        "input_file_id": file["id"],
        "completion_window": "12h",
        "request_params": {"model": "voyage-4", "input_type": "document"},
    }
    assert 200 == post(emulator, body, "/batches", headers=OWNER).status_code


def play(visit: Visit) -> None:
    """Use the playground, plan faults, and wait until the page shows the results."""
    playground = visit.part("Playground")
    playground.get_by_role("button", name="Embed").click()
    playground.get_by_role("table", name="Cosine similarity").wait_for()
    playground.get_by_role("button", name="Rerank").click()
    playground.get_by_role("table", name="Relevance").wait_for()
    faults = visit.emulator.faults
    faults.next("rate_limited", times=3, operation="createEmbeddings")
    faults.sometimes("delay", seconds=1.5, rate=0.1)
    seen(visit)


def seen(visit: Visit) -> None:
    """Wait until the page shows what the emulator reports."""
    visit.part("Batches and files").get_by_text("completed", exact=True).wait_for()
    visit.part("Faults").get_by_role("listitem").nth(1).wait_for()
    visit.rows().first.wait_for()
