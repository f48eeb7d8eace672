"""Requests as the server receives them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import httpx2
import pytest
from voyageai_rest import Client
from voyageai_rest.api.embeddings import create_embeddings
from voyageai_rest.api.files import delete_file, list_files, retrieve_file_content
from voyageai_rest.models import EmbeddingsRequest
from voyageai_rest.operations import SERVERS, Operation
from voyageai_rest.types import UNSET, Request

ModuleOf = Callable[[Operation], ModuleType]
Sent = list[httpx2.Request]


def client_for(sent: Sent, answer: httpx2.Response, **options: Any) -> Client:
    """Return a client that appends its requests to a list."""

    def handler(request: httpx2.Request) -> httpx2.Response:
        request.read()
        sent.append(request)
        return httpx2.Response(answer.status_code, content=answer.content, headers=answer.headers)

    async def handler_async(request: httpx2.Request) -> httpx2.Response:
        await request.aread()
        sent.append(request)
        return httpx2.Response(answer.status_code, content=answer.content, headers=answer.headers)

    client = Client(api_key="pa-secret", **options)
    client.httpx_args["transport"] = _Both(
        httpx2.MockTransport(handler), httpx2.MockTransport(handler_async)
    )
    return client


class _Both(httpx2.BaseTransport, httpx2.AsyncBaseTransport):
    def __init__(self, plain: httpx2.MockTransport, waiting: httpx2.MockTransport) -> None:
        self.handle_request = plain.handle_request  # type: ignore[method-assign]  # that is all
        self.handle_async_request = waiting.handle_async_request  # type: ignore[method-assign]  # ditto


def answer_of(operation: Operation, contract: Any) -> httpx2.Response:
    schema = contract.answer(operation)
    headers = {"x-request-id": "r-1"}
    if schema is None:
        return httpx2.Response(200, content=b'{"custom_id": "a"}\n', headers=headers)
    return httpx2.Response(200, json=contract.example(schema), headers=headers)


def wire(request: httpx2.Request) -> tuple[Any, ...]:
    """Return everything that is sent, with the random multipart boundary replaced."""
    kind = request.headers.get("content-type", "")
    boundary = kind.partition("boundary=")[2]
    headers = [
        (name, value.replace(boundary, "BOUNDARY") if boundary else value)
        for name, value in request.headers.multi_items()
    ]
    content = request.content
    if boundary:
        content = content.replace(boundary.encode(), b"BOUNDARY")
    return request.method, str(request.url), headers, content, request.extensions["timeout"]


async def send_async(client: Client, module: ModuleType, arguments: dict[str, Any]) -> Any:
    async with client:
        return await module.send_async(client=client, **arguments)


def test_both_ways_send_the_same(
    operation: Operation, module_of: ModuleOf, arguments_of: Any, contract: Any
) -> None:
    """Users can switch between blocking and asynchronous calls without other effects."""
    sent: Sent = []
    answer = answer_of(operation, contract)
    module, arguments = module_of(operation), arguments_of(operation)
    with client_for(sent, answer) as client:
        plain = module.send(client=client, **arguments)
    waited = asyncio.run(send_async(client_for(sent, answer), module, arguments))
    assert wire(sent[0]) == wire(sent[1])
    assert plain.parsed == waited.parsed
    assert (200, "r-1") == (plain.status_code, plain.request_id)
    assert (200, "r-1") == (waited.status_code, waited.request_id)


def test_requests_are_what_the_contract_says(
    operation: Operation, module_of: ModuleOf, arguments_of: Any, contract: Any
) -> None:
    """Method, path, key and kind of body are those that the server expects."""
    sent: Sent = []
    with client_for(sent, answer_of(operation, contract)) as client:
        module_of(operation).send(client=client, **arguments_of(operation))
    request = sent[0]
    segments = ["a%2Fb%3Fc%20%23d%252e" if "{" in s else s for s in operation.path.split("/")]
    assert operation.method == request.method
    path = request.url.raw_path.decode().partition("?")[0]
    assert "/v1" + "/".join(segments) == path
    assert ["Bearer pa-secret"] == request.headers.get_list("authorization")
    described = contract.document["paths"][operation.path][operation.method.lower()]
    content = described.get("requestBody", {}).get("content", {})
    expected = next(iter(content), None)
    assert expected == (request.headers.get("content-type", "").partition(";")[0] or None)
    if expected == "application/json":
        assert contract.example(operation.request) == json.loads(request.content)
    elif expected is None:
        assert b"" == request.content


def test_the_body_is_read_into_the_model(
    operation: Operation, module_of: ModuleOf, arguments_of: Any, contract: Any, model_of: Any
) -> None:
    """The example of a response becomes a model of its schema."""
    answer = answer_of(operation, contract)
    with client_for([], answer) as client:
        parsed = module_of(operation).send(client=client, **arguments_of(operation)).parsed
    schema = contract.answer(operation)
    expected = answer.content if schema is None else model_of(schema).from_dict(answer.json())
    assert expected == parsed
    assert schema is None or type(parsed).__name__ == schema


def test_building_a_request_is_pure(
    operation: Operation, module_of: ModuleOf, arguments_of: Any
) -> None:
    """The same arguments give the same request, which contains neither host nor key."""
    module = module_of(operation)
    arguments = arguments_of(operation)
    first, second = (module.build_request(**arguments) for _ in range(2))
    assert first == second
    assert (operation.method, module.__name__.rsplit(".", 1)[-1]) == (first.method, first.operation)


@pytest.mark.parametrize("file_id", ["", ".", ".."])
def test_a_path_that_would_be_another_is_refused(file_id: str) -> None:
    """Deleting a file with an empty id must not become a request to delete all files."""
    with pytest.raises(ValueError, match="can't be a segment of a path"):
        delete_file.build_request(file_id=file_id)


@pytest.mark.parametrize("file_id", ["../batches", "a/../b", "%2e%2e", "a?limit=1", "ä", "a b"])
def test_a_path_parameter_stays_one_segment(file_id: str) -> None:
    """No id can lead to another path."""
    sent: Sent = []
    with client_for(sent, httpx2.Response(200, content=b"x")) as client:
        retrieve_file_content.send(client=client, file_id=file_id)
    url = httpx2.URL(sent[0].url)
    segments = url.raw_path.decode().split("/")
    assert ["", "v1", "files"] == segments[:3]
    assert ["content"] == segments[4:]
    assert file_id == url.path.removeprefix("/v1/files/").removesuffix("/content")
    assert b"" == url.query


def test_query_parameters_are_sent_as_given() -> None:
    """Parameters that are not given are not sent, whatever the server's default."""
    sent: Sent = []
    answer = httpx2.Response(200, json={"data": []})
    with client_for(sent, answer) as client:
        list_files.send(client=client)
        list_files.send(client=client, limit=7, order="asc", after="a&b=c")
    assert {} == dict(sent[0].url.params)
    assert "https://api.voyageai.com/v1/files" == str(sent[0].url)
    assert {"limit": "7", "order": "asc", "after": "a&b=c"} == dict(sent[1].url.params)


