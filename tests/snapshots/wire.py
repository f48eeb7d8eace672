"""The exact request of a set of calls, as text. Run as a module it prints it."""

from __future__ import annotations

import asyncio
import io
import json
import re
from collections.abc import Callable
from functools import partial
from importlib import import_module
from operator import attrgetter
from typing import Any

import httpx2
import voyageai
from voyageai.admin import Admin, AsyncAdmin
from voyageai_rest.types import File

from generator import contract, spec

CONTENT = [
    "a cat",
    {"type": "image_url", "image_url": "https://example.com/cat.png"},
    {"type": "video_base64", "video_base64": "data:video/mp4;base64,AAAA"},
]
OVERLAY_CALLS: list[tuple[str, dict[str, Any]]] = [
    ("embed", {"texts": ["a", "b"], "model": "voyage-4"}),
    ("embed", {"texts": "a", "model": "voyage-4", "input_type": "query", "truncation": False,
               "output_dtype": "int8", "output_dimension": 256}),
    ("embed_query", {"text": "a", "model": "voyage-4"}),
    ("embed_documents", {"texts": ["a"], "model": "voyage-4"}),
    ("contextualized_embed", {"inputs": [["a", "b"], ["c"]], "model": "voyage-context-4"}),
    ("contextualized_embed", {"inputs": ["a b"], "model": "voyage-context-4",
                              "input_type": "document", "enable_auto_chunking": True,
                              "chunk_size": 64, "chunk_overlap": 8}),
    ("multimodal_embed", {"inputs": [CONTENT], "model": "voyage-multimodal-3.5"}),
    ("rerank", {"query": "q", "documents": ["a", "b"], "model": "rerank-2.5", "top_k": 1}),
]  # fmt: skip
PROJECT, ORGANIZATION = "65f0a1b2c3d4e5f6a7b8c9d0", "5f0e1d2c3b4a596877665544"
OF = {"project": PROJECT}
ADMIN_CALLS: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("keys.list", (), OF),
    ("keys.list", (), {"organization": ORGANIZATION, "page_size": 5}),
    ("keys.get", ("key-1",), OF),
    ("keys.create", ("search",), {**OF, "geography": "EU"}),
    ("keys.rename", ("key-1", "search"), OF),
    ("keys.delete", ("key-1",), OF),
    ("rate_limits.list", (), OF),
    ("rate_limits.get", ("embed_large",), {"organization": ORGANIZATION}),
    ("rate_limits.set", ("embed_large",), {**OF, "rpm": 3, "tpm": 1000}),
    ("rate_limits.reset", ("embed_large",), OF),
    ("rate_limits.reset_all", (), OF),
]
PARAMETERS = {
    "file_id": "file-1", "batch_id": "batch-1", "purpose": "batch", "limit": 2, "order": "asc",
    "after": "file-0", "group_id": PROJECT, "org_id": ORGANIZATION, "api_key_id": "key-1",
    "cloud": "ANY", "geography": "ANY", "model_group_name": "embed_large", "items_per_page": 5,
    "page_num": 2,
}  # fmt: skip
# Not recorded: secrets, versions, and headers that follow from the rest.
LEFT_OUT = {
    "authorization",
    "user-agent",
    "content-length",
    "host",
    "connection",
    "accept-encoding",
}


def record() -> str:
    """Return the requests of all calls, one paragraph each.

    Raises:
        AssertionError: The blocking and the asynchronous client do not send the same.
    """
    paragraphs = []
    for method, arguments in OVERLAY_CALLS:
        sync, asynchronous = _overlay(method, arguments), _overlay_async(method, arguments)
        assert sync == asynchronous, method
        paragraphs.append(f"voyageai {method}\n{sync}")
    for name, values, arguments in ADMIN_CALLS:
        sync, asynchronous = (call(name, values, arguments) for call in (_admin, _admin_async))
        assert sync == asynchronous, name
        paragraphs.append(f"voyageai.admin {name}\n{sync}")
    for entry in spec.contracts():
        document = spec.load(entry.document)
        for operation in import_module(f"{entry.package}.operations").OPERATIONS:
            module = import_module(f"{entry.package}.api.{operation.module}")
            arguments = _arguments(module, entry.package, document)
            client = import_module(f"{entry.package}.client").Client
            bearer = contract.security(document)["bearer"]
            key = {"api_key": "k"} if bearer else {"auth": httpx2.DigestAuth("p", "k")}
            made = partial(client, **key, httpx_args={"transport": httpx2.MockTransport(_catch)})
            sync, asynchronous = (
                _rest(made, module, arguments),
                _rest_async(made, module, arguments),
            )
            assert sync == asynchronous, operation.id
            paragraphs.append(f"{entry.package} {operation.id}\n{sync}")
    return "\n\n".join(paragraphs) + "\n"


