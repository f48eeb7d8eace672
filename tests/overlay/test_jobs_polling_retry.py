"""Searching the server's lists, in any order, for a batch that may have been created."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from voyageai.batches import JobTimings
from voyageai.batches.jobs.sending import PollingRetry

START = datetime(2026, 1, 1, tzinfo=UTC)
PER_PAGE = 20


class Server:
    """A list of a hundred items in pages, one created each hour."""

    def __init__(self, is_newest_first: bool) -> None:
        things = [
            SimpleNamespace(number=n, created_at=START + timedelta(hours=n)) for n in range(100)
        ]
        self._things = things[::-1] if is_newest_first else things
        self.pages = 0

    def page(self, after: str | None) -> Any:
        """Return the page that follows a position."""
        self.pages += 1
        end = int(after or 0) + PER_PAGE
        data = self._things[end - PER_PAGE : end]
        return SimpleNamespace(data=data, has_more=end < len(self._things), last_id=str(end))

    def find(self, number: int, since: datetime) -> Any:
        """Run the search; return the batch that it finds."""
        flow = PollingRetry(JobTimings(), lambda: 0.5).find(
            self.page, lambda one: one.number == number, since
        )
        answer = None
        while True:
            try:
                answer = flow.send(answer).message
            except StopIteration as done:
                return done.value


@pytest.mark.parametrize("is_newest_first", [True, False])
def test_a_batch_is_found_whatever_the_order_of_the_list(is_newest_first: bool) -> None:
    """A batch that is missed is paid for twice, and the API does not document the order."""
    server = Server(is_newest_first)
    assert 90 == server.find(90, START + timedelta(hours=89)).number
    assert server.find(200, START + timedelta(hours=89)) is None


def test_a_search_stops_at_older_batches() -> None:
    """An organization may have thousands of batches, and older ones need no look."""
    server = Server(True)
    assert server.find(200, START + timedelta(hours=89)) is None
    assert 1 == server.pages
