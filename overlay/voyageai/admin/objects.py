"""Public objects: keys, rate limits, and lists of them that are loaded page by page."""

from __future__ import annotations

import datetime
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, Unpack
from urllib.parse import urlsplit

from attrs import asdict, evolve, field, frozen
from voyageai_rest.operations import SERVERS
from voyageai_rest.types import Unset

from ..error import ArgumentError
from ..keys import ApiKey
from ..ratelimit import RateLimit

if TYPE_CHECKING:
    from voyageai_admin_rest import models as rest

    from .._base import ClientOptions
    from ..client import Client
    from ..client_async import AsyncClient

T = TypeVar("T")


@frozen(kw_only=True, slots=False)
class ModelKey:
    """A model API key.

    The secret is only in the result of `create`. No repr shows it, and no pickle holds it.

    Attributes:
        id: Id of the key.
        name: Name of the key.
        project: Id of the project.
        cloud: Cloud of the key; `ANY` for none in particular.
        geography: Geography of the key; `ANY` for none in particular.
        endpoint: The host that accepts the key.
        masked_secret: The masked key, such as `al-****8f2k`.
        status: State of the key, such as `ACTIVE`.
        created_at: Time of creation, as the server's text.
        last_used_at: Time of the last use, as the server's text; None if it was never used.
        created_by: Name or id of the user who created it.
        secret: The key itself, from `create`; None otherwise.

    Example:
        >>> key = admin.keys.create("indexing", project=project)
        >>> key.secret in repr(key)
        False
        >>> with key.client() as vo:
        ...     vo.embed_query("Where are the keys?", model="voyage-4").to_numpy().shape
        (1, 1024)
    """

    id: str | None = None
    name: str | None = None
    project: str | None = None
    cloud: str | None = None
    geography: str | None = None
    endpoint: str | None = None
    masked_secret: str | None = None
    status: str | None = None
    created_at: str | None = None
    last_used_at: str | None = None
    created_by: str | None = None
    secret: ApiKey | None = field(default=None, repr=False)
    _admin_url: str = field(default="", repr=False, eq=False, alias="admin_url")

    @classmethod
    def of(cls, model: rest.ModelKey, admin_url: str = "") -> Self:
        """Return the key that a response describes.

        Args:
            model: The response.
            admin_url: Base URL of the administration API.
        """
        secret = _given(model.secret)
        return cls(
            id=_given(model.api_key_id),
            name=_given(model.name),
            project=_given(model.group_id),
            cloud=_given(model.cloud),
            geography=_given(model.geography),
            endpoint=_given(model.endpoint),
            masked_secret=_given(model.masked_secret),
            status=_given(model.status),
            created_at=_given(model.created_at),
            last_used_at=_given(model.last_used_at),
            created_by=_given(model.created_by),
            secret=None if secret is None else ApiKey(secret),
            admin_url=admin_url,
        )

    @property
    def created(self) -> datetime.datetime | None:
        """Time of creation; None if the server's text can't be parsed."""
        return _time(self.created_at)

    @property
    def last_used(self) -> datetime.datetime | None:
        """Time of the last use; None if there was none, or the server's text can't be parsed."""
        return _time(self.last_used_at)

    @property
    def base_url(self) -> str:
        """The base URL of the API for this key."""
        endpoint = self.endpoint or ""
        for server in SERVERS:
            if urlsplit(server.url).netloc == endpoint:
                return server.url
        own = urlsplit(self._admin_url)
        scheme = own.scheme if own.netloc == endpoint else "https"  # an emulator's host serves both
        return f"{scheme}://{endpoint}{urlsplit(SERVERS[0].url).path}"

    def client(self, **options: Unpack[ClientOptions]) -> Client:
        """Return a client with this key, for the host that accepts it.

        Args:
            options: Keyword arguments of `voyageai.Client`; `base_url` replaces the host.

        Raises:
            ArgumentError: The secret is not known, as the key is not the result of `create`.
        """
        from ..client import Client

        return Client(**self._arguments(options))

    def async_client(self, **options: Unpack[ClientOptions]) -> AsyncClient:
        """Return an asynchronous client with this key, as `client` does."""
        from ..client_async import AsyncClient

        return AsyncClient(**self._arguments(options))

    def _arguments(self, options: ClientOptions) -> ClientOptions:
        if self.secret is None:
            raise ArgumentError(
                f"the secret of the key {self.name!r} is not known: only the result of create() "
                "has it; pass the secret that you kept to voyageai.Client",
                "api_key",
            )
        return {"base_url": self.base_url, **options, "api_key": self.secret}

    def __reduce__(self) -> tuple[Any, ...]:
        kept = asdict(evolve(self, secret=None))
        kept["admin_url"] = kept.pop("_admin_url")
        return partial(type(self), **kept), ()

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self


