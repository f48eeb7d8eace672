"""Errors of a request have the API's status and message."""

from __future__ import annotations

import copy
import tracemalloc
from typing import Any

import httpx2
import pytest
from voyageai_emulator.app import Application
from voyageai_emulator.contract import Contract
from voyageai_emulator.settings import Settings
from voyageai_rest.operations import OPERATIONS, SERVERS

from tests.emulator.contract_client import DOCUMENT, ContractClient, send

PREAMBLE = (
    "The request body is not valid JSON, or some arguments were not specified properly. "
    "In particular, "
)
MANY = 50_000
MISSING = "Your request body was missing one or more required arguments."
TEXT: dict[str, Any] = {"input": "hello", "model": "voyage-4"}
RANK: dict[str, Any] = {"query": "q", "documents": ["d"], "model": "rerank-2.5"}
CHUNKS: dict[str, Any] = {"inputs": [["a", "b"]], "model": "voyage-context-4"}
PARTS: dict[str, Any] = {
    "inputs": [{"content": [{"type": "text", "text": "a"}]}],
    "model": "voyage-multimodal-3.5",
}
VALID = {
    "/embeddings": TEXT,
    "/contextualizedembeddings": CHUNKS,
    "/multimodalembeddings": PARTS,
    "/rerank": RANK,
}


def recorded(name: str) -> str:
    """Return an example message of the contract."""
    content = DOCUMENT["components"]["responses"]["InvalidRequest"]["content"]
    detail: str = content["application/json"]["examples"][name]["value"]["detail"]
    return detail


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("unknown_argument", {**TEXT, "dimensions": 256}),
        ("missing_arguments", {}),
        ("not_json", b"hello"),
        ("empty_input", {**TEXT, "input": []}),
        ("empty_input", {**TEXT, "input": ""}),
        ("empty_input", {**TEXT, "input": ["a", "", ""]}),
        ("encoding_format", {**TEXT, "encoding_format": "float"}),
        ("not_a_string", {**TEXT, "model": None}),
    ],
)
def test_recorded_messages_are_given_word_for_word(
    ask: ContractClient, name: str, body: Any
) -> None:
    """Code that searches for the API's message must find it here."""
    assert recorded(name) == ask.refused("/embeddings", body)


@pytest.mark.parametrize(
    ("path", "change", "reason"),
    [
        (
            "/embeddings",
            {"input_type": "doc"},
            "Value 'doc' supplied for input_type is not allowed",
        ),
        (
            "/embeddings",
            {"output_dtype": "f4"},
            "Value 'f4' supplied for output_dtype is not allowed",
        ),
        (
            "/embeddings",
            {"truncation": "test"},
            "Error for argument 'truncation': Input should be a valid boolean",
        ),
        (
            "/embeddings",
            {"output_dimension": "512"},
            "Error for argument 'output_dimension': Input should be a valid integer",
        ),
        (
            "/embeddings",
            {"input": ["a", 1]},
            "Error for argument 'input.1': Input should be a valid string",
        ),
        (
            "/embeddings",
            {"input": 1},
            "Error for argument 'input': Input should be a valid list; "
            "Value '1' supplied for argument 'input' is not a valid string",
        ),
        (
            "/contextualizedembeddings",
            {"inputs": [["a"], "b"]},
            "Error for argument 'inputs.1': Input should be a valid list",
        ),
        (
            "/contextualizedembeddings",
            {"chunk_size": 0},
            "Error for argument 'chunk_size': Input should be greater than or equal to 1",
        ),
        (
            "/contextualizedembeddings",
            {"inputs": [[]]},
            "Error for argument 'inputs': "
            "Value error, Input cannot contain empty strings or empty lists",
        ),
        (
            "/multimodalembeddings",
            {"inputs": [{"content": [{"type": "sound"}]}]},
            "Value 'sound' supplied for inputs.0.content.0.type is not allowed",
        ),
        (
            "/multimodalembeddings",
            {"inputs": [{"content": [{"type": "text", "text": "a", "url": "b"}]}]},
            "Argument 'url' is not supported by our API",
        ),
        (
            "/multimodalembeddings",
            {"inputs": [{"content": [{"type": "text"}]}]},
            MISSING,
        ),
        (
            "/multimodalembeddings",
            {"inputs": [{"content": []}]},
            "Error for argument 'inputs': "
            "Value error, Input cannot contain empty strings or empty lists",
        ),
        (
            "/rerank",
            {"documents": "d"},
            "Error for argument 'documents': Input should be a valid list",
        ),
        ("/rerank", {"instruction": "i"}, "Argument 'instruction' is not supported by our API"),
        ("/rerank", {"top_n": 2}, "Argument 'top_n' is not supported by our API"),
        ("/rerank", {"query": 5}, "Value '5' supplied for argument 'query' is not a valid string"),
    ],
)
def test_a_wrong_argument_is_named(
    ask: ContractClient, path: str, change: dict[str, Any], reason: str
) -> None:
    """The caller must know which argument to fix."""
    assert PREAMBLE + reason == ask.refused(path, {**VALID[path], **change})


