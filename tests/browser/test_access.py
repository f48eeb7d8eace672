"""Accessibility: keyboard, screen readers, dark mode and small screens."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from voyageai_emulator.emulator import Emulator

from tests.browser.page import HEIGHT, WIDTH, Visit
from tests.browser.sample_state import fill, play, seen
from tests.emulator.http_helpers import post

expect = pytest.importorskip("playwright.sync_api").expect

# All visible controls that a keyboard can reach, in document order.
REACHABLE = """() => [...document.querySelectorAll("a[href], button, input, select, textarea, [tabindex='0']")]
  .filter((element) => !element.disabled && (element.checkVisibility() || element.matches(".skip")))
  .map((element, i) => { element.dataset.order = i; return element.outerHTML.slice(0, 90); })"""
FOCUSED = """() => {
  const at = document.activeElement;
  const style = getComputedStyle(at);
  return { order: Number(at.dataset.order ?? -1), marked: style.outlineStyle !== "none" && style.outlineWidth !== "0px" };
}"""
# Texts whose contrast with their background is too low for WCAG AA, with the ratio.
FAINT = """() => {
  const numbers = (color) => {
    const [r, g, b, a = 1] = color.match(/-?[\\d.e-]+/g).map(Number);
    const unit = color.startsWith("color(") ? 1 : 255;
    return [r / unit, g / unit, b / unit, a];
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = numbers(getComputedStyle(at).backgroundColor);
      if (color[3] === 1) return color;
      if (color[3] !== 0) throw new Error("half transparent: " + at.outerHTML.slice(0, 90));
    }
    return [1, 1, 1, 1];
  };
  const luminance = (color) => {
    const [r, g, b] = color.slice(0, 3).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = [];
  let looked = 0;
  for (const element of document.body.querySelectorAll("*")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!(own || element.matches("input, select, textarea")) || !element.checkVisibility()) continue;
    looked += 1;
    const one = luminance(numbers(getComputedStyle(element).color)), other = luminance(behind(element));
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (ratio < 4.5) found.push([ratio.toFixed(2), element.outerHTML.slice(0, 120)]);
  }
  return { found, looked };
}"""
# Controls and regions without an accessible name.
UNNAMED = """() => {
  const named = (element) => {
    const labels = element.labels ? [...element.labels].map((label) => label.textContent).join("") : "";
    const by = (element.getAttribute("aria-labelledby") ?? "").split(" ").map((id) => document.getElementById(id)?.textContent ?? "").join("");
    const inner = element.matches("button, a") ? element.textContent : "";
    return Boolean((labels + by + inner + (element.ariaLabel ?? "")).trim());
  };
  const selector = "a, button, input, select, textarea, section, nav, dialog, [role='region'], [role='group'], [tabindex='0']";
  return [...document.querySelectorAll(selector)].filter((element) => !named(element)).map((element) => element.outerHTML.slice(0, 120));
}"""


def test_everything_is_reached_by_the_keyboard_in_order(visit: Visit) -> None:
    """Users without a mouse reach every control, and see which one has the focus."""
    fill(visit.emulator)
    play(visit)
    page = visit.page
    page.reload()
    seen(visit)
    reachable = page.evaluate(REACHABLE)
    for expected, shown in enumerate(reachable):
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        while focused["order"] == expected - 1 and expected:
            # Some controls, such as a file input, have more than one tab stop.
            page.keyboard.press("Tab")
            focused = page.evaluate(FOCUSED)
        assert {"order": expected, "marked": True} == focused, shown
    assert len(reachable) > 50


def test_a_fault_is_planned_without_a_mouse(visit: Visit) -> None:
    """Users must be able to operate a control by keyboard, not only to focus it."""
    keyboard = visit.page.keyboard
    visit.page.get_by_label("Fault", exact=True).focus()
    keyboard.type("gone")
    expect(visit.page.get_by_label("Fault", exact=True)).to_have_value("gone")
    button = visit.page.get_by_role("button", name="Add to the plan")
    for _ in range(10):
        keyboard.press("Tab")
        if button.evaluate("(element) => element === document.activeElement"):
            break
    keyboard.press("Enter")
    expect(visit.part("Faults").get_by_role("listitem")).to_have_count(1)
    assert 410 == post(visit.emulator).status_code


def test_a_control_keeps_the_focus_while_the_page_is_updated(visit: Visit) -> None:
    """The page updates every second, which must not interrupt keyboard users."""
    post(visit.emulator)
    button = visit.page.get_by_role("button", name="Request 1: details")
    button.focus()
    post(visit.emulator)
    expect(visit.rows()).to_have_count(2)
    expect(button).to_be_focused()


def test_the_skip_link_goes_past_the_top(visit: Visit) -> None:
    """It is the first control that the Tab key reaches, so keyboard users skip the header."""
    visit.page.evaluate("() => document.activeElement.blur()")
    visit.page.keyboard.press("Tab")
    link = visit.page.get_by_role("link", name="Skip to the content")
    expect(link).to_be_focused()
    visit.page.keyboard.press("Enter")
    expect(visit.page.get_by_role("main")).to_be_focused()


def test_the_page_is_laid_out_for_screen_readers(visit: Visit) -> None:
    """Landmarks, heading levels, names and table headers tell a screen reader what it reads."""
    fill(visit.emulator)
    play(visit)
    page = visit.page
    assert ["en", 1] == [page.locator("html").get_attribute("lang"), page.locator("h1").count()]
    assert page.title()
    for landmark in ("banner", "navigation", "main"):
        assert 1 == page.get_by_role(landmark).count()
    levels = page.evaluate(
        "() => [...document.querySelectorAll('h1, h2, h3')].filter((h) => h.checkVisibility()).map((h) => +h.tagName[1])"
    )
    assert all(after - before <= 1 for before, after in zip([0, *levels], levels, strict=False))
    assert [] == page.evaluate(UNNAMED)
    ids = page.evaluate("() => [...document.querySelectorAll('[id]')].map((element) => element.id)")
    assert sorted(set(ids)) == sorted(ids)
    referred = page.evaluate(
        """() => [...document.querySelectorAll("[aria-labelledby], [aria-describedby], label, nav a")].flatMap((element) =>
          [element.getAttribute("aria-labelledby"), element.getAttribute("aria-describedby"), element.htmlFor, element.hash?.slice(1)].filter(Boolean))"""
    )
    assert referred
    assert set(referred) <= set(ids)
    assert [] == page.evaluate(
        "() => [...document.querySelectorAll('th')].filter((th) => !th.scope).map((th) => th.outerHTML)"
    )
    assert page.locator("[role='status']").count() >= 5
    assert [] == page.evaluate(
        "() => [...document.querySelectorAll('[tabindex]')].filter((e) => e.tabIndex > 0)"
    )


def keep(page: Any, path: Path) -> None:
    """Save a screenshot of the whole page with a reduced palette, which keeps the file small."""
    picture = Image.open(io.BytesIO(page.screenshot(full_page=True)))
    picture.convert("RGB").quantize(
        method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE
    ).save(path, optimize=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_stand_out_from_what_is_behind_them(
    browser: Any, emulator: Emulator, scheme: str, screenshots: Path
) -> None:
    """All text has enough contrast in both colour schemes, also in the heat map."""
    with Visit.of(browser, emulator, color_scheme=scheme) as visit:
        fill(emulator)
        visit.open()
        play(visit)
        page = visit.page
        page.mouse.move(0, 0)
        page.evaluate("() => document.activeElement.blur()")
        page.evaluate("() => Promise.all(document.getAnimations().map((a) => a.finished))")
        page.evaluate("() => scrollTo(0, 0)")
        faint = page.evaluate(FAINT)
        assert [] == faint["found"]
        assert faint["looked"] > 100
        name = "emulator-page.png" if scheme == "light" else f"emulator-page-{scheme}.png"
        keep(page, screenshots / name)
        page.get_by_role("button", name="Request 1: details").click()
        assert [] == page.evaluate(FAINT)["found"]
        colors = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
        assert ("243" in colors) == (scheme == "light")


@pytest.mark.parametrize("width", [320, 480, 800, 1100])
def test_nothing_is_cut_off_in_a_narrow_window(
    browser: Any, emulator: Emulator, width: int
) -> None:
    """Wide tables scroll inside their own frame, so the page itself never scrolls sideways."""
    size = {"width": width, "height": HEIGHT}
    with Visit.of(browser, emulator, viewport=size) as visit:
        fill(emulator)
        visit.open()
        play(visit)
        assert width >= visit.page.evaluate("() => document.documentElement.scrollWidth")
    assert width < WIDTH


def test_tables_fit_a_window_of_the_usual_width(browser: Any, emulator: Emulator) -> None:
    """The buttons of a row are in its last column, where a user would not scroll to find them."""
    with Visit.of(browser, emulator, viewport={"width": 1280, "height": HEIGHT}) as visit:
        fill(emulator)
        visit.open()
        visit.page.get_by_role("button", name="Errors").wait_for()
        cut_off = """() => [...document.querySelectorAll("table")]
          .map((table) => table.parentElement)
          .filter((frame) => frame.scrollWidth > frame.clientWidth)
          .map((frame) => frame.ariaLabel)"""
        assert [] == visit.page.evaluate(cut_off)


def test_the_similarity_matrix_fits_or_scrolls_in_its_own_box(
    browser: Any, emulator: Emulator
) -> None:
    """A reader would match numbers with the wrong texts if columns were cut off."""
    size = {"width": 1280, "height": HEIGHT}
    with Visit.of(browser, emulator, viewport=size) as visit:
        visit.open()
        playground = visit.part("Playground")
        box = playground.get_by_role("region", name="Similarity of the texts")
        for texts, fits in ((5, True), (12, True), (40, False)):
            lines = "\n".join(f"a text of some length that is number {i}" for i in range(texts))
            visit.page.get_by_label("Texts, one per line").fill(lines)
            playground.get_by_role("button", name="Embed").click()
            expect(box.locator("tbody tr")).to_have_count(texts)
            assert fits == box.evaluate("(box) => box.scrollWidth <= box.clientWidth")
            assert 1280 >= visit.page.evaluate("() => document.documentElement.scrollWidth")
        # The row headers stay visible while the box scrolls.
        box.evaluate("(box) => { box.scrollLeft = 1000; }")
        left = box.get_by_role("rowheader").first.bounding_box()["x"]
        assert left == box.bounding_box()["x"]


def test_reduced_motion_stops_all_animations(browser: Any, emulator: Emulator) -> None:
    """Animations make some people ill, so the page follows their system's setting."""
    with Visit.of(browser, emulator, reduced_motion="reduce") as visit:
        visit.open()
        post(emulator)
        expect(visit.rows()).to_have_count(1)
        moving = """() => [...document.querySelectorAll("*")].filter((element) => {
          const style = getComputedStyle(element);
          return style.animationName !== "none" || style.transitionDuration !== "0s";
        }).length"""
        assert 0 == visit.page.evaluate(moving)
