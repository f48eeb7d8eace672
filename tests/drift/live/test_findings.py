"""Each difference of a live host is found and named, with no false alarms."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from voyageai_emulator import in_process
from voyageai_rest.catalogue import ModelDimensions

from generator.drift.differences import Place
from generator.drift.live.answers import StrictSchemas
from generator.drift.live.findings import rules
from tests.drift.live.altered_answers import ANSWERS
from tests.drift.live.probe_harness import (
    KEY,
    Alter,
    AlteringTransport,
    CachingTransport,
    Reply,
    document,
    kinds_and_paths,
    models,
    probe_emulator,
    probe_transport,
)


@pytest.fixture(scope="module")
def faithful() -> Iterator[CachingTransport]:
    """An emulator that follows the contract."""
    with in_process(api_key=KEY) as emulator:
        yield CachingTransport(emulator.transport)


def test_a_host_that_follows_the_contract_shows_nothing(faithful: CachingTransport) -> None:
    """Maintainers stop reading a report that is never empty."""
    seen = probe_transport(faithful)
    assert ([], {}, 0) == (seen.differences, seen.unseen, seen.status("any"))


def test_optional_probes_of_a_faithful_host_show_nothing() -> None:
    """Optional probes raise no false alarm either, and the report lists the files they created."""
    with in_process(api_key=KEY) as emulator:
        seen = probe_transport(emulator.transport, "files", "batch", "limits")
        deleted = [
            each.path.rpartition("/")[2] for each in emulator.requests if each.method == "DELETE"
        ]
    assert ([], {}, 0) == (seen.differences, seen.unseen, seen.status("any"))
    assert ["file", "batch"] == [id.partition("-")[0] for id in seen.left_behind]
    assert 1 == len(deleted)
    assert not set(deleted) & set(seen.left_behind)


@pytest.mark.parametrize(("alter", "status", "expected"), ANSWERS.values(), ids=ANSWERS)
def test_answers_that_changed_are_found(
    faithful: CachingTransport, alter: Alter, status: int, expected: set[tuple[str, str]]
) -> None:
    """The maintainer learns of exactly the differences that exist."""
    seen = probe_transport(AlteringTransport(faithful, alter))
    assert expected == kinds_and_paths(seen)
    assert status == seen.status("any")


SERVED: dict[str, tuple[dict[str, Any], set[tuple[str, str]]]] = {
    "a model is new": (
        {"models": models(voyage_planted={})},
        {("model-added", "catalogue: models.voyage-planted")},
    ),
    "a model is gone": (
        {"models": models(voyage_code_4=None)},
        {("model-removed", "catalogue: models.voyage-code-4")},
    ),
    "a model is retired": (
        {"models": models(rerank_3={"lifecycle": "retired"})},
        {("model-removed", "catalogue: models.rerank-3")},
    ),
    "a context is shorter": (
        {"models": models(voyage_4_lite={"context_length": 16000})},
        {("limit-lowered", "catalogue: models.voyage-4-lite.context_length")},
    ),
    "a context is longer": (
        {"models": models(rerank_3_lite={"context_length": 64000})},
        {("limit-raised", "catalogue: models.rerank-3-lite.context_length")},
    ),
    "fewer inputs are taken": (
        {"document": document(["RerankRequest", "properties", "documents", "maxItems"], 500)},
        {("limit-tightened", "POST /rerank: request.documents")},
    ),
    "more inputs are taken": (
        {"document": document(["RerankRequest", "properties", "documents", "maxItems"], 2000)},
        {("limit-loosened", "POST /rerank: request.documents")},
    ),
    "the default dimension is another": (
        {
            "models": models(
                voyage_4_large={
                    "dimensions": ModelDimensions(default=512, allowed=(256, 512, 1024, 2048))
                }
            )
        },
        {("meaning-changed", "catalogue: models.voyage-4-large.dimensions.default")},
    ),
    "a dimension is gone": (
        {
            "models": models(
                voyage_4={"dimensions": ModelDimensions(default=1024, allowed=(256, 512, 1024))}
            )
        },
        {("refused", "POST /embeddings: request")},
    ),
    "a dtype is gone": (
        {"models": models(voyage_multimodal_3__5={"dtypes": ("float", "int8", "uint8", "binary")})},
        {("refused", "POST /multimodalembeddings: request")},
    ),
}


@pytest.mark.parametrize(("settings", "expected"), SERVED.values(), ids=SERVED)
def test_models_and_limits_that_changed_are_found(
    settings: dict[str, Any], expected: set[tuple[str, str]]
) -> None:
    """As long as the probe finds nothing here, the catalogue is right."""
    assert expected == kinds_and_paths(probe_emulator(**settings))


RULED_OUT = "value-outside"


def test_a_value_that_the_contract_rules_out_is_found() -> None:
    """No response in the contract is restricted this way yet, but the first one will be checked."""
    schema = {"properties": {"status": {"enum": ["open", "done"]}}}
    shapes = StrictSchemas({"components": {"schemas": {}}}, {})
    place = Place("GET /jobs", "response.200")
    (difference,) = shapes.check(schema, {"status": "lost"}, place)
    assert (RULED_OUT, "GET /jobs: response.200.status") == (difference.kind, difference.path)
    assert '`status` is "lost"' in difference.sentence


def test_every_kind_of_live_difference_has_a_case() -> None:
    """A kind without a case may never be found."""
    cases = [*(case[-1] for case in ANSWERS.values()), *(case[-1] for case in SERVED.values())]
    assert set(rules()) - {RULED_OUT} <= {kind for expected in cases for kind, _ in expected}


def test_a_difference_shows_expected_and_received_values() -> None:
    """The report states the expected and the received value, and where it was received."""
    seen = probe_emulator(models=models(voyage_4_lite={"context_length": 16000}))
    (difference,) = seen.differences
    assert (32000, 16000) == (difference.before, difference.after)
    assert "`context_length` of voyage-4-lite changed from 32000 to 16000" == difference.sentence
    assert ["context_length of voyage-4-lite at POST /embeddings"] == seen.found[difference]


def test_a_prompt_that_changed_is_found() -> None:
    """Users who add the catalogue's prompts to texts themselves would get other vectors."""
    seen = probe_emulator(models=models(voyage_4={"prompts": None}))
    found = {
        "catalogue: models.voyage-4.prompts.query",
        "catalogue: models.voyage-4.prompts.document",
    }
    assert {("prompt-changed", path) for path in found} == kinds_and_paths(seen)


@pytest.mark.parametrize(
    "body",
    ["", "null", "[]", "{}", "7", '{"data": null, "usage": null}', '{"data": [1, null, {}]}']
    + [f'{{"data": [{{"embedding": {value}, "index": 0}}]}}' for value in ("null", "{}", "[true]")]
    + [
        '{"data": [{"embedding": "?", "index": 0}], "usage": {"total_tokens": null}}',
        '{"data": [{"embedding": [], "index": 0}], "model": 3}',
    ],
)
def test_a_probe_survives_whatever_is_answered(faithful: CachingTransport, body: str) -> None:
    """The more a response differs, the more the report matters."""

    def alter(reply: Reply) -> Reply:
        return reply._replace(body=body) if reply.status == 200 else reply

    seen = probe_transport(AlteringTransport(faithful, alter))
    assert seen.differences
