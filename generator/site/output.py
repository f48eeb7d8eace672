"""Add plain texts to the built site, and check its links and its size."""

import gzip
import re
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin

from . import pages

FIRST = "index.html"
LOST = "404.html"
"""The page for unknown addresses; its links begin at the root."""
MAX_FIRST_BYTES = 150_000
"""Maximum of compressed bytes of the first page with what it loads, except pictures."""
LOADED = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src"}
"""Attributes with addresses that a browser loads automatically, by tag."""
NOT_FETCHED = {"canonical", "prev", "next", "alternate", "describedby"}
"""Relations of `<link>` elements that a browser does not load."""


class Page(HTMLParser):
    """The links and anchors of an HTML page.

    Attributes:
        links: Targets of its links.
        loaded: Addresses that a browser loads with it.
        anchors: Ids of its elements.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect the id, the link or the loaded address of a tag."""
        values = {name: value or "" for name, value in attrs}
        if "id" in values:
            self.anchors.add(values["id"])
        if tag == "a" and values.get("href"):
            self.links.append(values["href"])
        elif values.get(LOADED.get(tag, "")) and values.get("rel") not in NOT_FETCHED:
            self.loaded.append(values[LOADED[tag]])


def read(site: Path) -> dict[str, Page]:
    """Return the pages of a built site, by name."""
    return {
        path.relative_to(site).as_posix(): Page(path.read_text("utf-8"))
        for path in sorted(site.rglob("*.html"))
    }


def add_texts(site: Path, texts: Mapping[str, str], settings: Any) -> None:
    """Write `llms.txt`, `llms-full.txt` and the Markdown of the pages into the site.

    Args:
        site: Folder of the built site.
        texts: Pages as Markdown, by name.
        settings: Settings of the site.
    """
    lines = [f"# {settings['site_name']}", "", f"> {settings['site_description']}"]
    everything: list[str] = []
    last = ""
    for section, name, file in pages.in_order(settings["nav"]):
        text = texts[file]
        target = site / file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")
        if section != last:
            lines += ["", f"## {section}", ""]
            last = section
        lines.append(f"- [{name}]({file})")
        everything.append(f"<!-- {file} -->\n\n{text.strip()}\n")
    site.joinpath("llms.txt").write_text("\n".join(lines) + "\n", "utf-8")
    site.joinpath("llms-full.txt").write_text("\n".join(everything), "utf-8")


def faults(site: Path) -> Iterator[str]:
    """Yield the faults of a built site: dead links, other hosts, unreachable pages, size."""
    found = read(site)
    found.pop(LOST, None)
    for name, page in found.items():
        for address in page.loaded:
            if re.match(r"(https?:)?//", address):
                yield f"{name} loads {address} from another host"
        for link in [*page.links, *page.loaded]:
            if fault := _dead(site, found, name, link):
                yield fault
    for name in sorted({*found} - reached(found)):
        yield f"no link leads to {name}"
    size = first_page_bytes(site)
    if size > MAX_FIRST_BYTES:
        yield f"{FIRST} has {size:,} bytes, more than {MAX_FIRST_BYTES:,}"


def reached(found: dict[str, Page]) -> set[str]:
    """Return the pages that can be reached by links from the first one."""
    seen: set[str] = set()
    pending = [FIRST]
    while pending:
        name = pending.pop()
        if name in seen or name not in found:
            continue
        seen.add(name)
        pending += [_inside(name, link)[0] for link in found[name].links]
    return seen


def first_page_bytes(site: Path) -> int:
    """Return the compressed bytes of the first page and what it loads, except pictures."""
    page = Page(site.joinpath(FIRST).read_text("utf-8"))
    names = {FIRST, *(_inside(FIRST, address)[0] for address in page.loaded)}
    pictures = (".png", ".svg", ".ico")
    return sum(
        len(gzip.compress(site.joinpath(name).read_bytes()))
        for name in names
        if not name.endswith(pictures)
    )


def _inside(name: str, link: str) -> tuple[str, str]:
    """Return the file and the anchor of a link's target."""
    path, anchor = urldefrag(urljoin(f"http://site/{name}", link))
    return unquote(path.removeprefix("http://site/")), unquote(anchor)


def _dead(site: Path, found: dict[str, Page], name: str, link: str) -> str:
    if re.match(r"[a-z]+:|//", link):
        return ""
    target, anchor = _inside(name, link)
    if not site.joinpath(target).is_file():
        return f"{name} links to {link}, which does not exist"
    if anchor and target in found and anchor not in found[target].anchors:
        return f"{name} links to {link}, whose anchor does not exist"
    return ""
