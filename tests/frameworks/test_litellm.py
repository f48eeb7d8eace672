"""LiteLLM's proxy, as installed from its package, between a client and the emulator."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import voyageai
from voyageai.deployments import Gateway
from voyageai.error import InvalidRequestError
from voyageai_emulator import Emulator, running

KEY = "sk-of-the-proxy"
PATIENCE = 180.0
MODELS = ("voyage-4", "rerank-2.5")


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    """Run the emulator behind the proxy."""
    with running() as found:
        yield found


@pytest.fixture(scope="module")
def proxy(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run the proxy in a process of its own; return its base URL."""
    folder = tmp_path_factory.mktemp("proxy")
    config = {
        "model_list": [
            {
                "model_name": name,
                "litellm_params": {
                    "model": f"voyage/{name}",
                    "api_key": "any",
                    "api_base": emulator,
                },
            }
            for name in MODELS
        ]
    }
    Path(folder, "config.yaml").write_text(json.dumps(config), encoding="utf-8")  # JSON is YAML
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [Path(sys.executable).parent / "litellm", "--config", folder / "config.yaml"]
    with (
        Path(folder, "log").open("wb") as log,
        subprocess.Popen(
            [*map(str, command), "--host", "127.0.0.1", "--port", str(port)],
            # No list of prices is fetched, and nothing is kept at home.
            env={
                **os.environ,
                "LITELLM_MASTER_KEY": KEY,
                "LITELLM_LOCAL_MODEL_COST_MAP": "True",
                "HOME": str(folder),
            },
            stdout=log,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            url = f"http://127.0.0.1:{port}"
            _wait(f"{url}/health/liveliness", process)
            yield f"{url}/v1"
        finally:
            process.terminate()


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    """Wait until a URL answers."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        assert process.poll() is None, "the proxy has ended"
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    raise AssertionError(f"{url} does not answer")


@pytest.fixture(params=["Client", "AsyncClient"])
def call(request: pytest.FixtureRequest, proxy: str) -> Any:
    """Return a function that calls a method of either client through the proxy."""

    def called(method: str, *args: Any, **kwargs: Any) -> Any:
        client = getattr(voyageai, request.param)(KEY, deployment=Gateway(proxy, dialect="litellm"))

        async def awaited() -> Any:
            async with client:
                return await getattr(client, method)(*args, **kwargs)

        if request.param == "AsyncClient":
            return asyncio.run(awaited())
        with client:
            return getattr(client, method)(*args, **kwargs)

    return called


def test_texts_are_embedded_through_the_proxy(call, emulator):
    """The proxy passes dimension, dtype and input type on, and returns the vectors unchanged."""
    with voyageai.Client("any", base_url=emulator) as vo:
        expected = vo.embed(
            ["a", "b"], "voyage-4", "query", output_dimension=256, output_dtype="int8"
        )
    result = call(
        "embed", ["a", "b"], "voyage-4", "query", output_dimension=256, output_dtype="int8"
    )

    asked = emulator.requests.last.model
    assert ("query", 256, "int8") == (asked.input_type, asked.output_dimension, asked.output_dtype)
    assert expected.embeddings == result.embeddings
    assert expected.total_tokens == result.total_tokens


def test_documents_are_ranked_through_the_proxy(call, emulator):
    """The proxy ranks in Cohere's response format, and users get the same result."""
    documents = ["It rains.", "The keys are on the table."]
    with voyageai.Client("any", base_url=emulator) as vo:
        expected = vo.rerank("Where are the keys?", documents, "rerank-2.5", top_k=1)
    result = call("rerank", "Where are the keys?", documents, "rerank-2.5", top_k=1)

    assert expected.results == result.results
    assert expected.total_tokens == result.total_tokens


def test_an_error_of_the_model_comes_through_the_proxy(call):
    """The proxy wraps errors in a format of its own, and users catch the same exceptions."""
    with pytest.raises(InvalidRequestError, match="output dimension 7 is not supported"):
        call("embed", ["a"], "voyage-4", extra_body={"dimensions": 7})
