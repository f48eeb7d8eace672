"""Every fault against every method, both clients, with and without retries, over real sockets.

`embed` is tested with each combination, and other methods with each pair of these values.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Iterator
from itertools import product

import httpx2
import pytest
import voyageai
import voyageai_emulator
from voyageai import error
from voyageai_emulator.faults import FAULTS

from tests.pairwise import pairwise

KEY = "pa-secret-9c41"
# Only the fault without any answer needs a short timeout.
PATIENCE = {"hang": httpx2.Timeout(20.0, read=0.7)}
RIGHT = None
METHODS = {
    "embed": {"texts": ["a b", "c d", "e f"], "model": "voyage-4", "output_dimension": 256},
    "contextualized_embed": {"inputs": [["a", "b"], ["c"]], "model": "voyage-context-4"},
    "multimodal_embed": {"inputs": [["a"], ["b"]], "model": "voyage-multimodal-3.5"},
    "rerank": {"query": "a", "documents": ["a", "b", "c"], "model": "rerank-2.5"},
}
VECTORS = ("embed", "contextualized_embed", "multimodal_embed")

# Fault, its parameters, the result without retries, and whether a retry succeeds.
CASES = [
    ("bad_request", {}, error.InvalidRequestError, False),
    ("unauthorized", {}, error.AuthenticationError, False),
    ("forbidden", {}, error.PermissionDeniedError, False),
    ("not_found", {}, error.NotFoundError, False),
    ("request_timeout", {}, error.APIError, True),
    ("conflict", {}, error.ConflictError, True),
    ("gone", {}, error.ModelRetiredError, False),
    ("too_large", {}, error.APIError, False),
    ("unprocessable", {}, error.MalformedRequestError, False),
    ("rate_limited", {}, error.RateLimitError, True),
    ("rate_limited", {"retry_after": "0"}, error.RateLimitError, True),
    ("rate_limited", {"retry_after": "999"}, error.RateLimitError, False),
    ("rate_limited", {"retry_after_ms": "1"}, error.RateLimitError, True),
    ("rate_limited", {"should_retry": "false"}, error.RateLimitError, False),
    ("bad_request", {"should_retry": "true"}, error.InvalidRequestError, True),
    ("server_error", {}, error.ServerError, True),
    ("bad_gateway", {}, error.ServiceUnavailableError, True),
    ("unavailable", {}, error.ServiceUnavailableError, True),
    ("gateway_timeout", {}, error.ServiceUnavailableError, True),
    ("unknown_error", {}, error.ServiceUnavailableError, True),
    ("overloaded", {}, error.OverloadedError, True),
    ("status", {"status": 501}, error.ServerError, False),
    ("status", {"status": 204}, error.APIError, False),
    ("html", {"status": 502}, error.ServiceUnavailableError, True),
    ("html", {"status": 429}, error.RateLimitError, True),
    ("html", {"status": 200}, error.MalformedResponseError, False),
    ("empty", {"status": 500}, error.ServerError, True),
    ("empty", {"status": 200}, error.MalformedResponseError, False),
    ("json_list", {}, error.MalformedResponseError, False),
    ("detail_list", {}, error.MalformedRequestError, False),
    ("content_type", {}, RIGHT, False),
    ("invalid_utf8", {}, error.MalformedResponseError, False),
    ("cut_json", {}, error.MalformedResponseError, False),
    ("bad_gzip", {}, error.APIConnectionError, True),
    ("huge_header", {"size": 1_000_000}, error.APIConnectionError, True),
    ("redirect", {}, error.APIError, False),
    ("bad_base64", {}, error.MalformedResponseError, False),
    ("wrong_dimension", {}, error.MalformedResponseError, False),
    ("nan", {}, error.MalformedResponseError, False),
    ("missing_index", {}, error.MalformedResponseError, False),
    ("repeated_index", {}, error.MalformedResponseError, False),
    ("wrong_index", {}, error.MalformedResponseError, False),
    ("missing_item", {}, error.MalformedResponseError, False),
    ("extra_item", {}, error.MalformedResponseError, False),
    ("missing_data", {}, error.MalformedResponseError, False),
    ("missing_usage", {}, error.MalformedResponseError, False),
    ("shuffled", {}, RIGHT, False),
    ("extra_fields", {}, RIGHT, False),
    ("other_model", {}, RIGHT, False),
    ("reset_before", {}, error.APIConnectionError, True),
    ("reset_during", {}, error.APIConnectionError, True),
    ("reset_after", {}, RIGHT, False),
    ("close_before", {}, error.APIConnectionError, True),
    ("close_headers", {}, error.APIConnectionError, True),
    ("close_after", {}, RIGHT, False),
    ("truncated", {}, error.APIConnectionError, True),
    ("truncated", {"chunked": True}, error.APIConnectionError, True),
    ("drip", {"size": 4000, "delay": 0.001}, RIGHT, False),
    ("delay", {"seconds": 0.01}, RIGHT, False),
    ("hang", {}, error.Timeout, True),
]
ONLY_VECTORS = {"bad_base64", "wrong_dimension"}
FULL, *REST = METHODS
CIRCUMSTANCES = (CASES, ["Client", "AsyncClient"], [0, 1])
MATRIX = [*product([FULL], *CIRCUMSTANCES), *pairwise(REST, *CIRCUMSTANCES)]


def named(value: object) -> str | None:
    """Return short ids of the cases."""
    if isinstance(value, tuple):
        fault, parameters, *_ = value
        return ",".join([fault, *(f"{key}={item}" for key, item in parameters.items())])
    return None


@pytest.fixture(scope="module")
def emulator() -> Iterator[voyageai_emulator.Emulator]:
    """An emulator for all tests of this module."""
    with voyageai_emulator.running() as found:
        yield found


@pytest.fixture(scope="module")
def right(emulator) -> dict[str, object]:
    """The result of each method without a fault."""
    with voyageai.Client(KEY, base_url=emulator) as vo:
        return {method: getattr(vo, method)(**given) for method, given in METHODS.items()}


def call(kind: str, emulator: str, method: str, retries: int, fault: str) -> object:
    """Make one call with a new client, and close it."""
    policy = voyageai.RetryPolicy(max_retries=retries, initial_delay=0)
    options = {"api_key": KEY, "base_url": emulator, "max_retries": policy}
    options["timeout"] = PATIENCE.get(fault, httpx2.Timeout(20.0))
    if kind == "Client":
        with voyageai.Client(**options) as vo:
            return getattr(vo, method)(**METHODS[method])

    async def run() -> object:
        async with voyageai.AsyncClient(**options) as vo:
            return await getattr(vo, method)(**METHODS[method])

    return asyncio.run(run())


def comparable(result: object) -> object:
    """Return what must be equal: a fault may change the order of a ranking, and nothing else."""
    return sorted(result.results) if hasattr(result, "results") and result.__class__.__name__ == "RerankingObject" else result  # fmt: skip


@pytest.mark.parametrize(("method", "case", "kind", "retries"), MATRIX, ids=named)
def test_each_fault_gives_the_expected_result(emulator, right, method, case, kind, retries):
    """Each call ends in the right result or error, after the right number of requests."""
    fault, parameters, expected, cured = case
    if method not in VECTORS and fault in ONLY_VECTORS:
        expected = RIGHT
    emulator.faults.clear()
    emulator.requests.clear()
    emulator.faults.next(fault, **parameters)
    told, result, failure = "", None, None
    try:
        result = call(kind, emulator, method, retries, fault)
    except error.VoyageError as caught:
        failure = caught
        told = "".join(traceback.format_exception(failure)) + repr(vars(failure))

    if expected is RIGHT or (cured and retries):
        assert failure is None, told
        assert comparable(right[method]) == comparable(result)
    else:
        assert expected is type(failure), told
        assert 1 + (retries if cured else 0) == failure.attempts
    assert 1 + (retries if cured else 0) == len(emulator.requests)
    assert 0 == emulator.connections.settle()
    assert KEY not in told


def test_every_fault_is_in_the_matrix():
    """The matrix must include every fault of the emulator."""
    assert set(FAULTS) == {fault for fault, *_ in CASES}
