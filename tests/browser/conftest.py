"""A browser with the page of an emulator."""

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
    """A headless Chromium."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip(f"NO BROWSER: the page is not tested; install one of {', '.join(NAMES)}")
    sync_api = pytest.importorskip("playwright.sync_api")
    # Long enough for a busy machine.
    sync_api.expect.set_options(timeout=20_000)
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """A new emulator for each test, as the page changes its state."""
    with running(admin_token="chosen-token") as emulator:
        yield emulator


@pytest.fixture
def visit(browser: Any, emulator: Emulator) -> Iterator[Visit]:
    """The page, opened by its link; the test fails if the page logged an error."""
    with Visit.of(browser, emulator) as visit:
        visit.open()
        yield visit


@pytest.fixture
def screenshots(tmp_path: Path) -> Path:
    """Folder for screenshots: a temporary one, or the one that `EMULATOR_SCREENSHOT` names.

    With `EMULATOR_SCREENSHOT=docs/images`, the tests write those of the documentation.
    """
    folder = Path(os.environ.get("EMULATOR_SCREENSHOT", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    return folder