@pytest.mark.parametrize("slash", ["", "/", "//"])
def test_the_base_url_may_end_with_a_slash(slash: str) -> None:
    """Users paste a URL with or without a slash."""
    sent: Sent = []
    answer = httpx2.Response(200, json={"data": []})
    with client_for(sent, answer, base_url=f"http://127.0.0.1:9/v1{slash}") as client:
        list_files.send(client=client)
    assert "http://127.0.0.1:9/v1/files" == str(sent[0].url)


def test_the_first_host_is_the_default() -> None:
    """A client without a base URL calls the contract's first host."""
    assert SERVERS[0].url == Client(api_key="t").base_url


def test_there_is_a_finite_timeout() -> None:
    """A server that never answers must not block a program forever."""
    sent: Sent = []
    with client_for(sent, httpx2.Response(200, json={"data": []})) as client:
        list_files.send(client=client)
    expected = {"connect": 5.0, "read": 60.0, "write": 60.0, "pool": 60.0}
    assert expected == sent[0].extensions["timeout"]


def test_the_timeout_can_be_set() -> None:
    """Users can set one number for all phases."""
    sent: Sent = []
    with client_for(sent, httpx2.Response(200, json={"data": []}), timeout=2.5) as client:
        list_files.send(client=client)
    assert dict.fromkeys(("connect", "read", "write", "pool"), 2.5) == sent[0].extensions["timeout"]


def test_further_headers_are_sent_but_do_not_replace_the_key() -> None:
    """A caller's header can't replace the client's key by accident."""
    sent: Sent = []
    headers = {"X-Trace": "1", "Authorization": "Basic x"}
    with client_for(sent, httpx2.Response(200, json={"data": []}), headers=headers) as client:
        list_files.send(client=client)
    assert "1" == sent[0].headers["x-trace"]
    assert ["Bearer pa-secret"] == sent[0].headers.get_list("authorization")


def test_an_empty_body_is_sent() -> None:
    """Only UNSET means no body, and an empty dict is a body."""
    sent: Sent = []
    with client_for(sent, httpx2.Response(200)) as client:
        for body in ({}, [], False, 0, UNSET):
            client.send(Request(operation="a", method="POST", path="/a", json=body))
    assert [b"{}", b"[]", b"false", b"0", b""] == [request.content for request in sent]


def test_one_pool_serves_all_requests() -> None:
    """Opening a connection costs more than most responses."""
    client = client_for([], httpx2.Response(200, json={"data": []}))
    with client:
        list_files.send(client=client)
        first = client._sync
        list_files.send(client=client)
        assert first is client._sync
        assert first is not None
    assert first.is_closed


def test_a_closed_client_can_be_used_again() -> None:
    """Closing frees connections without making the client unusable."""
    client = client_for([], httpx2.Response(200, json={"data": []}))
    for _ in range(2):
        with client:
            assert [] == list_files.send(client=client).parsed.data


def test_closing_twice_or_unused_does_nothing() -> None:
    """Programs can close in every `finally`."""
    client = Client(api_key="t")
    client.close()
    client.close()
    asyncio.run(client.aclose())
    assert client == Client(api_key="t")


def test_texts_of_any_script_are_sent_as_utf8() -> None:
    """No character is lost or escaped on the way."""
    sent: Sent = []
    text = "ä 漢字 🦆 \x00"
    answer = {"data": [], "usage": {"total_tokens": 1}}
    with client_for(sent, httpx2.Response(200, json=answer)) as client:
        create_embeddings.send(client=client, body=EmbeddingsRequest(input=text, model="m"))
    assert {"input": text, "model": "m"} == json.loads(sent[0].content)