@frozen(kw_only=True)
class ModelRateLimit:
    """The rate limits of a group of models.

    Attributes:
        group: Name of the group.
        models: Names of the models in the group.
        rpm: Requests per minute; None if unknown.
        tpm: Tokens per minute; None if unknown.
        cloud: Cloud of the limits; `ANY` for none in particular.
        geography: Geography of the limits; `ANY` for none in particular.
        endpoint: Host of the limits.
    """

    group: str | None = None
    models: tuple[str, ...] = ()
    rpm: int | None = None
    tpm: int | None = None
    cloud: str | None = None
    geography: str | None = None
    endpoint: str | None = None

    @classmethod
    def of(cls, model: rest.ModelRateLimit) -> Self:
        """Return the limits that a response describes."""
        return cls(
            group=_given(model.model_group_name),
            models=tuple(model.model_names or ()),
            rpm=_given(model.requests_per_minute_limit),
            tpm=_given(model.tokens_per_minute_limit),
            cloud=_given(model.cloud),
            geography=_given(model.geography),
            endpoint=_given(model.endpoint),
        )

    @property
    def rate_limit(self) -> RateLimit:
        """The limits in the form for `Client(rate_limit=...)`.

        Raises:
            ArgumentError: Neither limit is known.
        """
        return RateLimit(rpm=self.rpm, tpm=self.tpm)


@frozen
class Page(Generic[T]):
    """A page of a list.

    Attributes:
        data: Items of the page.
        number: Number of the page, from 1.
        total: Estimated number of items on all pages; None if unknown.
        has_more: True if another page follows.
    """

    data: list[T]
    number: int
    total: int | None
    has_more: bool

    @classmethod
    def of(cls, items: list[T], model: Any, number: int, size: int) -> Page[T]:
        """Return the page that a response describes.

        Args:
            items: Items of the page.
            model: The response.
            number: Number of the page.
            size: Number of items on a full page.
        """
        links = model.links
        if isinstance(links, Unset):
            has_more = len(items) >= size
        else:
            has_more = any(link.rel == "next" for link in links)
        return cls(items, number, _given(model.total_count), has_more=has_more and bool(items))


class Pages(Generic[T]):
    """An iterable over all items of a list, loaded page by page.

    Args:
        load: Function that loads the page with a number.
    """

    def __init__(self, load: Callable[[int], Page[T]]) -> None:
        self._load = load

    def page(self, number: int = 1) -> Page[T]:
        """Load a page.

        Raises:
            VoyageError: The call failed.
        """
        return self._load(number)

    def pages(self) -> Iterator[Page[T]]:
        """Yield the pages, each loaded when it is needed.

        Raises:
            VoyageError: A call failed.
        """
        page = self._load(1)
        yield page
        while page.has_more:
            page = self._load(page.number + 1)
            yield page

    def __iter__(self) -> Iterator[T]:
        for page in self.pages():
            yield from page.data


class AsyncPages(Generic[T]):
    """`Pages` with `async for` and `await`."""

    def __init__(self, load: Callable[[int], Awaitable[Page[T]]]) -> None:
        self._load = load

    async def page(self, number: int = 1) -> Page[T]:
        """Load a page.

        Raises:
            VoyageError: The call failed.
        """
        return await self._load(number)

    async def pages(self) -> AsyncIterator[Page[T]]:
        """Yield the pages, each loaded when it is needed.

        Raises:
            VoyageError: A call failed.
        """
        page = await self._load(1)
        yield page
        while page.has_more:
            page = await self._load(page.number + 1)
            yield page

    async def __aiter__(self) -> AsyncIterator[T]:
        async for page in self.pages():
            for item in page.data:
                yield item


def of_model(model: str, limits: list[ModelRateLimit], cloud: str, geography: str) -> RateLimit:
    """Return the limit of a model.

    Raises:
        ArgumentError: No group contains the model.
    """
    for limit in limits:
        if model in limit.models and (limit.cloud, limit.geography) == (cloud, geography):
            return limit.rate_limit
    known = sorted({name for limit in limits for name in limit.models})
    raise ArgumentError(
        f"no group of models for cloud {cloud} and geography {geography} has {model!r}; the "
        f"groups have {', '.join(known) or 'none'}",
        "model",
    )


def _given(value: T | Unset) -> T | None:
    return None if isinstance(value, Unset) else value


def _time(text: str | None) -> datetime.datetime | None:
    try:
        return datetime.datetime.fromisoformat(text or "")
    except ValueError:
        return None