class Seen(Exception):
    """An exception that carries the request out of a client."""


def _catch(request: httpx2.Request) -> httpx2.Response:
    raise Seen(_described(request))


def _seen(send: Callable[[], object]) -> str:
    try:
        send()
    except Seen as seen:
        return str(seen)
    raise AssertionError("nothing was sent")


def _overlay(method: str, arguments: dict[str, Any]) -> str:
    client = voyageai.Client("k", base_url="voyage", transport=httpx2.MockTransport(_catch))
    return _seen(lambda: getattr(client, method)(**arguments))


def _overlay_async(method: str, arguments: dict[str, Any]) -> str:
    client = voyageai.AsyncClient("k", base_url="voyage", transport=httpx2.MockTransport(_catch))
    return _seen(lambda: asyncio.run(getattr(client, method)(**arguments)))


def _admin(name: str, values: tuple[Any, ...], arguments: dict[str, Any]) -> str:
    transport = httpx2.MockTransport(_catch)
    with Admin(public_key="p", private_key="k", transport=transport) as admin:
        return _seen(lambda: _first(attrgetter(name)(admin)(*values, **arguments)))


def _admin_async(name: str, values: tuple[Any, ...], arguments: dict[str, Any]) -> str:
    async def call() -> None:
        transport = httpx2.MockTransport(_catch)
        async with AsyncAdmin(public_key="p", private_key="k", transport=transport) as admin:
            await _first(attrgetter(name)(admin)(*values, **arguments))

    return _seen(lambda: asyncio.run(call()))


def _first(answer: Any) -> Any:
    """Load the first page of a list."""
    return answer.page(1) if hasattr(answer, "page") else answer


def _rest(made: Callable[[], Any], module: Any, arguments: dict[str, Any]) -> str:
    with made() as client:
        return _seen(lambda: module.send(client=client, **arguments))


def _rest_async(made: Callable[[], Any], module: Any, arguments: dict[str, Any]) -> str:
    client = made()
    return _seen(lambda: asyncio.run(module.send_async(client=client, **arguments)))


def _arguments(module: Any, package: str, document: dict[str, Any]) -> dict[str, Any]:
    """Return arguments for an operation: the first example of its body, a value per parameter."""
    import inspect

    models: Any = import_module(f"{package}.models")
    arguments = {}
    for name, parameter in inspect.signature(module.build_request).parameters.items():
        if name != "body":
            arguments[name] = PARAMETERS[name]
        elif parameter.annotation == "UploadFileRequest":
            content = File(io.BytesIO(b'{"custom_id": "1"}\n').read(), "texts.jsonl")
            arguments[name] = models.UploadFileRequest(file=content, purpose="batch")
        else:
            schema = document["components"]["schemas"][parameter.annotation]
            kind = getattr(models, parameter.annotation)
            arguments[name] = kind.from_dict(schema["examples"][0])
    return arguments


def _described(request: httpx2.Request) -> str:
    headers = {
        name.lower(): value
        for name, value in request.headers.items()
        if name.lower() not in LEFT_OUT
    }
    content = request.read()
    if boundary := re.search("boundary=(.+)", headers.get("content-type", "")):
        content = content.replace(boundary[1].encode(), b"BOUNDARY").replace(b"\r\n", b"\n")
        headers["content-type"] = headers["content-type"].replace(boundary[1], "BOUNDARY")
    lines = [f"{request.method} {request.url}"]
    lines += [f"{name}: {value}" for name, value in sorted(headers.items())]
    if content[:1] in (b"{", b"["):
        lines.append(json.dumps(json.loads(content), ensure_ascii=False))
    elif content:
        lines.append(content.decode())
    return "\n".join(lines)


if __name__ == "__main__":
    print(record(), end="")
