"""Answers hold exactly what the contract says, in every form that a request can choose."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from voyageai_emulator import Emulator
from voyageai_rest.catalogue import MODELS, Model
from voyageai_rest.dtypes import DTYPES
from voyageai_rest.operations import OPERATIONS

from tests.pairwise import pairwise

from .closed_schemas import answers
from .engine import KEY

ANSWERS = answers()
OPERATION = {operation.path.strip("/"): operation.id for operation in OPERATIONS}
INPUTS: dict[str, tuple[dict[str, Any], ...]] = {
    "embeddings": (
        {"input": "Where are the keys?"},
        {"input": ["On the table.", " ", "鍵はどこ? 🔑"], "input_type": "document"},
        {"input": ["word " * 20_000], "input_type": "query", "truncation": True},
    ),
    "contextualizedembeddings": (
        {"inputs": [["The river rose.", "It fell in May."], ["Snow came early."]]},
        {"inputs": ["When did it fall?"], "input_type": "query"},
        {
            "inputs": ["The river rose. " * 50],
            "input_type": "document",
            "enable_auto_chunking": True,
            "chunk_size": 32,
            "chunk_overlap": 4,
        },
    ),
    "multimodalembeddings": (
        {"inputs": [{"content": [{"type": "text", "text": "A banana."}]}]},
        {"inputs": [{"content": [{"type": "text", "text": ""}]}], "input_type": "query"},
    ),
    "rerank": (
        {"query": "Where are the keys?", "documents": ["On the table.", "It is raining."]},
        {"query": "", "documents": [" ", "🔑"], "top_k": 1, "return_documents": True},
    ),
}
FORM = ("output_dimension", "output_dtype", "encoding_format")


def requests(model: Model) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Return requests with each pair of a model's inputs, dimensions, dtypes and encodings."""
    inputs = INPUTS[model.endpoint]
    if model.dimensions is None:
        yield from ((body, {}) for body in inputs)
        return
    dimensions = (None, *model.dimensions.allowed)
    dtypes = (None, *(model.dtypes or ()))
    for body, *form in pairwise(inputs, dimensions, dtypes, (None, "base64")):
        yield body, dict(zip(FORM, form, strict=True))


@pytest.fixture(scope="module")
def http(emulator: Emulator) -> Iterator[httpx2.Client]:
    """An HTTP client that sends the API key."""
    headers = {"authorization": f"Bearer {KEY}"}
    with httpx2.Client(base_url=emulator.url, headers=headers, timeout=30) as http:
        yield http


SERVED = [m for m in MODELS.values() if m.endpoint in INPUTS and m.lifecycle != "retired"]


@pytest.mark.parametrize("model", SERVED, ids=lambda model: model.name)
def test_every_form_of_an_answer_is_in_the_contract(http: httpx2.Client, model: Model) -> None:
    """An undocumented field could make programs rely on something that the API does not send."""
    check = ANSWERS[OPERATION[model.endpoint], 200]
    for body, form in requests(model):
        response = http.post(f"/{model.endpoint}", json={**body, **form, "model": model.name})
        assert 200 == response.status_code, response.text[:500]
        answer = response.json()
        check.validate(answer)
        for vector in vectors(answer) if form else ():
            assert form["encoding_format"] == ("base64" if isinstance(vector, str) else None)
            if isinstance(vector, list):
                assert length(model, form) == len(vector)


def vectors(answer: Any) -> Iterator[Any]:
    """Yield every vector of an answer, at any depth."""
    for entry in answer["data"]:
        if "embedding" in entry:
            yield entry["embedding"]
        else:
            yield from vectors(entry)


def length(model: Model, form: dict[str, Any]) -> int:
    """Return the number of elements of a vector."""
    assert model.dimensions is not None
    dimension: int = form["output_dimension"] or model.dimensions.default
    return dimension // DTYPES[form["output_dtype"] or "float"].dimensions_per_number


def test_a_field_that_the_contract_lacks_is_found() -> None:
    """The other tests rely on this check, so it must be able to fail."""
    answer = {"data": [], "usage": {"total_tokens": 1}}
    check = ANSWERS["rerank", 200]
    assert check.is_valid(answer)
    assert not check.is_valid({**answer, "request_id": "1"})
    assert not check.is_valid({**answer, "usage": {"total_tokens": 1, "prompt_tokens": 1}})
