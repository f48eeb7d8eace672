"""Check API keys, and the models and operations that a host of the API serves.

An emulator behaves as one host of the API if the settings name that host, or if a request names it
in its Host header, as in-process transports and proxies do. For any other name, such as 127.0.0.1,
it combines all hosts: every model and operation is available, and any key is accepted.

The hosts and the models of each are documented, and so is that a key of Atlas works only on the
host of its scope, and any other key only on the Voyage host. The contract has the key prefix of
each host, and the hosts that accept null for an argument. The Voyage host's answer to a key of
Atlas was recorded. These are guesses:

- The Atlas hosts give the same answer to a key of another host.
- They answer a null that they do not accept as the API answers null for a model.
- A host without files and batches answers them as an unknown path, before it checks the body or
  the key.
- With a wrong key, a body of more than a few kilobytes is not read. It was recorded that a small
  body is checked before the key.
- The Voyage host still serves a model that Atlas has retired: Atlas's policy does not apply to it.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from secrets import compare_digest
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

import attrs
from voyageai_rest.catalogue import NOTICE
from voyageai_rest.operations import OPERATIONS, SERVERS

from .recording import fingerprint
from .responses import ApiError

if TYPE_CHECKING:
    from voyageai_rest.catalogue import Model
    from voyageai_rest.operations import Server

    from .atlas import Accounts
    from .contract import Operation

__all__ = ["Authenticator", "Caller"]

BY_NAME = {server.name: server for server in SERVERS}
BY_HOST = {urlsplit(server.url).hostname: server for server in SERVERS}
SERVERS_OF = {operation.id: operation.servers for operation in OPERATIONS}
KEY = re.compile("[!-~]{1,1024}")
"""Characters of a key: ASCII without spaces."""


class Caller(NamedTuple):
    """The owner of a request, and the host that received it."""

    owner: str
    """`fingerprint` of the API key."""
    platform: str | None
    """Name of the host; None if the emulator combines all hosts."""


class Authenticator:
    """Checks API keys, and the models and operations of hosts.

    Args:
        api_key: The only key to accept; any by default.
        platform: Name of the host that the emulator behaves as; by default the host that a request
            is addressed to.
        accounts: Keys that were created through the administration API; they are accepted too,
            until they are deleted.

    Raises:
        ValueError: `platform` is not the name of a host, or `api_key` cannot be a key.

    Example:
        >>> Authenticator(platform="atlas").authenticate("127.0.0.1", "Bearer al-123").platform
        'atlas'
        >>> Authenticator().authenticate("eu.ai.mongodb.com", "Bearer al-eu-123").platform
        'eu'
    """

    def __init__(
        self,
        api_key: str | None = None,
        platform: str | None = None,
        accounts: Accounts | None = None,
    ) -> None:
        if platform is not None and platform not in BY_NAME:
            raise ValueError(f"platform must be one of {', '.join(BY_NAME)}, not {platform!r}")
        if api_key is not None and not KEY.fullmatch(api_key):
            raise ValueError("api_key must be ASCII without spaces, from 1 to 1024 characters")
        self._api_key = None if api_key is None else api_key.encode()
        self._accounts = accounts
        self._server = None if platform is None else BY_NAME[platform]

    def check_operation(self, operation: Operation, host: str) -> None:
        """Check that a host serves an operation.

        Args:
            operation: The operation.
            host: Host header of the request.

        Raises:
            ApiError: The host does not serve the operation.
        """
        server = self._server_at(host)
        if server is not None and server.name not in SERVERS_OF.get(operation.id, BY_NAME):
            raise ApiError("Not Found", HTTPStatus.NOT_FOUND)

    def authenticate(self, host: str, authorization: str | None) -> Caller:
        """Return the caller of a request with these Host and Authorization headers.

        Raises:
            ApiError: The request has no key, or the host does not accept it.
        """
        scheme, _, rest = (authorization or "").partition(" ")
        key = rest.strip(" \t")
        if scheme.lower() != "bearer" or not key:
            raise ApiError("Unauthorized", HTTPStatus.UNAUTHORIZED)
        server = self._server_at(host)
        if not self._is_accepted(key) or (server is not None and not _is_key_of(key, server)):
            raise ApiError("Provided API key is invalid.", HTTPStatus.UNAUTHORIZED)
        return Caller(fingerprint(key), None if server is None else server.name)

    def serves(self, model: Model, caller: Caller) -> bool:
        """Return whether the caller's host serves a model, or did so until it was retired."""
        return caller.platform is None or BY_NAME[caller.platform].platform in model.platforms

    def at_host(self, model: Model, caller: Caller) -> Model:
        """Return a model as the caller's host serves it: some hosts never retire models."""
        if model.lifecycle != "retired" or caller.platform is None:
            return model
        retires = BY_NAME[caller.platform].platform in NOTICE.platforms
        return model if retires else attrs.evolve(model, lifecycle="older")

    def server_name(self, host: str) -> str | None:
        """Return the name of a Host header's host; None if the emulator combines all hosts."""
        server = self._server_at(host)
        return None if server is None else server.name

    def _server_at(self, host: str) -> Server | None:
        return self._server or BY_HOST.get(host.partition(":")[0].lower())

    def _is_accepted(self, key: str) -> bool:
        if not KEY.fullmatch(key):
            return False
        if self._accounts is not None:
            if self._accounts.use(key):
                return True
            if self._accounts.is_deleted(key):
                return False
        return self._api_key is None or compare_digest(key.encode(), self._api_key)


def _is_key_of(key: str, server: Server) -> bool:
    """Return whether a key has the prefix of a host, or the host's prefix is unknown."""
    if server.key_prefix is None and server is not SERVERS[0]:
        return True
    prefixes = {each.key_prefix: each for each in SERVERS if each.key_prefix}
    fitting = [prefix for prefix in prefixes if key.startswith(prefix)]
    return (prefixes[max(fitting, key=len)] if fitting else SERVERS[0]) is server