@pytest.mark.parametrize("path", VALID)
def test_valid_requests_are_answered(ask: ContractClient, path: str) -> None:
    """The invalid requests of other tests have exactly one fault each."""
    assert VALID[path]["model"] == ask(path, VALID[path])["model"]


@pytest.mark.parametrize("path", VALID)
def test_optional_arguments_may_be_null(ask: ContractClient, path: str) -> None:
    """The official client sends null for arguments that its caller omits."""
    schema = Contract(DOCUMENT)._resolved(  # reads the schema as the emulator does
        DOCUMENT["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
    )
    nullable = [
        name
        for name, value in schema["properties"].items()
        if {"type": "null"} in value.get("oneOf", []) or "null" in value.get("type", [])
    ]
    answer = ask(path, {**VALID[path], **dict.fromkeys(nullable)})
    assert ask(path, VALID[path]) == answer


def test_an_empty_document_is_refused_in_the_words_of_the_api(ask: ContractClient) -> None:
    """Other rerankers accept one; white space counts as a document."""
    assert recorded("empty_document") == ask.refused("/rerank", {**RANK, "documents": ["d", ""]})
    assert 1 == len(ask("/rerank", {**RANK, "documents": [" "]})["data"])


@pytest.mark.parametrize("path", [path for path in VALID if path != "/rerank"])
def test_null_is_taken_by_the_hosts_that_the_contract_names(path: str) -> None:
    """The official client sends null, so code that moves to Atlas must omit the argument."""
    schema = Contract(DOCUMENT)._resolved(  # reads the schema as the emulator does
        DOCUMENT["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
    )
    taken = {
        name: node["x-null"] for name, node in schema["properties"].items() if "x-null" in node
    }
    assert {"input_type", "encoding_format"} == taken.keys()
    app = Application(Settings())
    for server in SERVERS:
        key = f"{server.key_prefix or 'pa-'}1"
        body = {**VALID[path], **dict.fromkeys(taken)}
        response = send(app, "POST", path, body, base=server.url, key=key)
        refused = [name for name, hosts in taken.items() if server.name not in hosts]
        said = [f"Value 'None' supplied for argument '{n}' is not a valid string" for n in refused]
        expected = PREAMBLE + "; ".join(sorted(said)) if said else None
        detail = response.json().get("detail")
        found = detail and PREAMBLE + "; ".join(sorted(detail.removeprefix(PREAMBLE).split("; ")))
        assert (server.name, expected) == (server.name, found)


def test_a_host_that_refuses_null_takes_everything_else(ask: ContractClient) -> None:
    """The argument keeps its other values, and their error messages."""
    app = Application(Settings(platform="atlas"))
    body = {**TEXT, "output_dimension": None, "output_dtype": None}
    for more in ({}, {"input_type": "query"}, {"encoding_format": "base64"}):
        response = send(app, "POST", "/embeddings", {**body, **more}, key="al-1")
        assert (200, ask("/embeddings", {**body, **more})) == (
            response.status_code,
            response.json(),
        )
    wrong = {**TEXT, "input_type": "doc"}
    response = send(app, "POST", "/embeddings", wrong, key="al-1")
    assert ask.refused("/embeddings", wrong) == response.json()["detail"]


def test_several_wrong_arguments_are_all_named(ask: ContractClient) -> None:
    """The caller sees everything to fix after one request."""
    reason = ask.refused("/embeddings", {"input": "a", "truncation": 1, "dimensions": 2})
    expected = {
        MISSING,
        "Argument 'dimensions' is not supported by our API",
        "Error for argument 'truncation': Input should be a valid boolean",
    }
    assert expected == set(reason.removeprefix(PREAMBLE).split("; "))


def test_the_position_of_a_json_error_is_reported(ask: ContractClient) -> None:
    """The position shows where the body is broken."""
    body = b'{"input": "hello", "model" "voyage-4"}'
    expected = f"{PREAMBLE}Error for argument '27': JSON decode error"
    assert expected == ask.refused("/embeddings", body)


@pytest.mark.parametrize(
    "body", [b"", b"\xff", b"[" * 100_000, b'{"input": NaN}', b"9" * 5000], ids=lambda b: b[:9]
)
def test_what_python_cannot_decode_is_not_json(ask: ContractClient, body: bytes) -> None:
    """No body may stop the server or be answered with a 500."""
    assert f"{PREAMBLE}Error for argument '0': JSON decode error" == ask.refused(
        "/embeddings", body
    )


def test_a_body_must_be_an_object(ask: ContractClient) -> None:
    """Other JSON values have no arguments to name."""
    expected = f"{PREAMBLE}Error for argument 'body': Input should be a valid dictionary"
    assert expected == ask.refused("/rerank", [])


@pytest.mark.parametrize(
    ("path", "field", "item"),
    [
        ("/embeddings", "input", "a"),
        ("/contextualizedembeddings", "inputs", ["a"]),
        ("/multimodalembeddings", "inputs", PARTS["inputs"][0]),
        ("/rerank", "documents", "a"),
    ],
)
def test_the_largest_list_is_taken_and_one_more_refused(
    ask: ContractClient, path: str, field: str, item: Any
) -> None:
    """A batch that is too large is the most common refusal."""
    most = 1000
    ask(path, {**VALID[path], field: [item] * most})
    model = VALID[path]["model"]
    assert (
        f"Request to model '{model}' failed. The batch size limit is {most}. "
        f"Your batch size is {most + 1}."
    ) == ask.refused(path, {**VALID[path], field: [item] * (most + 1)})


def test_the_body_is_checked_before_the_key(ask: ContractClient) -> None:
    """The API does the same: an invalid body is a 400 even without a key."""
    assert recorded("missing_arguments") == ask.refused("/embeddings", {}, key=None)
    assert "Unauthorized" == ask.refused("/embeddings", TEXT, key=None, status=401)


@pytest.mark.parametrize("header", ["", "Bearer", "Basic a2V5", "key"])
def test_a_header_without_a_bearer_key_is_unauthorized(url: str, header: str) -> None:
    """Any key is accepted, but it must be sent as clients do."""
    response = httpx2.post(f"{url}/embeddings", json=TEXT, headers={"authorization": header})
    assert (401, {"detail": "Unauthorized"}) == (response.status_code, response.json())


def test_paths_and_methods_are_those_of_the_contract(url: str, ask: ContractClient) -> None:
    """A path that the API lacks must not seem to work here."""
    unrouted = ask.http.get("/no-such-path")
    assert (404, {"detail": "Not Found"}) == (unrouted.status_code, unrouted.json())
    misused = ask.http.get("/embeddings")
    assert (405, {"detail": "Method Not Allowed"}) == (misused.status_code, misused.json())
    assert "POST" == misused.headers["allow"]


def test_every_operation_of_the_contract_is_routed() -> None:
    """The emulator and the generated client must have the same operations."""
    expected = {(o.id, o.method, o.path) for o in OPERATIONS}
    assert expected == {(o.id, o.method, o.path) for o in Contract(DOCUMENT).operations}


def test_what_is_added_to_the_contract_is_checked_without_an_edit() -> None:
    """A new operation or field in the spec needs no change of the emulator."""
    document = copy.deepcopy(DOCUMENT)
    schemas = document["components"]["schemas"]
    schemas["EmbeddingsRequest"]["properties"]["strength"] = {"type": "integer", "maximum": 3}
    path, method = "/things/{id}/weigh", "put"
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Weighing"}}}
    schemas["Weighing"] = {
        "type": "object",
        "required": ["scale"],
        "properties": {"scale": {"enum": ["fine"]}},
        "additionalProperties": False,
    }
    document["paths"][path] = {
        method: {"operationId": "weigh", "requestBody": {"content": content}, "responses": {}}
    }
    app = Application(Settings(document=document))
    response = send(app, "PUT", "/things/7/weigh", {"scale": "coarse"})
    said = PREAMBLE + "Value 'coarse' supplied for scale is not allowed"
    assert (400, said) == (response.status_code, response.json()["detail"])
    response = send(app, "POST", "/embeddings", {**TEXT, "strength": 4})
    said = PREAMBLE + "Error for argument 'strength': Input should be less than or equal to 3"
    assert (400, said) == (response.status_code, response.json()["detail"])


@pytest.mark.parametrize(
    ("schema", "value", "reason"),
    [
        ({"type": "array", "minItems": 2}, ["a"], "List should have at least 2 items"),
        (
            {"type": "array", "minItems": 2},
            [],
            "Value error, Input cannot contain empty strings or empty lists",
        ),
        ({"type": "string", "minLength": 3}, "ab", "String should have at least 3 characters"),
    ],
)
def test_what_is_too_short_is_not_called_empty(
    schema: dict[str, Any], value: Any, reason: str
) -> None:
    """The recorded message is for empty values only."""
    document = copy.deepcopy(DOCUMENT)
    fields = document["components"]["schemas"]["EmbeddingsRequest"]["properties"]
    fields["weights"] = schema
    response = send(
        Application(Settings(document=document)), "POST", "/embeddings", {**TEXT, "weights": value}
    )
    expected = f"{PREAMBLE}Error for argument 'weights': {reason}"
    assert (400, expected) == (response.status_code, response.json()["detail"])


@pytest.mark.parametrize("depth", [300, 900])
def test_nesting_beyond_what_a_validator_takes_is_no_json(ask: ContractClient, depth: int) -> None:
    """Python can decode a body that is too deep for the validator."""
    body = b'{"model": "voyage-4", "input": %b}' % (b"[" * depth + b"]" * depth)
    assert f"{PREAMBLE}Error for argument '0': JSON decode error" == ask.refused(
        "/embeddings", body
    )


@pytest.mark.parametrize(
    ("path", "change", "reason"),
    [
        (
            "/embeddings",
            {"input": [1] * MANY},
            "Request to model 'voyage-4' failed. The batch size limit is 1000. "
            "Your batch size is 50000.",
        ),
        (
            "/embeddings",
            {f"a{number}": 1 for number in range(MANY)},
            PREAMBLE
            + "; ".join(
                f"Argument 'a{number}' is not supported by our API" for number in range(10)
            ),
        ),
        (
            "/multimodalembeddings",
            {"inputs": [{"content": [{"type": "sound"}] * MANY}]},
            PREAMBLE
            + "; ".join(
                f"Value 'sound' supplied for inputs.0.content.{number}.type is not allowed"
                for number in range(10)
            ),
        ),
        (
            "/contextualizedembeddings",
            {"inputs": [["a"] * MANY + [""]]},
            f"{PREAMBLE}Value error, one of many values is not allowed",
        ),
        (
            "/embeddings",
            {"input_type": "x" * MANY},
            f"{PREAMBLE}Value '{'x' * 300}' supplied for input_type is not allowed",
        ),
    ],
)
def test_a_small_body_with_many_errors_takes_little_memory(
    path: str, change: dict[str, Any], reason: str
) -> None:
    """The validator allocates an object per wrong value, so the number it checks is limited."""
    app = Application(Settings())
    tracemalloc.start()
    try:
        response = send(app, "POST", path, {**VALID[path], **change})
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (400, reason) == (response.status_code, response.json()["detail"])
    assert peak < 25_000_000  # bytes
