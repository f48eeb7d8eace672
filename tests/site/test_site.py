"""The built site, as a reader opens it from disk; `nox -s docs` builds it first."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urldefrag, urljoin

import pytest

from generator.site import output, pages, reference
from generator.site.__main__ import SITE
from tests.browser.conftest import ARGUMENTS, NAMES

SIZES = {"desktop": (1440, 900), "phone": (390, 844)}
LOOKED_AT = ("index.html", "embed.html", "errors.html", "reference/client.html", "how-it-fits.html")


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    """There is a site."""
    assert SITE.joinpath(output.FIRST).is_file(), "build it first: nox -s docs"


@pytest.fixture(scope="module")
def pages_by_name() -> dict[str, output.Page]:
    """All pages, read once."""
    return output.read(SITE)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium without a window."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip(f"NO BROWSER: the site is not opened; install one of {', '.join(NAMES)}")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A page without a network. At the end it has asked for nothing but files, and not complained."""
    context = browser.new_context(locale="en-GB")
    asked: list[str] = []
    complaints: list[str] = []
    page = context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    yield page
    context.close()
    assert [] == [url for url in asked if not url.startswith(("file:", "data:", "blob:"))]
    assert [] == complaints


def address(name: str | Path) -> str:
    """Where a page is on disk."""
    return SITE.joinpath(name).as_uri()


def test_each_page_is_reached_by_links_alone(pages_by_name):
    """What no link leads to is read by nobody."""
    seen, pending = set(), [output.FIRST]
    while pending:
        name = pending.pop()
        if name not in seen and name in pages_by_name:
            seen.add(name)
            pending += [urldefrag(urljoin(name, link)).url for link in pages_by_name[name].links]

    assert set(pages_by_name) - {output.LOST} == seen


def test_pages_open_from_disk(page, full):
    """Readers in trains and behind firewalls have no network."""
    for name in [path.relative_to(SITE) for path in SITE.rglob("*.html")] if full else LOOKED_AT:
        page.goto(address(name))


def test_the_search_finds_from_disk(page):
    """Without a network there is nothing else to ask."""
    page.goto(address(output.FIRST))
    page.keyboard.press("/")
    opened = page.locator("dialog[open]")
    opened.locator("input").first.fill("proxies")
    opened.get_by_text("Proxies and certificates").first.wait_for()


def test_the_first_page_is_light():
    """It is read on phones, in trains."""
    assert output.first_page_bytes(SITE) < output.MAX_FIRST_BYTES


def test_every_public_name_is_shown(pages_by_name):
    """What is not in the reference is not believed to be public."""
    reference_pages = [
        page for name, page in pages_by_name.items() if name.startswith("reference/")
    ]
    anchors = set().union(*(page.anchors for page in reference_pages))
    expected = {f"{module}.{name}" for module, names in reference.names().items() for name in names}

    assert len(expected) > 300
    assert set() == expected - anchors
    assert {"voyageai.Client.embed", "voyageai.results.EmbeddingsObject.to_numpy"} <= anchors


def test_texts_for_machines_have_every_page():
    """They are read instead of the pages."""
    files = [file for _, _, file in pages.in_order(pages.config()["nav"])]
    listed = SITE.joinpath("llms.txt").read_text("utf-8")
    everything = SITE.joinpath("llms-full.txt").read_text("utf-8")

    assert [] == [file for file in files if f"]({file})" not in listed]
    assert [] == [file for file in files if f"<!-- {file} -->" not in everything]
    assert [] == [file for file in files if not SITE.joinpath(file).is_file()]
    assert "voyageai.Client.embed(texts: str | Sequence[str]" in everything


@pytest.mark.parametrize("size", SIZES)
def test_nothing_is_wider_than_the_screen(browser, size):
    """A page that is pushed to the side hides what it says.

    `SITE_SCREENSHOTS` names a folder for pictures of these pages, light and dark.
    """
    folder = os.environ.get("SITE_SCREENSHOTS")
    width, height = SIZES[size]
    context = browser.new_context(viewport={"width": width, "height": height}, locale="en-GB")
    page = context.new_page()
    too_wide = []
    for name in LOOKED_AT:
        page.goto(address(name))
        if page.evaluate("document.documentElement.scrollWidth") > width:
            too_wide.append(name)
        for scheme in ("light", "dark") if folder else ():
            page.emulate_media(color_scheme=scheme)
            page.screenshot(path=Path(folder, f"{Path(name).stem}-{size}-{scheme}.png"))
    context.close()

    assert [] == too_wide
