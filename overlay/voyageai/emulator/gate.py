"""Who may ask, and for what."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from .recorded import fingerprint
from .refusal import Refused

if TYPE_CHECKING:
    from voyageai_rest.catalogue import Model

    from .contract import Operation

__all__ = ["Caller", "Gate"]


class Caller(NamedTuple):
    """Who asks."""

    owner: str
    """`fingerprint` of the API key."""
    platform: str | None
    """Name of the host that is asked; None for one that does as all do."""


class Gate:
    """Checks API keys.

    Args:
        api_key: The only key to accept; any by default.
        platform: Name of the host that the emulator stands for.
    """

    def __init__(self, api_key: str | None = None, platform: str | None = None) -> None:
        self._api_key = api_key
        self._platform = platform

    def admit(self, host: str, authorization: str | None) -> Caller:
        """Tell who asks, by the headers Host and Authorization.

        Raises:
            Refused: There is no key, or another than the host takes.
        """
        scheme, _, key = (authorization or "").partition(" ")
        key = key.strip()
        if scheme.lower() != "bearer" or not key:
            raise Refused("Unauthorized", HTTPStatus.UNAUTHORIZED)
        if self._api_key is not None and key != self._api_key:
            raise Refused("Provided API key is invalid.", HTTPStatus.UNAUTHORIZED)
        return Caller(fingerprint(key), self._platform)

    def check(self, operation: Operation, caller: Caller) -> None:
        """Refuse an operation that the caller's host does not have."""

    def serves(self, model: Model, caller: Caller) -> bool:
        """Whether the caller's host has a model."""
        return True
