"""The exact request of a set of calls, as text. Run as a module it prints it."""

from __future__ import annotations

import asyncio
import io
import json
import re
from collections.abc import Callable
from importlib import import_module
from typing import Any

import httpx2
import voyageai
from voyageai_rest.client import Client as RestClient
from voyageai_rest.operations import OPERATIONS
from voyageai_rest.types import File

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
PARAMETERS = {
    "file_id": "file-1", "batch_id": "batch-1", "purpose": "batch", "limit": 2, "order": "asc",
    "after": "file-0",
}  # fmt: skip
# Not the business of these snapshots: secrets, versions, and what follows from the rest.
LEFT_OUT = {
    "authorization",
    "user-agent",
    "content-length",
    "host",
    "connection",
    "accept-encoding",
}


def record() -> str:
    """All calls, one paragraph each.

    Raises:
        AssertionError: The blocking and the asynchronous client do not send the same.
    """
    paragraphs = []
    for method, arguments in OVERLAY_CALLS:
        sync, asynchronous = _overlay(method, arguments), _overlay_async(method, arguments)
        assert sync == asynchronous, method
        paragraphs.append(f"voyageai {method}\n{sync}")
    for operation in OPERATIONS:
        module = import_module(f"voyageai_rest.api.{operation.module}")
        arguments = _arguments(module)
        sync, asynchronous = _rest(module, arguments), _rest_async(module, arguments)
        assert sync == asynchronous, operation.id
        paragraphs.append(f"voyageai_rest {operation.id}\n{sync}")
    return "\n\n".join(paragraphs) + "\n"


class Seen(Exception):
    """Carries a request out of a client."""


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


def _rest(module: Any, arguments: dict[str, Any]) -> str:
    with RestClient(api_key="k", httpx_args={"transport": httpx2.MockTransport(_catch)}) as client:
        return _seen(lambda: module.send(client=client, **arguments))


def _rest_async(module: Any, arguments: dict[str, Any]) -> str:
    client = RestClient(api_key="k", httpx_args={"transport": httpx2.MockTransport(_catch)})
    return _seen(lambda: asyncio.run(module.send_async(client=client, **arguments)))


def _arguments(module: Any) -> dict[str, Any]:
    """Arguments for an operation: the first example of its body, and a value per parameter."""
    import inspect

    from voyageai_rest import models, spec

    arguments = {}
    for name, parameter in inspect.signature(module.build_request).parameters.items():
        if name != "body":
            arguments[name] = PARAMETERS[name]
        elif parameter.annotation == "UploadFileRequest":
            content = File(io.BytesIO(b'{"custom_id": "1"}\n').read(), "texts.jsonl")
            arguments[name] = models.UploadFileRequest(file=content, purpose="batch")
        else:
            schema = spec.load()["components"]["schemas"][parameter.annotation]
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
