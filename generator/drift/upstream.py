"""Our contract held against those that others publish, but for what is known to differ."""

import argparse
import hashlib
import json
import sys
from collections.abc import Callable, Sequence
from typing import Any

from attrs import frozen

from .. import paths
from ..spec import GenerationError
from .contracts import Contract, compare
from .differences import Difference
from .documents import DriftError
from .form import well_formed
from .known import KNOWN, Definition, Known, read
from .loading import load
from .operation import operations
from .reports import ANY, FAILED, VERSION, as_markdown, as_text, status

NOTHING_NEW = "No differences beyond those already listed."
UNREAD = f"Its text has changed since it was last read. Read it, then set in {KNOWN.name}:"


@frozen
class Outcome:
    """What came of one published definition.

    Attributes:
        name: Where it was read.
        definition: Which one it is; None if it is not known.
        unlisted: Differences that nobody has explained.
        listed: How many were, and dropped out.
        gone: Listed disagreements that are none any more.
        unread: Digest of the text, if it is not the one that was read.
    """

    name: str
    definition: Definition | None
    unlisted: list[Difference]
    listed: int
    gone: list[str]
    unread: str | None

    def status(self, fail_on: str | None) -> int:
        """As for other comparisons; what is no longer so, or unread, counts for `any` alone."""
        noted = fail_on == ANY and (self.gone or self.unread)
        return max(status(self.unlisted, fail_on), 1 if noted else 0)


def hold_against(ours: Contract, published: Contract, known: Known) -> Outcome:
    """Compare our contract with a published one: what would change for us if it were right."""
    definition = recognized(published, known)
    listed = [
        disagreement
        for disagreement in known.disagreements
        if definition is None or definition.name in disagreement.definitions
    ]
    covered: list[list[Difference]] = [[] for _ in listed]
    unlisted = []
    for difference in compare(ours, published):
        positions = [i for i, entry in enumerate(listed) if entry.covers(difference)]
        for position in positions:
            covered[position].append(difference)
        if not positions:
            unlisted.append(difference)
    gone = [
        f"{entry.about}: {lost}"
        for entry, differences in zip(listed, covered, strict=True)
        if definition is not None
        for lost in entry.gone(differences)
    ]
    count = len({id(difference) for differences in covered for difference in differences})
    text = digest(published)
    is_read = definition is None or definition.read in (None, text)
    return Outcome(published.name, definition, unlisted, count, gone, None if is_read else text)


def digest(published: Contract) -> str:
    """What tells a text from another one, however it is laid out."""
    raw = published.openapi.raw if published.openapi else None
    return hashlib.sha256(json.dumps(raw, sort_keys=True).encode()).hexdigest()


def recognized(published: Contract, known: Known) -> Definition | None:
    """Which known definition it is: the one most of whose operations' ids are all in it."""
    if published.openapi is None:
        raise DriftError(f"{published.name} is not an OpenAPI document")
    found = {
        operation.node.get("operationId") for operation in operations(published.openapi).values()
    }
    fitting = [entry for entry in known.definitions if entry.operation_ids <= found]
    return max(fitting, key=lambda entry: len(entry.operation_ids), default=None)


def run(parser: argparse.ArgumentParser, given: Sequence[str]) -> int:
    """Compare our contract with published definitions, and return the exit status."""
    known = read()
    parser.prog += " upstream"
    parser.description = "Compare spec/ with the definitions that vendors publish."
    parser.add_argument(
        "published",
        nargs="*",
        default=[entry.url for entry in known.definitions if entry.url],
        help="files or URLs; by default the known URLs",
    )
    parser.add_argument(
        "--ours",
        default=str(paths.SPEC),
        help="the contract to compare with them; spec/ by default",
    )
    chosen = parser.parse_args(given)
    ours = load(chosen.ours)
    outcomes, failures = [], []
    for place in chosen.published:
        try:
            published = load(place)
            with well_formed(ours, published):
                outcomes.append(hold_against(ours, published, known))
        except GenerationError as error:
            failures.append(str(error))  # the others can still be compared
    if chosen.format == "json":
        report = {"version": VERSION, "ours": ours.name, "published": [_json(o) for o in outcomes]}
        print(json.dumps(report, indent=2, ensure_ascii=False))
    else:
        show = as_markdown if chosen.format == "markdown" else as_text
        print("\n\n".join(_shown(outcome, ours, show) for outcome in outcomes))
    for failure in failures:
        print(failure, file=sys.stderr)
    if failures:
        return FAILED
    return max((outcome.status(chosen.fail_on) for outcome in outcomes), default=0)


def _shown(outcome: Outcome, ours: Contract, show: Callable[..., str]) -> str:
    known = outcome.definition
    lines = [
        show(ours.name, outcome.name, outcome.unlisted, same=NOTHING_NEW),
        "",
        f"This is {known.title}." if known else f"This definition is not in {KNOWN.name}.",
        f"Differences left out, as {KNOWN.name} lists them: {outcome.listed}.",
    ]
    if outcome.gone:
        lines += ["", "Listed, but no longer different:", ""]
        lines += [f"- {entry}" for entry in outcome.gone]
    if outcome.unread:
        lines += ["", UNREAD, "", f"    read: {outcome.unread}"]
    return "\n".join(lines)


def _json(outcome: Outcome) -> dict[str, Any]:
    return {
        "name": outcome.name,
        "definition": outcome.definition.name if outcome.definition else None,
        "listed": outcome.listed,
        "gone": outcome.gone,
        "unread": outcome.unread,
        "differences": [difference.as_json() for difference in outcome.unlisted],
    }
