"""The common part of `Admin` and `AsyncAdmin`: credentials and settings."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn, TypedDict

from voyageai_admin_rest.operations import SERVERS

from .._utils import Url, safe_repr, with_hidden_passwords
from ..error import ArgumentError
from ..keys import conceal
from ..options import Options
from ..transport.config import LIMITS, ConnectionConfig, check_base_url
from ..transport.logs import configure
from . import credentials

if TYPE_CHECKING:
    import ssl

    import httpx2

    from ..flow import Environment
    from ..options import CallOptions, Seconds
    from ..retry import RetryPolicy


class Credentials(TypedDict, total=False):
    """The credentials of an administrator: a service account, or a pair of keys."""

    client_id: str | None
    client_secret: str | None
    public_key: str | None
    private_key: str | None


class BaseAdmin:
    """The settings of an administration client.

    Args:
        given: The credentials.
        base_url: Base URL of the API; None for MONGODB_ATLAS_BASE_URL, or else Atlas.
        max_retries, timeout, deadline: Defaults for calls.
    """

    def __init__(
        self,
        given: Credentials,
        base_url: str | None,
        max_retries: int | RetryPolicy,
        timeout: Seconds,
        deadline: float | None,
    ) -> None:
        self._pair = credentials.find({**given})
        from_environment = os.environ.get(credentials.URL_VARIABLE)
        url: Any = base_url or from_environment or SERVERS[0].url
        place = "base_url" if base_url else credentials.URL_VARIABLE
        if not isinstance(url, str) or not url.startswith(("https://", "http://")):
            shown = repr(Url(url)) if isinstance(url, str) else type(url).__name__
            raise ArgumentError(f"{place} must be a URL, not {shown}", "base_url")
        self._base_url = Url(url.rstrip("/"))
        if self._base_url.endswith("/v1"):  # as that of the models does
            raise ArgumentError(
                f"{place} is {self._base_url!r}; leave out /v1, which ends the base URL of models",
                "base_url",
            )
        check_base_url(self._base_url)
        self._max_retries = max_retries
        self._timeout = timeout
        self._deadline = deadline
        self._options({}, "Admin")  # raises now if a setting is wrong
        self._auth: Any = None

    @property
    def base_url(self) -> str:
        """Base URL of the API."""
        return self._base_url

    def _authenticate(self, environment: Environment) -> None:
        self._auth = credentials.authentication(self._pair, environment.clock)

    def _parameters(self) -> Mapping[str, Any]:
        return {"base_url": self._base_url, "auth": self._auth}

    def _options(self, given: CallOptions, method: str = "") -> Options:
        return Options.of(
            given,
            timeout=self._timeout,
            deadline=self._deadline,
            max_retries=self._max_retries,
            limiter=None,
            method=method,
        )

    @safe_repr
    def __repr__(self) -> str:
        return f"{type(self).__name__}(base_url={self._base_url!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            f"{type(self).__name__} holds credentials and can't be pickled; make one where it is "
            "used"
        )


def concealed(given: Credentials) -> Credentials:
    """Return credentials with masked reprs of secrets, for tracebacks with local variables."""
    secret = ("client_secret", "private_key")
    return {name: conceal(value) if name in secret else value for name, value in given.items()}  # type: ignore[return-value]  # has the same keys


def connection(
    proxy: str | Mapping[str, str] | None,
    verify: bool | str | ssl.SSLContext,
    limits: httpx2.Limits | None,
) -> ConnectionConfig:
    """Return the settings of connections, from arguments and the module's settings.

    Raises:
        ArgumentError: A setting is not usable.
    """
    import voyageai  # for settings on the module

    configure(voyageai.log)
    found: Any = with_hidden_passwords(proxy or voyageai.proxy)
    return ConnectionConfig(proxy=found, verify=verify, limits=limits or LIMITS)
