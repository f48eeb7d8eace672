"""The output files of batch jobs hold exactly what the contract says."""

from __future__ import annotations

import pytest
from voyageai_emulator import Emulator
from voyageai_rest.operations import OPERATIONS

from tests.emulator.batch_jobs import Jobs

from .closed_schemas import answers, validator
from .engine import KEY

ANSWERS = answers()
LINE = validator("components/schemas/BatchOutputLine")
OPERATION = {operation.path: operation.id for operation in OPERATIONS}
LONG = "a " * 40_000
# By path: parameters, the body of a line, and one that proves too long only when it runs.
JOBS = {
    "/embeddings": ({"model": "voyage-4", "truncation": False}, {"input": ["a"]}, {"input": LONG}),
    "/contextualizedembeddings": (
        {"model": "voyage-context-4"},
        {"inputs": [["a", "b"]]},
        {"inputs": [[LONG]]},
    ),
    "/rerank": (
        {"model": "rerank-2.5", "truncation": False, "return_documents": True},
        {"query": "a", "documents": ["a"]},
        {"query": "a", "documents": [LONG]},
    ),
}


@pytest.mark.parametrize("path", JOBS)
def test_lines_of_results_are_in_the_contract(emulator: Emulator, path: str) -> None:
    """Programs parse these lines long after the request, when nobody can repeat it."""
    params, body, long = JOBS[path]
    lines = [{"custom_id": "right", "body": body}, {"custom_id": "long", "body": long}]
    with Jobs(emulator.url, KEY) as jobs:
        id = jobs.create(lines, endpoint=f"/v1{path}", request_params=params)["id"]
        assert 0 == emulator.batches.settle(timeout=30)
        ended = jobs.get(f"/batches/{id}")
        ANSWERS["retrieveBatch", 200].validate(ended)
        assert ("completed", 1, 1) == (
            ended["status"],
            ended["request_counts"]["completed"],
            ended["request_counts"]["failed"],
        )
        (right,), (wrong,) = jobs.results(id)
    LINE.validate(right)
    LINE.validate(wrong)
    assert ("right", "long") == (right["custom_id"], wrong["custom_id"])
    ANSWERS[OPERATION[path], 200].validate(right["response"]["body"])
