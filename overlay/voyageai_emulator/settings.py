"""The settings of an emulator, and the check of the address it listens at."""

from __future__ import annotations

import ipaddress
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from difflib import get_close_matches
from os import PathLike
from typing import TYPE_CHECKING, Any, TypedDict

from voyageai_rest.catalogue import MODELS

if TYPE_CHECKING:
    from voyageai_rest.catalogue import Model

    from .faults import Fault

__all__ = ["MAX_CONNECTIONS", "Settings", "SettingsDict", "check_bind_address"]

LOGGER = logging.getLogger("voyageai_emulator")
MAX_CONNECTIONS = 1000
"""Default maximum of open connections: each needs a file descriptor, often limited to 1024."""


class SettingsDict(TypedDict, total=False):
    """The arguments of `Settings` that `running`, `in_process` and the pytest fixture take."""

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
    admin_credentials: Mapping[str, str]
    deployment: str | None
    old_images: bool
    aws_credentials: Mapping[str, str]
    clock: Callable[[], float]


@dataclass(frozen=True)
class Settings:
    """The settings of an emulator.

    Attributes:
        api_key: The only API key to accept. By default any key is accepted, but one is required.
        platform: Name of the host to behave as, with its models, operations and keys:
            ``voyage``, ``atlas``, ``us`` or ``eu``. By default the host that a request is
            addressed to, or all hosts combined if that is none of them.
        tier: Usage tier whose rate limits apply, such as ``free``, ``tier_1`` or 1. By default
            there are no limits.
        retry_after: Add the header ``retry-after`` to 429 responses, which the API does not.
        latency: Latency of responses: ``none``, seconds such as ``0.2``, or ``model``, which
            depends on tokens and load.
        concurrency: Maximum of requests worked on at once, while others wait. By default there is
            no limit.
        max_connections: Maximum of open connections. At the limit, the connection that has been
            idle the longest is closed; while all are in use, new ones wait.
        allow_hosts: Hosts, or ``host:port``, from which pictures and videos may be downloaded.
        engine: Engine of vectors and scores: ``lexical``, or ``sentence-transformers:NAME``.
        state: File that stores files, batches, and keys and limits of Atlas. By default they are
            lost when the emulator stops.
        faults: Faults planned at the start: ``"NAME"`` for every request, ``"NAME:RATE"`` for a
            share of them, followed by parameters, as in ``"status:0.1; status=503"``.
        record: File to which every request is appended as a line of JSON.
        admin_token: Token of the admin routes, a secret; by default a random one.
        admin_credentials: Credentials that may administer keys and limits: secrets by client id,
            and private keys by public key. By default any are accepted.
        deployment: Deployment or gateway to emulate: ``NAME``, or ``NAME:MODEL`` if it serves one
            model. By default the API itself.
        old_images: Answer as older images of the deployment do: with numbers as strings, and
            without some fields.
        aws_credentials: Credentials that may call SageMaker: secret keys by access key id. By
            default any signature is accepted.
        clock: Clock, in seconds since 1970.
        models: Models to serve, by name.
        document: OpenAPI document of the API; by default the installed contract.
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
    admin_credentials: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    deployment: str | None = None
    old_images: bool = False
    aws_credentials: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    clock: Callable[[], float] = time.time
    models: Mapping[str, Model] = field(default_factory=lambda: MODELS)
    document: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        """Check `max_connections`, and that options of a deployment come with `deployment`."""
        given = self.max_connections
        if type(given) is not int or given < 1:
            raise ValueError(f"max_connections must be a whole number from 1, not {given!r}")
        for name in ("old_images", "aws_credentials"):
            if getattr(self, name) and self.deployment is None:
                raise ValueError(
                    f"{name} is an option of deployments; set deployment too, such as "
                    "sagemaker:voyage-4"
                )


def check_names(function: str, given: Iterable[str], *others: str) -> None:
    """Check the names of settings.

    Args:
        function: Name of the function or fixture that takes them, for the message.
        given: The names to check.
        others: Names that it takes besides those of settings.

    Raises:
        TypeError: A name is unknown; the message suggests a similar one.
    """
    known = [*SettingsDict.__annotations__, *others]
    for name in given:
        if name not in known:
            near = get_close_matches(name, known, 1)
            meant = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
            raise TypeError(f"{function} has no setting {name!r}: {meant}")


def check_bind_address(host: str, option: str, *, allowed: bool) -> None:
    """Check that other machines cannot reach an address, or log a warning if that is allowed.

    Args:
        host: Address to listen at.
        option: Option that allows other addresses, for the message.
        allowed: True if that option was given.

    Raises:
        ValueError: Other machines can reach the address, and `allowed` is false.
    """
    if _is_loopback(host):
        return
    if not allowed:
        raise ValueError(
            f"other machines can reach the host {host!r}, and everyone who does could use the "
            f"emulator; to allow that, add {option}"
        )
    LOGGER.warning("the emulator listens at %s: everyone who can reach its port can use it", host)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name, which may resolve to any address
        return False
