"""The built site, as a reader opens it from disk; `nox -s docs` builds it first."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from generator.site import output, pages, reference
from generator.site.__main__ import SITE
from tests.browser.conftest import ARGUMENTS, NAMES

SIZES = {"desktop": (1440, 900), "phone": (390, 844)}
LOOKED_AT = ("index.html", "embed.html", "errors.html", "reference/client.html", "how-it-fits.html")


@pytest.fixture(scope="module", autouse=True)
def built() -> Path:
    """The site."""
    assert SITE.joinpath(output.FIRST).is_file(), "build it first: nox -s docs"
    return SITE


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


def address(name: str) -> str:
    """Where a page is on disk."""
    return SITE.joinpath(name).as_uri()


def test_each_page_is_reached_by_links_alone(page):
    """What no link leads to is read by nobody."""
    written = {name for name in output.read(SITE) if name != output.LOST}
    seen, pending = set(), [address(output.FIRST)]
    while pending:
        url = pending.pop()
        if url in seen:
            continue
        seen.add(url)
        page.goto(url)
        links = page.eval_on_selector_all("a[href]", "found => found.map(link => link.href)")
        pending += [link.partition("#")[0] for link in links if ".html" in link and "file:" in link]

    assert {address(name) for name in written} == seen


def test_the_search_finds_from_disk(page):
    """Without a network there is nothing else to ask."""
    page.goto(address(output.FIRST))
    page.keyboard.press("/")
    opened = page.locator("dialog[open]")
    opened.locator("input").first.fill("proxies")
    opened.get_by_text("Proxies and certificates").first.wait_for()


def test_the_first_page_is_light():
    """It is read on phones, in trains."""
    assert output.first_weight(SITE) < output.MOST_BYTES


def test_every_public_name_is_shown():
    """What is not in the reference is not believed to be public."""
    found = output.read(SITE)
    anchors = set().union(
        *(page.anchors for name, page in found.items() if name.startswith("reference/"))
    )
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


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_nothing_is_wider_than_the_screen(browser, size, scheme, tmp_path):
    """A page that is pushed to the side hides what it says. `SITE_SCREENSHOTS` keeps the pictures."""
    folder = Path(os.environ.get("SITE_SCREENSHOTS", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, locale="en-GB"
    )
    page = context.new_page()
    too_wide = []
    for name in LOOKED_AT:
        page.goto(address(name))
        page.screenshot(path=folder / f"{Path(name).stem}-{size}-{scheme}.png")
        if page.evaluate("document.documentElement.scrollWidth") > width:
            too_wide.append(name)
    context.close()

    assert [] == too_wide
