"""Comparing hosts."""

from collections.abc import Iterator

from .differences import Difference, Place, difference
from .documents import Document
from .operation import Operation, by_url

# What clients know of a host beside its address.
EXTENSIONS = ("x-name", "x-platform", "x-key-prefix")


def compare_servers(old: Document, new: Document) -> Iterator[Difference]:
    """Hosts of the whole document."""
    before, after = by_url(old.raw.get("servers")), by_url(new.raw.get("servers"))
    yield from _urls(set(before), set(after), Place("servers"))
    for url in sorted(before.keys() & after.keys()):
        place = Place("servers", url)
        for key in EXTENSIONS:
            was, now = before[url].get(key), after[url].get(key)
            if was != now:
                kind = "server-stated" if was is None else "server-changed"
                yield difference(kind, place, was, now, name=key, subject=url)
        was, now = before[url].get("description"), after[url].get("description")
        if was != now:
            yield difference("description-changed", place, was, now, name=url, subject=url)


def compare_servers_of(old: Operation, new: Operation, place: Place) -> Iterator[Difference]:
    """Hosts of one operation, where either version does not simply have all of them."""
    was, now = old.servers(), new.servers()
    if was is None and now is None:
        return
    if was is None:
        was = set(by_url(old.document.raw.get("servers")))
    if now is None:
        now = set(by_url(new.document.raw.get("servers")))
    yield from _urls(was, now, place)


def _urls(before: set[str], after: set[str], place: Place) -> Iterator[Difference]:
    for url in sorted(before - after):
        yield difference("server-removed", place, url, None, subject=url)
    for url in sorted(after - before):
        yield difference("server-added", place, None, url, subject=url)
