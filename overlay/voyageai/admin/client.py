"""The blocking administration client."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar, Unpack, cast

from ..transport import Transport
from . import calls
from .base import BaseAdmin, concealed, connection
from .objects import ModelKey, ModelRateLimit, Page, Pages, of_model

if TYPE_CHECKING:
    import ssl

    import httpx2

    from ..calls import Call
    from ..options import CallOptions, Seconds
    from ..ratelimit import RateLimit
    from ..retry import RetryPolicy

T = TypeVar("T")


class Admin(BaseAdmin):
    """A client for the administration of model API keys and rate limits in MongoDB Atlas.

    Safe to share between threads. Use it as a context manager, or call `close`.

    Args:
        client_id: Id of a service account. Without credentials as arguments, those of the
            environment are used: MONGODB_ATLAS_CLIENT_ID and MONGODB_ATLAS_CLIENT_SECRET, or else
            MONGODB_ATLAS_PUBLIC_KEY and MONGODB_ATLAS_PRIVATE_KEY.
        client_secret: Secret of the service account. A token is obtained with it, used until it
            expires, and renewed once if it is refused.
        public_key: Public key of a pair, which Atlas calls legacy.
        private_key: Private key of the pair.
        base_url: Base URL of the API. By default MONGODB_ATLAS_BASE_URL, or else Atlas.
        max_retries: Number of retries of a call after transient errors, or a
            `voyageai.RetryPolicy`. The creation of a key is not retried if it may have succeeded.
        timeout: Seconds for each attempt, or an `httpx2.Timeout`.
        deadline: Seconds for a whole call, retries and waits included.
        http_client: An `httpx2.Client` of your own, which is never closed here.
        transport: An `httpx2` transport of your own, in place of `http_client`.
        proxy: URL of a proxy, or URLs by scheme.
        verify: False to trust any certificate, a path of trusted certificates, or a TLS context.
        limits: Limits of the pool of connections.

    Attributes:
        keys: The model API keys.
        rate_limits: The rate limits of groups of models.

    Raises:
        AuthenticationError: No credentials are found; the message says where they are looked for.
        ArgumentError: An argument is wrong.

    Example:
        >>> [key.name for key in admin.keys.list(project=project)]
        ['search']
    """

    def __init__(
        self,
        *,
        client_id: str | None = None,
        client_secret: str | None = None,
        public_key: str | None = None,
        private_key: str | None = None,
        base_url: str | None = None,
        max_retries: int | RetryPolicy = 0,
        timeout: Seconds = None,
        deadline: float | None = None,
        http_client: httpx2.Client | None = None,
        transport: httpx2.BaseTransport | None = None,
        proxy: str | Mapping[str, str] | None = None,
        verify: bool | str | ssl.SSLContext = True,
        limits: httpx2.Limits | None = None,
    ) -> None:
        given = concealed(
            {
                "client_id": client_id,
                "client_secret": client_secret,
                "public_key": public_key,
                "private_key": private_key,
            }
        )
        client_secret = private_key = None  # tracebacks may show locals
        super().__init__(given, base_url, max_retries, timeout, deadline)
        http = transport if http_client is None else http_client
        self._transport = Transport(connection(proxy, verify, limits), http)
        self._authenticate(self._transport.environment)
        self.keys = Keys(self)
        self.rate_limits = RateLimits(self)

    def send(self, call: Call[T], options: CallOptions) -> T:
        """Send a call and return its result.

        Raises:
            VoyageError: The call failed.
        """
        complete = self._options(options, call.method)
        return cast("T", self._transport.run(call, self._parameters(), complete))

    def close(self) -> None:
        """Close all connections."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class Keys:
    """Model API keys: `admin.keys`.

    All methods also take `timeout`, `deadline`, `max_retries` and `extra_headers`, for that call
    alone.
    """

    def __init__(self, admin: Admin) -> None:
        self._admin = admin

    def list(
        self,
        *,
        project: str | None = None,
        organization: str | None = None,
        page_size: int = calls.PAGE,
        **options: Unpack[CallOptions],
    ) -> Pages[ModelKey]:
        """List the keys of a project or an organization, without their secrets.

        Args:
            project: Id of the project.
            organization: Id of the organization, in place of `project`, for the keys of all its
                projects.
            page_size: Keys per page.

        Returns:
            An iterable, loaded page by page; `.page()` loads only the first page.

        Raises:
            ArgumentError: An argument is wrong; nothing was sent.

        Example:
            >>> "search" in [key.name for key in admin.keys.list(project=project)]
            True
        """
        load = calls.list_keys(project, organization, page_size, self._admin.base_url)
        return _pages(self._admin, load, options)

    def get(
        self,
        key_id: str,
        *,
        project: str | None = None,
        organization: str | None = None,
        **options: Unpack[CallOptions],
    ) -> ModelKey:
        """Retrieve a key, without its secret.

        Args:
            key_id: Id of the key.
            project: Id of the project.
            organization: Id of the organization, in place of `project`.

        Returns:
            The key.

        Raises:
            NotFoundError: The key does not exist.
            VoyageError: The call failed.

        Example:
            >>> admin.keys.get(key.id, project=project).status
            'ACTIVE'
        """
        return self._admin.send(calls.get_key(key_id, project, organization), options)

    def create(
        self,
        name: str,
        *,
        project: str,
        cloud: str = calls.ANY,
        geography: str = calls.ANY,
        **options: Unpack[CallOptions],
    ) -> ModelKey:
        """Create a key, whose secret is only in the result of this call.

        The request is retried only if it is certain that no key was created. If a key may have been
        created, the error has `outcome_unknown`, and `list` shows whether it was.

        Args:
            name: Name of the key, unique in the project.
            project: Id of the project.
            cloud: Cloud of the key, which can't be changed later.
            geography: Geography of the key, which can't be changed later.

        Returns:
            The key, with `secret`; `.client()` returns a client with it.

        Raises:
            ArgumentError: An argument is wrong; nothing was sent.
            VoyageError: The call failed; `code` and the message tell the reason.

        Example:
            >>> key = admin.keys.create("indexing", project=project)
            >>> with key.client() as vo:
            ...     vo.embed_query("Where are the keys?", model="voyage-4").total_tokens > 0
            True
        """
        call = calls.create_key(name, project, cloud, geography, self._admin.base_url)
        return self._admin.send(call, options)

    def rename(
        self, key_id: str, name: str, *, project: str, **options: Unpack[CallOptions]
    ) -> ModelKey:
        """Rename a key.

        Args:
            key_id: Id of the key.
            name: The new name.
            project: Id of the project.

        Returns:
            The key.

        Raises:
            ArgumentError: An argument is wrong; nothing was sent.
            VoyageError: The call failed.

        Example:
            >>> admin.keys.rename(key.id, "search in production", project=project).name
            'search in production'
        """
        return self._admin.send(calls.rename_key(key_id, name, project), options)

    def delete(self, key_id: str, *, project: str, **options: Unpack[CallOptions]) -> None:
        """Delete a key, which the API refuses from then on.

        Args:
            key_id: Id of the key.
            project: Id of the project.

        Raises:
            NotFoundError: The key does not exist, or no longer: a retry raises this if the first
                attempt succeeded and only its response was lost.
            VoyageError: The call failed.

        Example:
            >>> old = admin.keys.create("old", project=project)
            >>> admin.keys.delete(old.id, project=project)
        """
        self._admin.send(calls.delete_key(key_id, project), options)


