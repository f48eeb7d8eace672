"""`AsyncAdmin`: keys and rate limits, without blocking."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar, Unpack, cast

from ..transport import AsyncTransport
from . import calls
from .base import BaseAdmin, concealed, connection
from .objects import AsyncPages, ModelKey, ModelRateLimit, Page, of_model

if TYPE_CHECKING:
    import ssl

    import httpx2

    from ..calls import Call
    from ..options import CallOptions, Seconds
    from ..ratelimit import RateLimit
    from ..retry import RetryPolicy

T = TypeVar("T")


class AsyncAdmin(BaseAdmin):
    """Administer model API keys and their rate limits in MongoDB Atlas.

    Safe to share between tasks, and between event loops. Use it as an asynchronous context manager,
    or call `aclose`.

    Args:
        client_id: Id of a service account. Without credentials, those of the environment are used:
            MONGODB_ATLAS_CLIENT_ID and MONGODB_ATLAS_CLIENT_SECRET, else
            MONGODB_ATLAS_PUBLIC_KEY and MONGODB_ATLAS_PRIVATE_KEY.
        client_secret: Its secret. A token is made with it, kept for its hour, and renewed once
            when it is refused.
        public_key: The public half of a pair of keys, which Atlas calls legacy.
        private_key: The other half.
        base_url: Where the API is. Without it MONGODB_ATLAS_BASE_URL says, or it is Atlas.
        max_retries: How often a call that fails for a passing reason is tried again, or a
            `voyageai.RetryPolicy`. A key is never created again in doubt.
        timeout: Seconds for each attempt, or an `httpx2.Timeout`.
        deadline: Seconds for a call, retries included.
        http_client: An `httpx2.AsyncClient` to send with.
        transport: A transport of `httpx2` to send with.
        proxy: URL of a proxy, or URLs by scheme.
        verify: Whether to check certificates, a path of some to trust, or a TLS context.
        limits: Limits of the pool of connections.

    Attributes:
        keys: The keys.
        rate_limits: The rate limits.

    Raises:
        AuthenticationError: There are no credentials; says where they are looked for.
        ArgumentError: An argument is wrong.

    Example:
        >>> async def main():
        ...     async with AsyncAdmin() as admin:
        ...         return [key.name async for key in admin.keys.list(project=project)]
        >>> asyncio.run(main())
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
        http_client: httpx2.AsyncClient | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
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
        self._transport = AsyncTransport(connection(proxy, verify, limits), http)
        self._authenticate(self._transport.environment)
        self.keys = AsyncKeys(self)
        self.rate_limits = AsyncRateLimits(self)

    async def send(self, call: Call[T], options: CallOptions) -> T:
        """Send a call and return its result.

        Raises:
            VoyageError: The call failed.
        """
        complete = self._options(options, call.method)
        return cast("T", await self._transport.run(call, self._parameters(), complete))

    async def aclose(self) -> None:
        """Close the connections of this event loop."""
        await self._transport.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()


