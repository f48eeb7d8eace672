"""What an emulator can be told when it is started."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from os import PathLike
from typing import TYPE_CHECKING, Any, TypedDict

from voyageai_rest.catalogue import MODELS

if TYPE_CHECKING:
    from voyageai_rest.catalogue import Model

    from .faults import Fault

__all__ = ["MAX_CONNECTIONS", "Settings", "SettingsDict"]


MAX_CONNECTIONS = 1000
"""Of which each takes a descriptor; most systems let a process have 1024."""


class SettingsDict(TypedDict, total=False):
    """The arguments of `Settings` that `running` and its like take."""

    api_key: str | None
    platform: str | None
    tier: str | int | None
    retry_after: bool
    latency: str | float
    concurrency: int | None
    max_connections: int
    allow_hosts: Iterable[str]
    engine: str
    state: str | PathLike[str] | None
    faults: Iterable[Fault | str]
    record: str | PathLike[str] | None
    admin_token: str | None
    clock: Callable[[], float]


@dataclass(frozen=True)
class Settings:
    """What an emulator is told when it is started.

    Attributes:
        api_key: The only API key to accept. By default any is accepted, but there must be one.
        platform: Name of the host whose models, operations and keys there are: ``voyage``,
            ``atlas``, ``us`` or ``eu``. By default those of the host that a request is
            addressed to, and those of all hosts where that is another.
        tier: Usage tier by whose rate limits requests are refused, such as ``free``,
            ``tier_1`` or 1. By default none is.
        retry_after: Whether a refusal for a rate limit says when to come again, which those of
            the API do not.
        latency: How long answers take: ``none``, seconds such as ``0.2``, or ``model``, which
            depends on tokens and load.
        concurrency: Requests worked on at once, while others wait. By default all are.
        max_connections: Connections open at once. At the limit, the ones that have sent no request
            for longest are ended; while all are at work, further ones wait.
        allow_hosts: Hosts, or ``host:port``, from which pictures and videos may be fetched.
        engine: What makes vectors and scores: ``lexical``, or ``sentence-transformers:NAME``.
        state: File that keeps files and batches. By default they end with the emulator.
        faults: What goes wrong from the start: ``"NAME"`` for every request, ``"NAME:RATE"`` for
            a share of them, parameters after it, as in ``"status:0.1; status=503"``.
        record: File to which every request is added as a line of JSON.
        admin_token: What opens the admin routes, and has to be told to nobody else; by default
            a random one.
        clock: Tells the time, in seconds since 1970.
        models: Models to serve, by name.
        document: OpenAPI document to follow; the installed contract by default.
    """

    _: KW_ONLY
    api_key: str | None = field(default=None, repr=False)
    platform: str | None = None
    tier: str | int | None = None
    retry_after: bool = False
    latency: str | float = "none"
    concurrency: int | None = None
    max_connections: int = MAX_CONNECTIONS
    allow_hosts: Iterable[str] = ()
    engine: str = "lexical"
    state: str | PathLike[str] | None = None
    faults: Iterable[Fault | str] = ()
    record: str | PathLike[str] | None = None
    admin_token: str | None = field(default=None, repr=False)
    clock: Callable[[], float] = time.time
    models: Mapping[str, Model] = field(default_factory=lambda: MODELS)
    document: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        """Refuse what is no number of connections."""
        given = self.max_connections
        if type(given) is not int or given < 1:
            raise ValueError(f"max_connections must be a whole number from 1, not {given!r}")