class RateLimits:
    """Rate limits of groups of models: `admin.rate_limits`.

    All methods also take `timeout`, `deadline`, `max_retries` and `extra_headers`, for that call
    alone.
    """

    def __init__(self, admin: Admin) -> None:
        self._admin = admin

    def list(
        self,
        *,
        project: str | None = None,
        organization: str | None = None,
        page_size: int = calls.PAGE,
        **options: Unpack[CallOptions],
    ) -> Pages[ModelRateLimit]:
        """List the rate limits of a project or an organization.

        Args:
            project: Id of the project.
            organization: Id of the organization, in place of `project`. No project may exceed its
                limits.
            page_size: Limits per page.

        Returns:
            An iterable, loaded page by page; `.page()` loads only the first page.

        Raises:
            ArgumentError: An argument is wrong; nothing was sent.

        Example:
            >>> "voyage_4" in [limit.group for limit in admin.rate_limits.list(project=project)]
            True
        """
        load = calls.list_limits(project, organization, page_size)
        return _pages(self._admin, load, options)

    def get(
        self,
        group: str,
        *,
        project: str | None = None,
        organization: str | None = None,
        cloud: str = calls.ANY,
        geography: str = calls.ANY,
        **options: Unpack[CallOptions],
    ) -> ModelRateLimit:
        """Retrieve the rate limits of a group of models.

        Args:
            group: Name of the group, as in `list`.
            project: Id of the project.
            organization: Id of the organization, in place of `project`.
            cloud: Cloud of the limits.
            geography: Geography of the limits.

        Returns:
            The limits.

        Raises:
            NotFoundError: The group does not exist.
            VoyageError: The call failed.

        Example:
            >>> admin.rate_limits.get("voyage_4", project=project).models
            ('voyage-4',)
        """
        call = calls.get_limit(group, project, organization, cloud, geography)
        return self._admin.send(call, options)

    def of(
        self,
        model: str,
        *,
        project: str | None = None,
        organization: str | None = None,
        cloud: str = calls.ANY,
        geography: str = calls.ANY,
        **options: Unpack[CallOptions],
    ) -> RateLimit:
        """Return the limit of a model's group, for `Client(rate_limit=...)`.

        All clients of the project share the limit at the server; `RateLimiter(limit, share=...)`
        uses a part of it.

        Args:
            model: Name of the model.
            project: Id of the project.
            organization: Id of the organization, in place of `project`.
            cloud: Cloud of the key.
            geography: Geography of the key.

        Returns:
            The limit of requests and tokens per minute.

        Raises:
            ArgumentError: No group contains the model.
            VoyageError: A call failed.

        Example:
            >>> limit = admin.rate_limits.of("voyage-4", project=project)
            >>> vo = key.client(rate_limit=limit)
        """
        listed = self.list(project=project, organization=organization, **options)
        return of_model(model, [*listed], cloud, geography)

    def set(
        self,
        group: str,
        *,
        project: str,
        rpm: int,
        tpm: int,
        cloud: str = calls.ANY,
        geography: str = calls.ANY,
        **options: Unpack[CallOptions],
    ) -> ModelRateLimit:
        """Set the rate limits of a group of models in a project.

        Args:
            group: Name of the group, as in `list`.
            project: Id of the project.
            rpm: Requests per minute, at most the organization's.
            tpm: Tokens per minute, at most the organization's.
            cloud: Cloud of the limits.
            geography: Geography of the limits.

        Returns:
            The new limits.

        Raises:
            ArgumentError: An argument is wrong; nothing was sent.
            VoyageError: The call failed.

        Example:
            >>> admin.rate_limits.set("voyage_4", project=project, rpm=100, tpm=100_000).rpm
            100
        """
        call = calls.set_limit(group, project, rpm, tpm, cloud, geography)
        return self._admin.send(call, options)

    def reset(
        self,
        group: str,
        *,
        project: str,
        cloud: str = calls.ANY,
        geography: str = calls.ANY,
        **options: Unpack[CallOptions],
    ) -> ModelRateLimit:
        """Reset the rate limits of a group in a project to the organization's.

        Args:
            group: Name of the group, as in `list`.
            project: Id of the project.
            cloud: Cloud of the limits.
            geography: Geography of the limits.

        Returns:
            The new limits.

        Raises:
            VoyageError: The call failed.

        Example:
            >>> admin.rate_limits.reset("voyage_4", project=project).group
            'voyage_4'
        """
        return self._admin.send(calls.reset_limit(group, project, cloud, geography), options)

    def reset_all(self, *, project: str, **options: Unpack[CallOptions]) -> None:
        """Reset all rate limits of a project to the organization's.

        Args:
            project: Id of the project.

        Raises:
            VoyageError: The call failed.

        Example:
            >>> admin.rate_limits.reset_all(project=project)
        """
        self._admin.send(calls.reset_limits(project), options)


def _pages(admin: Admin, load: Callable[[int], Call[Page[T]]], options: CallOptions) -> Pages[T]:
    return Pages(lambda number: admin.send(load(number), options))
