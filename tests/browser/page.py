"""The page object of the emulator's page."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import httpx2
from voyageai_emulator.emulator import Emulator

from tests.emulator.http_helpers import admin

WIDTH, HEIGHT = 1440, 900
# The browser itself logs a refused request to the console.
BY_THE_BROWSER = "Failed to load resource"


class Visit:
    """The emulator's page in a browser, with its requests and its errors.

    Attributes:
        emulator: The emulator of the page.
        page: The page.
        asked: URLs of all requests that the page sent.
        complaints: Messages in the console, and uncaught errors.
    """

    def __init__(self, emulator: Emulator, page: Any) -> None:
        self.emulator = emulator
        self.page = page
        self.asked: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._note)

    @classmethod
    @contextlib.contextmanager
    def of(cls, browser: Any, emulator: Emulator, **options: Any) -> Iterator[Visit]:
        """Visit an emulator, and check at the end that no error occurred."""
        size = {"width": WIDTH, "height": HEIGHT}
        arguments = {"viewport": size, "locale": "en-GB", "timezone_id": "UTC", **options}
        context = browser.new_context(**arguments)
        visit = cls(emulator, context.new_page())
        try:
            yield visit
            visit.check()
        finally:
            context.close()

    @property
    def link(self) -> str:
        """Return the URL of the page with the token."""
        return f"{self.emulator.origin}/#token={self.emulator.admin_token}"

    def open(self) -> None:
        """Open the page by its link, and wait until it shows data."""
        self.page.goto(self.link)
        self.page.get_by_text("Connected", exact=True).wait_for()

    def part(self, name: str) -> Any:
        """Return a section of the page by its heading."""
        return self.page.get_by_role("region", name=name, exact=True)

    def rows(self) -> Any:
        """Return the rows of the requests that are shown."""
        return self.part("Requests").locator("tbody tr:visible")

    def admin(self, method: str, path: str, body: Any = None) -> httpx2.Response:
        """Request an admin route, as the page does."""
        return admin(self.emulator, method, path, body)

    def check(self) -> None:
        """Fail if the page logged an error, requested another server, or put the token in a URL."""
        assert [] == self.complaints
        strangers = [url for url in self.asked if not url.startswith(self.emulator.origin + "/")]
        assert [] == [url for url in strangers if not url.startswith(("data:", "blob:"))]
        token = self.emulator.admin_token
        assert [] == [url for url in self.asked if token in url.partition("#")[0]]
        assert token not in str([request.as_json() for request in self.emulator.requests])

    def _note(self, message: Any) -> None:
        if BY_THE_BROWSER not in message.text:
            self.complaints.append(f"{message.type}: {message.text}")