class AsyncKeys:
    """Model API keys: `admin.keys`.

    All methods also take `timeout`, `deadline`, `max_retries` and `extra_headers`, for that call
    alone.
    """

    def __init__(self, admin: AsyncAdmin) -> None:
        self._admin = admin

    def list(
        self,
        *,
        project: str | None = None,
        organization: str | None = None,
        page_size: int = calls.PAGE,
        **options: Unpack[CallOptions],
    ) -> AsyncPages[ModelKey]:
        """List the keys of a project or an organization, without their secrets.

        Args:
            project: Id of the project.
            organization: Id of the organization, for the keys of all its projects.
            page_size: Keys per page.

        Returns:
            An async iterable over all of them, loaded page by page; `await .page()` loads one.

        Raises:
            ArgumentError: An argument is wrong; nothing was sent.

        Example:
            >>> async def main():
            ...     async with AsyncAdmin() as admin:
            ...         names = [key.name async for key in admin.keys.list(project=project)]
            ...         return "search" in names
            >>> asyncio.run(main())
            True
        """
        load = calls.list_keys(project, organization, page_size, self._admin.base_url)
        return _pages(self._admin, load, options)

    async def get(
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
            project: Id of its project, or
            organization: Id of its organization.

        Returns:
            The key.

        Raises:
            NotFoundError: There is no such key.
            VoyageError: The call failed.

        Example:
            >>> async def main():
            ...     async with AsyncAdmin() as admin:
            ...         return (await admin.keys.get(key.id, project=project)).status
            >>> asyncio.run(main())
            'ACTIVE'
        """
        return await self._admin.send(calls.get_key(key_id, project, organization), options)

    async def create(
        self,
        name: str,
        *,
        project: str,
        cloud: str = calls.ANY,
        geography: str = calls.ANY,
        **options: Unpack[CallOptions],
    ) -> ModelKey:
        """Create a key. Only this answer has its secret.

        It is sent once, unless it is certain that no key was created: if that is in doubt, the
        error has `outcome_unknown`, and `list` shows whether there is one.

        Args:
            name: Its name, which no other key of the project has.
            project: Id of the project.
            cloud: The cloud it is for.
            geography: The geography it is for; neither can be changed later.

        Returns:
            The key, with `secret`; `.async_client()` makes a client of it.

        Raises:
            ArgumentError: An argument is wrong; nothing was sent.
            VoyageError: The call failed; `code` and the message say why.

        Example:
            >>> async def main():
            ...     async with AsyncAdmin() as admin:
            ...         key = await admin.keys.create("indexing", project=project)
            ...         async with key.async_client() as vo:
            ...             return len(await vo.embed_query("Where are they?", model="voyage-4"))
            >>> asyncio.run(main())
            1
        """
        call = calls.create_key(name, project, cloud, geography, self._admin.base_url)
        return await self._admin.send(call, options)

    async def rename(
        self, key_id: str, name: str, *, project: str, **options: Unpack[CallOptions]
    ) -> ModelKey:
        """Rename a key.

        Args:
            key_id: Id of the key.
            name: Its new name.
            project: Id of its project.

        Returns:
            The key.

        Raises:
            ArgumentError: An argument is wrong; nothing was sent.
            VoyageError: The call failed.

        Example:
            >>> async def main():
            ...     async with AsyncAdmin() as admin:
            ...         found = await admin.keys.rename(key.id, "the web site", project=project)
            ...         return found.name
            >>> asyncio.run(main())
            'the web site'
        """
        return await self._admin.send(calls.rename_key(key_id, name, project), options)

    async def delete(self, key_id: str, *, project: str, **options: Unpack[CallOptions]) -> None:
        """Delete a key, which is refused from then on.

        Args:
            key_id: Id of the key.
            project: Id of its project.

        Raises:
            NotFoundError: There is no such key; after a retry it may be that it is deleted.
            VoyageError: The call failed.

        Example:
            >>> async def main():
            ...     async with AsyncAdmin() as admin:
            ...         old = await admin.keys.create("old", project=project)
            ...         await admin.keys.delete(old.id, project=project)
            >>> asyncio.run(main())
        """
        await self._admin.send(calls.delete_key(key_id, project), options)


class AsyncRateLimits:
    """Rate limits of groups of models: `admin.rate_limits`.

    All methods also take `timeout`, `deadline`, `max_retries` and `extra_headers`, for that call
    alone.
    """

    def __init__(self, admin: AsyncAdmin) -> None:
        self._admin = admin

    def list(
        self,
        *,
        project: str | None = None,
        organization: str | None = None,
        page_size: int = calls.PAGE,
        **options: Unpack[CallOptions],
    ) -> AsyncPages[ModelRateLimit]:
        """List the rate limits of a project or an organization.

        Args:
            project: Id of the project.
            organization: Id of the organization, whose limits no project may exceed.
            page_size: Limits per page.

        Returns:
            An async iterable over all of them, loaded page by page; `await .page()` loads one.

        Raises:
            ArgumentError: An argument is wrong; nothing was sent.

        Example:
            >>> async def main():
            ...     async with AsyncAdmin() as admin:
            ...         limits = admin.rate_limits.list(project=project)
            ...         return "voyage_4" in [limit.group async for limit in limits]
            >>> asyncio.run(main())
            True
        """
        load = calls.list_limits(project, organization, page_size)
        return _pages(self._admin, load, options)

    async def get(
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
            group: Name of the group, as `list` has it.
            project: Id of the project, or
            organization: Id of the organization.
            cloud: The cloud they are for.
            geography: The geography they are for.

        Returns:
            The limits.

        Raises:
            NotFoundError: There is no such group.
            VoyageError: The call failed.

        Example:
            >>> async def main():
            ...     async with AsyncAdmin() as admin:
            ...         return (await admin.rate_limits.get("voyage_4", project=project)).models
            >>> asyncio.run(main())
            ('voyage-4',)
        """
        call = calls.get_limit(group, project, organization, cloud, geography)
        return await self._admin.send(call, options)

    async def of(
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

        All clients of the project share it at the server; `RateLimiter(limit, share=...)` takes a
        part of it.

        Args:
            model: Name of the model.
            project: Id of the project, or
            organization: Id of the organization.
            cloud: The cloud that the key is for.
            geography: The geography that the key is for.

        Returns:
            Requests and tokens per minute.

        Raises:
            ArgumentError: No group has the model.
            VoyageError: A call failed.

        Example:
            >>> async def main():
            ...     async with AsyncAdmin() as admin:
            ...         return (await admin.rate_limits.of("voyage-4", project=project)).rpm > 0
            >>> asyncio.run(main())
            True
        """
        listed = self.list(project=project, organization=organization, **options)
        return of_model(model, [limit async for limit in listed], cloud, geography)

    async def set(
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
            group: Name of the group, as `list` has it.
            project: Id of the project.
            rpm: Requests per minute; no more than the organization's.
            tpm: Tokens per minute; no more than the organization's.
            cloud: The cloud they are for.
            geography: The geography they are for.

        Returns:
            The limits that hold now.

        Raises:
            ArgumentError: An argument is wrong; nothing was sent.
            VoyageError: The call failed.

        Example:
            >>> async def main():
            ...     async with AsyncAdmin() as admin:
            ...         limits = admin.rate_limits
            ...         limit = await limits.set("voyage_4", project=project, rpm=9, tpm=1000)
            ...         return limit.rpm
            >>> asyncio.run(main())
            9
        """
        call = calls.set_limit(group, project, rpm, tpm, cloud, geography)
        return await self._admin.send(call, options)

    async def reset(
        self,
        group: str,
        *,
        project: str,
        cloud: str = calls.ANY,
        geography: str = calls.ANY,
        **options: Unpack[CallOptions],
    ) -> ModelRateLimit:
        """Set the rate limits of a group in a project back to the organization's.

        Args:
            group: Name of the group, as `list` has it.
            project: Id of the project.
            cloud: The cloud they are for.
            geography: The geography they are for.

        Returns:
            The limits that hold now.

        Raises:
            VoyageError: The call failed.

        Example:
            >>> async def main():
            ...     async with AsyncAdmin() as admin:
            ...         return (await admin.rate_limits.reset("voyage_4", project=project)).group
            >>> asyncio.run(main())
            'voyage_4'
        """
        return await self._admin.send(calls.reset_limit(group, project, cloud, geography), options)

    async def reset_all(self, *, project: str, **options: Unpack[CallOptions]) -> None:
        """Set all rate limits of a project back to the organization's.

        Args:
            project: Id of the project.

        Raises:
            VoyageError: The call failed.

        Example:
            >>> async def main():
            ...     async with AsyncAdmin() as admin:
            ...         await admin.rate_limits.reset_all(project=project)
            >>> asyncio.run(main())
        """
        await self._admin.send(calls.reset_limits(project), options)


def _pages(
    admin: AsyncAdmin, load: Callable[[int], Call[Page[T]]], options: CallOptions
) -> AsyncPages[T]:
    return AsyncPages(lambda number: admin.send(load(number), options))
