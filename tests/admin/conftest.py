"""An emulator, and `Admin` and `AsyncAdmin` behind one calling convention."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any

import anyio
import httpx2
import pytest
from voyageai.admin import Admin, AsyncAdmin
from voyageai.admin.credentials import URL_VARIABLE, VARIABLES
from voyageai_emulator import Emulator, running

PROJECT = "65f0a1b2c3d4e5f6a7b8c9d0"
ORGANIZATION = "5f0e1d2c3b4a596877665544"
ACCOUNT = {"client_id": "an-account", "client_secret": "a-very-secret-text"}


class Blocking:
    """`Admin`, called by names of methods."""

    def __init__(self, **settings: Any) -> None:
        self.admin = Admin(**settings)

    def __call__(self, method: str, *args: Any, **options: Any) -> Any:
        """Call a method such as `keys.create`; return all items of a list."""
        found = attrgetter(method)(self.admin)(*args, **options)
        return list(found) if method.endswith("list") else found

    def close(self) -> None:
        """Close the connections."""
        self.admin.close()

    def page(self, method: str, number: int, **options: Any) -> Any:
        """Return one page of a list."""
        return attrgetter(method)(self.admin)(**options).page(number)


class Asynchronous:
    """`AsyncAdmin`, called by names of methods, each time on a new event loop."""

    def close(self) -> None:
        """Do nothing: each call closes its connections."""

    def __init__(self, **settings: Any) -> None:
        self.admin = AsyncAdmin(**settings)

    def __call__(self, method: str, *args: Any, **options: Any) -> Any:
        """Call a method such as `keys.create`; return all items of a list."""

        async def call() -> Any:
            found = attrgetter(method)(self.admin)(*args, **options)
            if method.endswith("list"):
                result: Any = [item async for item in found]
            else:
                result = await found
            await self.admin.aclose()
            return result

        return anyio.run(call)

    def page(self, method: str, number: int, **options: Any) -> Any:
        """Return one page of a list."""

        async def call() -> Any:
            page = await attrgetter(method)(self.admin)(**options).page(number)
            await self.admin.aclose()
            return page

        return anyio.run(call)


FACES = (Blocking, Asynchronous)


class Transport(httpx2.MockTransport):
    """A mock transport for both classes, which records requests."""

    def __init__(self, answer: Callable[[httpx2.Request], httpx2.Response]) -> None:
        self.requests: list[httpx2.Request] = []

        def record(request: httpx2.Request) -> httpx2.Response:
            self.requests.append(request)
            return answer(request)

        super().__init__(record)

    @property
    def paths(self) -> list[str]:
        """Return method and last path segment of each request."""
        return [f"{each.method} {each.url.path.rpartition('/')[2]}" for each in self.requests]


def token(number: int = 1, seconds: object = 3600) -> httpx2.Response:
    """Return the response to a request for a token."""
    body = {"access_token": f"token-{number}", "expires_in": seconds, "token_type": "Bearer"}
    return httpx2.Response(200, json=body)


@pytest.fixture(autouse=True)
def _no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove credentials from the environment."""
    for name in (*VARIABLES.values(), URL_VARIABLE):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """Run an emulator for one test, with its own limits and keys."""
    with running(admin_credentials={ACCOUNT["client_id"]: ACCOUNT["client_secret"]}) as url:
        yield url


@pytest.fixture(params=FACES, ids=["sync", "async"])
def face(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Return a function that creates `Admin` or `AsyncAdmin`; closes them after the test."""
    made: list[Any] = []

    def make(**settings: Any) -> Any:
        made.append(request.param(**settings))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def admin(face: Any, emulator: Emulator) -> Any:
    """Return `Admin` or `AsyncAdmin` with the service account."""
    return face(**ACCOUNT, base_url=emulator.origin)
