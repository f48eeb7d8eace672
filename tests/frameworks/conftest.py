"""A small corpus, and an emulator that frameworks find through environment variables."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from huggingface_hub import constants
from voyageai_emulator import running
from voyageai_emulator.emulator import Emulator

CORPUS = (
    "The lighthouse keeper climbs one hundred and ninety steps to the lamp every evening.",
    "Sourdough bread needs flour, water, salt and a lively starter.",
    "The river flooded the lower valley after three days of rain.",
    "A good violin bow is made of pernambuco wood and horse hair.",
    "Photosynthesis turns sunlight, water and carbon dioxide into sugar.",
)
QUESTION = "Which wood and hair is a violin bow made of?"
ANSWER = 3
"""Index in the corpus of the document that answers the question."""


@pytest.fixture(scope="session")
def server() -> Iterator[Emulator]:
    """Run an emulator."""
    with running() as emulator:
        yield emulator


@pytest.fixture(autouse=True)
def emulator(
    server: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Emulator:
    """Return the emulator, named by the documented environment variables."""
    server.requests.clear()
    monkeypatch.setenv("VOYAGE_API_KEY", "pa-emulated")
    monkeypatch.setenv("VOYAGE_BASE_URL", server.url)
    monkeypatch.setenv("HF_ENDPOINT", server.origin)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path_factory.getbasetemp() / "hub"))
    return server
