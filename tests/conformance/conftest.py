"""A running emulator, and the contract to test it against."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import strategies as st
from voyageai_emulator import Emulator, running

from tests.emulator.sample_media import data_url, drawing, encoded
from tests.emulator.web_server import Host, hosting

from .engine import KEY
from .narrowed_contract import Document, narrowed

LINES = (
    {"custom_id": "1", "body": {"input": ["Where are the keys?"]}},
    {"custom_id": "1", "body": {"inputs": [["The river rose.", "It fell in May."]]}},
    {"custom_id": "1", "body": {"query": "Where are the keys?", "documents": ["Here.", "There."]}},
)
FILES = [b"not JSON", *(json.dumps(line).encode() for line in LINES)]
PICTURES = [encoded(drawing(seed, 16, 12)) for seed in (1, 2)]

# Contents of uploaded files.
schemathesis.openapi.format("binary", st.sampled_from(FILES))


@pytest.fixture(scope="session")
def examples(full: bool) -> int:
    """Number of random requests per operation."""
    return 300 if full else 100


@pytest.fixture(scope="session")
def host() -> Iterator[Host]:
    """A web server for images."""
    with hosting() as host:
        yield host


@pytest.fixture(scope="session")
def emulator(host: Host) -> Iterator[Emulator]:
    """An emulator that accepts one API key only."""
    with running(api_key=KEY, allow_hosts=[host.place]) as emulator:
        yield emulator


@pytest.fixture(scope="session")
def contract(host: Host) -> Document:
    """The contract, narrowed to media that the web server has."""
    media = {
        "image_base64": [data_url(picture) for picture in PICTURES],
        "image_url": [
            host.put(f"/{number}.png", picture) for number, picture in enumerate(PICTURES)
        ],
    }
    return narrowed(media)
