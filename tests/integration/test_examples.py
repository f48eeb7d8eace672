"""The examples in the docstrings run against the emulator."""

from __future__ import annotations

import asyncio
import doctest
import importlib
import importlib.util
import os
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import voyageai
import voyageai_emulator

from tests.overlay.sample_videos import film

# The examples of the emulator, of local models and of data engines run in their own tests.
ELSEWHERE = ("voyageai_emulator", "voyageai.local", "voyageai.integrations")


def modules() -> Iterator[str]:
    """Return every module of the client that has an example."""
    for found in pkgutil.walk_packages(voyageai.__path__, "voyageai."):
        if not found.name.startswith(ELSEWHERE):
            source = importlib.util.find_spec(found.name).origin
            if ">>> " in Path(source).read_text(encoding="utf-8"):
                yield found.name


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Run in an empty folder, with a key and a base URL in the environment."""
    with voyageai_emulator.running() as emulator:
        emulator.batches.pace(0.01)  # slow enough for an example to cancel a job
        monkeypatch.setenv("VOYAGE_API_KEY", "emulator")
        monkeypatch.setenv("VOYAGE_BASE_URL", emulator.url)
        monkeypatch.setenv("HF_ENDPOINT", emulator.url.removesuffix("/v1"))
        monkeypatch.setenv("MONGODB_ATLAS_CLIENT_ID", "emulator")
        monkeypatch.setenv("MONGODB_ATLAS_CLIENT_SECRET", "emulator")
        monkeypatch.setenv("MONGODB_ATLAS_BASE_URL", emulator.origin)
        monkeypatch.chdir(tmp_path)
        yield tmp_path


@pytest.mark.parametrize("name", list(modules()))
def test_the_examples_in_the_docstrings_run(name, place):
    """Users copy the examples unchanged."""
    if name == "voyageai.media.video":
        film(place / "lecture.mp4", "64x64", "4", 8)
    with voyageai.Client() as vo, voyageai.admin.Admin() as admin:
        names = {"voyageai": voyageai, "vo": vo, "asyncio": asyncio, "os": os}
        if name.startswith("voyageai.admin."):
            project = "65f0a1b2c3d4e5f6a7b8c9d0"
            key = admin.keys.create("search", project=project)
            names |= {"admin": admin, "project": project, "key": key}
        outcome = doctest.testmod(importlib.import_module(name), extraglobs=names)

    assert (True, 0) == (outcome.attempted > 0, outcome.failed)
