"""The command finds differences between an emulator and the contract over real HTTP."""

from __future__ import annotations

import pytest
from voyageai_emulator.faults import Fault
from voyageai_emulator.server import Server, serving
from voyageai_emulator.settings import Settings

from tests.drift.live.conftest import Live
from tests.drift.live.probe_harness import KEY, document, models

UNHEARD_OF = "x_unheard_of"
REFUSAL = {"status": 451, "detail": "Not where you are."}
CATALOGUE = "catalogue: models"

PLANTED = {
    "nothing": ({}, 0, set()),
    "a new field": (
        {"faults": [Fault("extra_fields")]},
        1,
        {
            ("additive", "field-added", f"POST /{path}: response.200.{place}{UNHEARD_OF}")
            for path, places in {
                "embeddings": ("", "data[]."),
                "contextualizedembeddings": ("", "data[].", "data[].data[]."),
                "multimodalembeddings": ("", "data[]."),
                "rerank": ("", "data[]."),
            }.items()
            for place in places
        },
    ),
    "a missing field": (
        {"faults": [Fault("missing_usage")]},
        2,
        {
            ("breaking for readers", "field-removed", f"POST /{path}: response.200.usage")
            for path in ("embeddings", "contextualizedembeddings", "multimodalembeddings", "rerank")
        },
    ),
    "a changed limit": (
        {"document": document(["RerankRequest", "properties", "documents", "maxItems"], 500)},
        2,
        {("breaking for senders", "limit-tightened", "POST /rerank: request.documents")},
    ),
    "a changed limit of a model": (
        {"models": models(voyage_4_lite={"context_length": 16000})},
        2,
        {("breaking for senders", "limit-lowered", f"{CATALOGUE}.voyage-4-lite.context_length")},
    ),
    "a new model": (
        {"models": models(voyage_planted={})},
        1,
        {("additive", "model-added", f"{CATALOGUE}.voyage-planted")},
    ),
}


@pytest.mark.parametrize(("settings", "status", "expected"), PLANTED.values(), ids=PLANTED)
def test_exactly_the_planted_differences_are_found(live: Live, settings, status, expected) -> None:
    """Maintainers trust a report only if it misses nothing and has no false alarm."""
    with serving(Server("127.0.0.1", 0, Settings(api_key=KEY, **settings))) as url:
        ran = live(url, "--fail-on", "any", "--format", "json")
    differences = ran.report["differences"]
    assert expected == {(each["class"], each["kind"], each["path"]) for each in differences}
    assert status == ran.status


def test_a_new_status_is_found(live: Live) -> None:
    """Clients may handle an unknown status badly, so maintainers must learn of it."""
    with serving(Server("127.0.0.1", 0, Settings(api_key=KEY))) as url:
        url.faults.always("status", operation="rerank", **REFUSAL)
        ran = live(url, "--fail-on", "any", "--format", "json")
    found = {(each["kind"], each["path"]) for each in ran.report["differences"]}
    assert ("error-added", "POST /rerank: response.451") in found
    assert {"POST /rerank: response.451", "POST /rerank: request"} == {path for _, path in found}
    assert 2 == ran.status
