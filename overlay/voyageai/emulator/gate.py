"""Who may ask, and for what.

An emulator stands for one host of the API where the settings name it, or where a request names it
in its Host header, as a transport within the process and a proxy pass it on. For any other name,
such as 127.0.0.1, it does as all hosts do: every model and operation is there, and any key opens
it.

Documented are the hosts, which models each serves, and that a key of Atlas opens the hosts of
Atlas alone, any other key the Voyage host alone; that keys of Atlas can be told by how they begin
is known from the vendor's client. These are guesses:

- How the keys of a geography begin is not known, so its hosts take keys of either style.
- No answer to a key at the wrong host has been recorded. It is that to an unknown key.
- A host without files and batches answers as to any path that it does not have, before it looks
  at the body or the key.
- A retired model is answered with 410 on every host by which the catalogue has it served. Only
  Atlas is known to do so; what the Voyage host does is not said.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from secrets import compare_digest
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from voyageai_rest.operations import OPERATIONS, SERVERS

from .recorded import fingerprint
from .refusal import Refused

if TYPE_CHECKING:
    from voyageai_rest.catalogue import Model
    from voyageai_rest.operations import Server

    from .contract import Operation

__all__ = ["Caller", "Gate"]

BY_NAME = {server.name: server for server in SERVERS}
BY_HOST = {urlsplit(server.url).hostname: server for server in SERVERS}
SERVERS_OF = {operation.id: operation.servers for operation in OPERATIONS}
KEY = re.compile("[!-~]{1,1024}")
"""What a key may look like at all: ASCII without spaces."""


class Caller(NamedTuple):
    """Who asks."""

    owner: str
    """`fingerprint` of the API key."""
    platform: str | None
    """Name of the host that is asked; None for one that does as all do."""


class Gate:
    """Checks API keys, and what there is for them.

    Args:
        api_key: The only key to accept; any by default.
        platform: Name of the host that the emulator stands for; by default that which a request
            is addressed to.

    Raises:
        ValueError: There is no such host, or the key can be none.

    Example:
        >>> Gate(platform="atlas").admit("127.0.0.1", "Bearer al-123").platform
        'atlas'
        >>> Gate().admit("eu.ai.mongodb.com", "Bearer al-123").platform
        'eu'
    """

    def __init__(self, api_key: str | None = None, platform: str | None = None) -> None:
        if platform is not None and platform not in BY_NAME:
            raise ValueError(f"platform must be one of {', '.join(BY_NAME)}, not {platform!r}")
        if api_key is not None and not KEY.fullmatch(api_key):
            raise ValueError("api_key must be ASCII without spaces, from 1 to 1024 characters")
        self._api_key = None if api_key is None else api_key.encode()
        self._server = None if platform is None else BY_NAME[platform]

    def check(self, operation: Operation, host: str) -> None:
        """Refuse an operation that a host, by the header Host, does not have.

        Raises:
            Refused: It has not.
        """
        server = self._server_at(host)
        if server is not None and server.name not in SERVERS_OF.get(operation.id, BY_NAME):
            raise Refused("Not Found", HTTPStatus.NOT_FOUND)

    def admit(self, host: str, authorization: str | None) -> Caller:
        """Tell who asks, by the headers Host and Authorization.

        Raises:
            Refused: There is no key, or another than the host takes.
        """
        scheme, _, rest = (authorization or "").partition(" ")
        key = rest.strip(" \t")
        if scheme.lower() != "bearer" or not key:
            raise Refused("Unauthorized", HTTPStatus.UNAUTHORIZED)
        server = self._server_at(host)
        if not self._is_accepted(key) or (server is not None and not _is_of(key, server)):
            raise Refused("Provided API key is invalid.", HTTPStatus.UNAUTHORIZED)
        return Caller(fingerprint(key), None if server is None else server.name)

    def serves(self, model: Model, caller: Caller) -> bool:
        """Whether the caller's host has a model."""
        return caller.platform is None or BY_NAME[caller.platform].platform in model.platforms

    def _server_at(self, host: str) -> Server | None:
        return self._server or BY_HOST.get(host.partition(":")[0].lower())

    def _is_accepted(self, key: str) -> bool:
        if not KEY.fullmatch(key):
            return False
        return self._api_key is None or compare_digest(key.encode(), self._api_key)


def _is_of(key: str, server: Server) -> bool:
    """Whether a host takes keys that begin so; any, where nobody knows how they begin."""
    if server.key_prefix is None and server is not SERVERS[0]:
        return True
    prefixed = (each for each in SERVERS if each.key_prefix and key.startswith(each.key_prefix))
    return next(prefixed, SERVERS[0]) is server
