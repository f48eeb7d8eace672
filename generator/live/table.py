"""The table of what is asked, as it stands in probes.yaml."""

import re
from functools import cache
from typing import Any, Literal

from attrs import field, frozen

from .. import paths, spec
from ..spec import Document


@frozen(kw_only=True)
class Probe:
    """One thing to ask, of one or more operations and models; probes.yaml tells the fields."""

    name: str
    shows: str
    at: list[str] = field(factory=list)
    get: str | None = None
    model: Literal["each", "cheapest", "foreign"] | None = None
    texts: list[str] | Literal["prompted"] = field(factory=list)
    over: str | None = None
    forms: bool = False
    body: Document = field(factory=dict)
    raw: str | None = None
    key: Literal["ours", "none", "wrong"] = "ours"
    status: int = 200
    or_status: int | None = None
    message: str | None = None
    has: list[str] = field(factory=list)
    keep: dict[str, str] = field(factory=dict)
    parameters: dict[str, str] = field(factory=dict)
    only: Literal["files", "batch", "limits"] | None = None


@frozen
class Table:
    """All of probes.yaml."""

    probes: list[Probe]
    text: str
    takes: dict[str, Document]
    always: dict[str, list[str]]
    messages: dict[str, str]
    rate_limited: dict[str, str]
    not_catalogued: dict[str, str]
    ordinary_headers: frozenset[str]

    def read(self, message: str, text: str) -> dict[str, str] | None:
        """What a recorded message says in its groups, if that is what a text is."""
        patterns = self.messages | self.rate_limited
        found = re.match(patterns[message], text)
        return None if found is None else found.groupdict()


def number(text: str) -> int:
    """A number as messages have it, such as `1000` or `10K`."""
    return int(text.replace("K", "000"))


@cache
def load() -> Table:
    """Read it."""
    document: dict[str, Any] = spec.load(paths.GENERATOR / "live" / "probes.yaml")
    preamble = document.pop("preamble")
    document["messages"] = {
        name: pattern.replace("{preamble}", preamble)
        for name, pattern in document["messages"].items()
    }
    headers = document.pop("ordinary_headers")
    probes = [Probe(**entry) for entry in document.pop("probes")]
    return Table(
        probes=probes,
        ordinary_headers=frozenset(name for line in headers for name in line),
        **document,
    )
