"""A real browser that looks at a page of an emulator, and what must hold whatever it does there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from voyageai_emulator import running
from voyageai_emulator.emulator import Emulator

from tests.browser.page import Visit

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium without a window."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip(f"NO BROWSER: the page is not tested; install one of {', '.join(NAMES)}")
    sync_api = pytest.importorskip("playwright.sync_api")
    # What it does not find in time is not there; only a loaded machine takes so long.
    sync_api.expect.set_options(timeout=20_000)
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """An emulator of its own for each test, as the page changes it."""
    with running(admin_token="chosen-token") as emulator:
        yield emulator


@pytest.fixture
def visit(browser: Any, emulator: Emulator) -> Iterator[Visit]:
    """A page that was opened by its link. At the end nothing may have gone wrong in it."""
    with Visit.of(browser, emulator) as visit:
        visit.open()
        yield visit


@pytest.fixture
def screenshots(tmp_path: Path) -> Path:
    """Folder for pictures: one that passes, or that of `EMULATOR_SCREENSHOT`, to keep them.

    Those of the documentation are made so, with `docs/images`.
    """
    folder = Path(os.environ.get("EMULATOR_SCREENSHOT", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    return folder
