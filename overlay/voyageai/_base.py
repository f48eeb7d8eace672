"""What both clients share: everything but the sending."""

from __future__ import annotations

import os
from abc import ABC
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .error import AuthenticationError
from .keys import MISSING, base_url, find_key

if TYPE_CHECKING:
    from .retry import RetryPolicy


class _BaseClient(ABC):  # pyright: ignore[reportUnusedClass]  # named as in the official client
    """Settings of a client. Public names are the official client's.

    Attributes:
        api_key: The key that was found, or None.
        max_retries: Retries of a call that failed.
    """

    api_key: str | None
    max_retries: int
    # Read at each call, and changed by frameworks after construction.
    _params: dict[str, Any]

    def __init__(
        self,
        api_key: str | None = None,
        max_retries: int = 0,
        timeout: float | None = None,
        base_url: str | None = None,
    ) -> None:
        self.max_retries = max_retries
        self._timeout = timeout
        self._base_url = base_url
        self._configure(api_key)

    def _configure(self, api_key: str | None) -> None:
        import voyageai  # for what users set there

        key = find_key(
            api_key,
            module_path=voyageai.api_key_path,
            module_key=voyageai.api_key,
            environment=os.environ,
        )
        self.api_key = key
        self._params = {
            "api_key": key,
            "request_timeout": self._timeout,
            "base_url": base_url(self._base_url, key, os.environ),
        }
        self._connect()

    def _connect(self) -> None:
        """Make the transport."""
        raise NotImplementedError("a client makes its own transport")

    def _ready(self) -> tuple[Mapping[str, Any], RetryPolicy]:
        """Settings of a call that is about to be made.

        Raises:
            AuthenticationError: There is no key; says where keys are looked for.
        """
        from .retry import RetryPolicy

        key = self._params["api_key"]
        if not key:
            raise AuthenticationError(MISSING)
        parameters = {**self._params, "base_url": self._params["base_url"].rstrip("/")}
        return parameters, RetryPolicy(max_retries=self.max_retries)

    def __getstate__(self) -> dict[str, Any]:
        """Settings without the key and without connections."""
        left_out = ("_transport", "_params", "api_key")
        return {name: value for name, value in self.__dict__.items() if name not in left_out}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Look the key up again, in the environment of the process that unpickles."""
        for name, value in state.items():
            setattr(self, name, value)
        self._configure(None)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(base_url={self._params['base_url']!r})"
