"""Probe an emulator that differs from the contract, or whose responses are altered."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from functools import cache
from typing import Any, NamedTuple

import httpx2
from attrs import evolve
from voyageai_emulator.inprocess import in_this_process
from voyageai_emulator.settings import Settings
from voyageai_rest import spec
from voyageai_rest.catalogue import MODELS

from generator.drift.live.command import ProbeReport, probe
from generator.drift.live.host import HostContract, read_contract
from generator.drift.live.plan import PlannedRequest, load_table, plan
from generator.drift.live.probe import Prober

KEY = "pa-the-key-of-this-test"


class Reply(NamedTuple):
    """A response that can be altered before the probe receives it."""

    path: str
    status: int
    headers: dict[str, str]
    body: Any


Alter = Callable[[Reply], Reply]


class CachingTransport(httpx2.BaseTransport):
    """A transport that sends equal requests only once, for hosts whose responses never change."""

    def __init__(self, transport: httpx2.BaseTransport) -> None:
        self._transport = transport
        self._known: dict[tuple[Any, ...], tuple[int, httpx2.Headers, bytes]] = {}

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        key = (request.method, request.url, request.headers.get("authorization"), request.read())
        if key not in self._known:
            response = self._transport.handle_request(request)
            self._known[key] = (response.status_code, response.headers, response.read())
        status, headers, content = self._known[key]
        return httpx2.Response(status, headers=headers, content=content)


class AlteringTransport(httpx2.BaseTransport):
    """A transport that alters responses."""

    def __init__(self, transport: httpx2.BaseTransport, alter: Alter) -> None:
        self._transport = transport
        self._alter = alter

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        response = self._transport.handle_request(request)
        text = response.read().decode()
        reply = Reply(
            request.url.path.removeprefix("/v1"),
            response.status_code,
            {k: v for k, v in response.headers.items() if k != "content-length"},
            json.loads(text) if text.startswith("{") else text,
        )
        _, status, headers, body = self._alter(reply)
        content = body if isinstance(body, str) else json.dumps(body)
        return httpx2.Response(status, headers=headers, content=content)


@cache
def contract() -> HostContract:
    """Return the contract for a host that it does not list."""
    return read_contract("http://127.0.0.1/v1", KEY)[0]


@cache
def planned(*wanted: str) -> list[PlannedRequest]:
    """Return the requests that a probe of such a host sends."""
    return plan(load_table(), contract(), wanted)


def probe_transport(transport: httpx2.BaseTransport, *wanted: str) -> ProbeReport:
    """Probe the host behind a transport."""
    slept: list[float] = []
    with httpx2.Client(base_url="http://host/v1", transport=transport) as http:
        prober = Prober(http, KEY, "pa-nobodys", load_table(), sleep=slept.append)
        return probe(prober, load_table(), contract(), planned(*wanted))


def probe_emulator(**settings: Any) -> ProbeReport:
    """Probe an emulator with settings."""
    with in_this_process(Settings(api_key=KEY, **settings)) as emulator:
        return probe_transport(emulator.transport)


def kinds_and_paths(seen: ProbeReport) -> set[tuple[str, str]]:
    """Return kind and path of every difference."""
    return {(difference.kind, difference.path) for difference in seen.differences}


def models(**changes: Any) -> dict[str, Any]:
    """Return the catalogue's models with changed values; a value None removes the model.

    In names of models, `_` stands for `-` and `__` for a dot.
    """
    served = dict(MODELS)
    for identifier, change in changes.items():
        name = identifier.replace("__", ".").replace("_", "-")
        if change is None:
            del served[name]
        else:
            served[name] = evolve(served.get(name, served["voyage-4"]), name=name, **change)
    return served


def document(place: list[str | int], value: Any) -> dict[str, Any]:
    """Return the contract with a changed value at a path below its schemas."""
    changed = deepcopy(spec.load())
    node: Any = changed["components"]["schemas"]
    for key in place[:-1]:
        node = node[key]
    node[place[-1]] = value
    return changed
