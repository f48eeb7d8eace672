"""A client connected to an emulator over HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import voyageai
import voyageai_emulator


@pytest.fixture(scope="session")
def url() -> Iterator[str]:
    """The base URL of an emulator."""
    with voyageai_emulator.running() as found:
        yield found


@pytest.fixture
def vo(url: str) -> Iterator[voyageai.Client]:
    """A client of the emulator."""
    with voyageai.Client(api_key="emulator", base_url=url) as client:
        yield client
