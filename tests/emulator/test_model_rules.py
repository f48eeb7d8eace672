"""Every rule of the catalogue for a model applies to its requests."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from voyageai_emulator.app import Application
from voyageai_emulator.settings import Settings
from voyageai_rest.catalogue import MODELS

from tests.emulator.contract_client import ContractClient, send
from tests.emulator.test_validation import PARTS, RANK, VALID, recorded

HOSTED = {name: model for name, model in MODELS.items() if model.endpoint}


def words(number: int) -> str:
    """Return a text of so many tokens."""
    return " ".join(["word"] * number)


@pytest.mark.parametrize("name", HOSTED)
def test_every_hosted_model_answers_at_its_endpoint_and_no_other(
    ask: ContractClient, name: str
) -> None:
    """A new model in the catalogue needs nothing else to be served."""
    for path, body in VALID.items():
        if path == f"/{HOSTED[name].endpoint}":
            assert name == ask(path, {**body, "model": name})["model"]
        else:
            reason = ask.refused(path, {**body, "model": name})
            assert reason.startswith(f"Model {name} is not supported. Supported models are ['")


def test_the_models_of_the_endpoint_are_listed(ask: ContractClient) -> None:
    """The list, in the API's words, shows a caller the right name."""
    reason = ask.refused("/multimodalembeddings", {**PARTS, "model": "voyage-3"})
    start, _, _ = recorded("model_not_supported").partition("[")
    names = [name for name, m in MODELS.items() if m.endpoint == "multimodalembeddings"]
    assert f"{start}{names}." == reason


def test_models_come_from_the_catalogue_that_the_server_is_given() -> None:
    """A new model needs no edit here, and a retired one names its replacement."""
    new = attrs.evolve(MODELS["voyage-4"], name="voyage-9", max_request_tokens=5)
    old = attrs.evolve(new, name="voyage-8", lifecycle="retired", replacement="voyage-9")
    app = Application(Settings(models={"voyage-9": new, "voyage-8": old}))

    def post(model: str, text: str) -> tuple[int, Any]:
        response = send(app, "POST", "/embeddings", {"model": model, "input": text})
        return response.status_code, response.json()

    assert 200 == post("voyage-9", words(5))[0]
    assert 400 == post("voyage-9", words(6))[0]
    retired = "Model voyage-8 is retired. Use voyage-9 instead."
    assert (410, {"detail": retired}) == post("voyage-8", "a")
    unknown = "Model voyage-4 is not supported. Supported models are ['voyage-9']."
    assert (400, {"detail": unknown}) == post("voyage-4", "a")


@pytest.mark.parametrize("name", [n for n, m in HOSTED.items() if m.dimensions])
def test_vectors_have_the_dimensions_of_the_model(ask: ContractClient, name: str) -> None:
    """The default and each listed dimension are accepted, and no others."""
    model = HOSTED[name]
    assert model.dimensions is not None
    path = f"/{model.endpoint}"
    body = {**VALID[path], "model": name}

    def length(**options: int) -> int:
        data = ask(path, {**body, **options})["data"][0]
        return len((data["data"][0] if "data" in data else data)["embedding"])

    assert model.dimensions.default == length()
    for dimension in model.dimensions.allowed:
        assert dimension == length(output_dimension=dimension)
    for dimension in (0, -1, 999):
        reason = ask.refused(path, {**body, "output_dimension": dimension})
        assert f"The output dimension {dimension} is not supported." in reason
        assert str(sorted(model.dimensions.allowed)) in reason


def test_a_model_without_a_dtype_refuses_it(ask: ContractClient) -> None:
    """Older models support floats only."""
    reason = ask.refused("/embeddings", {"input": "a", "model": "voyage-2", "output_dtype": "int8"})
    assert (
        "Request to model 'voyage-2' failed. The output data type 'int8' is not supported. "
        "Supported output data types are ['float']."
    ) == reason


def test_a_text_over_the_context_length_is_cut_or_refused(ask: ContractClient) -> None:
    """The message is the one recorded from the API for this model and limit."""
    limit = MODELS["voyage-2"].context_length
    assert limit == 4000
    body = {"input": ["a", words(limit - 1), words(limit)], "model": "voyage-2"}
    answer = ask("/embeddings", body)
    assert 2 + 2 * limit == answer["usage"]["total_tokens"]  # each with a start token
    assert answer["data"][1]["embedding"] == pytest.approx(answer["data"][2]["embedding"], abs=0.05)
    body["input"] = words(limit)
    assert (
        "Request to model 'voyage-2' failed. The example at index 0 in your batch has too many "
        "tokens and does not fit into the model's context window of 4000 tokens. Please lower "
        "the number of tokens in the listed example(s) or use truncation."
    ) == ask.refused("/embeddings", {**body, "truncation": False})


def test_a_request_over_the_token_limit_is_refused(ask: ContractClient) -> None:
    """Clients split their batches on the API's message and code."""
    model = "voyage-code-3"
    limit = MODELS[model].max_request_tokens
    assert limit is not None
    texts = [words(limit // 4)] * 4
    assert limit == ask("/embeddings", {"input": texts, "model": model})["usage"]["total_tokens"]
    answer = ask("/embeddings", {"input": [*texts, "word"], "model": model}, status=400)
    expected = recorded("too_many_tokens").replace("124417", str(limit + 1))
    assert {"detail": expected, "error_code": "TOO_MANY_TOKENS_IN_BATCH"} == answer


def test_the_reranker_counts_the_query_once_per_document(ask: ContractClient) -> None:
    """The documented sum is the query's tokens times documents, plus the documents' own."""
    body = {**RANK, "query": words(3), "documents": [words(5), words(7)]}
    assert 3 * 2 + 5 + 7 == ask("/rerank", body)["usage"]["total_tokens"]


def test_a_query_over_its_limit_is_cut_or_refused(ask: ContractClient) -> None:
    """Rerankers have a separate limit for the query."""
    limit = MODELS["rerank-lite-1"].max_query_tokens
    assert limit is not None
    body = {**RANK, "model": "rerank-lite-1", "query": words(limit)}
    assert limit + 2 == ask("/rerank", body)["usage"]["total_tokens"]  # each with a start token
    reason = ask.refused("/rerank", {**body, "truncation": False})
    assert (
        f"The query has too many tokens and does not fit into the model's limit of {limit}"
        in reason
    )


def test_document_and_query_must_fit_together(ask: ContractClient) -> None:
    """A reranker's context length applies to both together."""
    limit = MODELS["rerank-lite-1"].context_length
    assert limit is not None
    body = {**RANK, "model": "rerank-lite-1", "query": words(10), "documents": [words(limit - 11)]}
    assert limit == ask("/rerank", body)["usage"]["total_tokens"]
    reason = ask.refused("/rerank", {**body, "truncation": False})
    assert "The example at index 0 in your batch has too many tokens" in reason
    body["documents"] = [words(limit - 12)]  # both have a start token
    assert limit == ask("/rerank", {**body, "truncation": False})["usage"]["total_tokens"]


def test_the_reranker_refuses_too_many_tokens_even_with_truncation(ask: ContractClient) -> None:
    """The limit applies to what is left after truncation."""
    limit = MODELS["rerank-1"].max_request_tokens
    assert limit is not None
    body = {"model": "rerank-1", "query": words(300), "documents": ["d"] * 1000}
    answer = ask("/rerank", body, status=400)
    assert (
        f"The max allowed tokens per submitted batch is {limit}. Your batch has" in answer["detail"]
    )
    assert "TOO_MANY_TOKENS_IN_BATCH" == answer["error_code"]
