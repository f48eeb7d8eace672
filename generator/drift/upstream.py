"""Compare our contracts with published definitions, without known differences.

spec/known-disagreements.yaml lists the known differences and their reasons.
"""

import argparse
import hashlib
import json
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from attrs import evolve, frozen
from jsonschema import Draft202012Validator

from .. import paths, spec
from ..spec import GenerationError
from .contracts import Contract, compare
from .differences import Difference
from .documents import DriftError, operations, part_of
from .loading import explain_malformed, load
from .reports import ANY, FAILED, VERSION, as_markdown, as_text, status

KNOWN = paths.SPEC / "known-disagreements.yaml"
KNOWN_SCHEMA = paths.SPEC / "known-disagreements.schema.json"


@frozen
class Definition:
    """A known published definition.

    Attributes:
        name: Key in known-disagreements.yaml.
        title: Title in reports.
        url: URL to download it from; None if it never changes or has none.
        operation_ids: Ids of operations that identify it.
        contract: Package of our contract of the same API; None for the first.
        paths: Patterns of the paths to compare; None for all.
        read: Digest of the text that was reviewed; None if none was.
    """

    name: str
    title: str
    url: str | None
    operation_ids: frozenset[str]
    contract: str | None
    paths: tuple[str, ...] | None
    read: str | None


@frozen
class Disagreement:
    """A known disagreement of published definitions with ours, and its reason.

    Attributes:
        about: Subject of the disagreement.
        reason: Reason to keep our contract.
        definitions: Names of the definitions that disagree.
        kinds: Kinds of the differences.
        paths: Patterns of the paths of the differences.
        values: Values of the differences, old or new; None for any.
        lasting: True if the differences may disappear without being reported.
    """

    about: str
    reason: str
    definitions: frozenset[str]
    kinds: tuple[str, ...]
    paths: tuple[str, ...]
    values: tuple[Any, ...] | None
    lasting: bool

    def covers(self, difference: Difference) -> bool:
        """Return whether this disagreement explains a difference."""
        return (
            difference.kind in self.kinds
            and any(matches(pattern, difference.path) for pattern in self.paths)
            and (
                self.values is None
                or difference.before in self.values
                or difference.after in self.values
            )
        )

    def gone(self, covered: Sequence[Difference]) -> list[str]:
        """Return the kinds, paths and values that no difference has any more."""
        if self.lasting:
            return []
        kinds = {difference.kind for difference in covered}
        values = [value for item in covered for value in (item.before, item.after)]
        return (
            [kind for kind in self.kinds if kind not in kinds]
            + [
                pattern
                for pattern in self.paths
                if not any(matches(pattern, difference.path) for difference in covered)
            ]
            + [str(value) for value in self.values or () if value not in values]
        )


@frozen
class Known:
    """The content of spec/known-disagreements.yaml."""

    definitions: tuple[Definition, ...]
    disagreements: tuple[Disagreement, ...]


def matches(pattern: str, path: str) -> bool:
    """Return whether a path matches a pattern, in which `*` matches any characters."""
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), path) is not None


def read_known(known: Any = None) -> Known:
    """Read the known disagreements.

    Args:
        known: Content of the file; by default read from spec/.

    Raises:
        DriftError: The content does not match its schema; the message says where.
    """
    raw = spec.load(KNOWN) if known is None else known
    schema = spec.load(KNOWN_SCHEMA)
    for error in Draft202012Validator(schema).iter_errors(raw):
        where = ".".join(map(str, error.absolute_path))
        raise DriftError(f"{KNOWN.name}:{where}: {error.message}")
    return Known(
        tuple(
            Definition(
                name,
                node["title"],
                node.get("url"),
                frozenset(node["operation_ids"]),
                node.get("contract"),
                tuple(node["paths"]) if "paths" in node else None,
                node.get("read"),
            )
            for name, node in raw["definitions"].items()
        ),
        tuple(
            Disagreement(
                node["about"],
                node["reason"],
                frozenset(node.get("in", raw["definitions"])),
                tuple(node["kinds"]),
                tuple(node["paths"]),
                tuple(node["values"]) if "values" in node else None,
                node.get("lasting", False),
            )
            for node in raw["disagreements"]
        ),
    )


NOTHING_NEW = "No differences beyond those already listed."
UNREAD = f"Its text has changed since it was last read. Read it, then set in {KNOWN.name}:"


@frozen
class Outcome:
    """The result for one published definition.

    Attributes:
        name: File or URL of the definition.
        ours: Name of our contract that it was compared with.
        definition: The known definition; None if it is not known.
        unlisted: Differences that no known disagreement explains.
        listed: Number of differences that known disagreements explain.
        gone: Parts of known disagreements that no difference has any more.
        unread: Digest of the text, if it has changed since it was reviewed.
    """

    name: str
    ours: str
    definition: Definition | None
    unlisted: list[Difference]
    listed: int
    gone: list[str]
    unread: str | None

    def status(self, fail_on: str | None) -> int:
        """Return the exit status; `gone` and `unread` fail only `any`."""
        noted = fail_on == ANY and (self.gone or self.unread)
        return max(status(self.unlisted, fail_on), 1 if noted else 0)


def compare_published(ours: Contract, published: Contract, known: Known) -> Outcome:
    """Compare our contract with a published one, as if ours should become the published one."""
    definition = identify(published, known)
    ours = counterpart(ours, published, definition)
    if definition is not None and definition.paths is not None and published.openapi is not None:
        patterns = definition.paths
        part = part_of(
            published.openapi, lambda path: any(matches(pattern, path) for pattern in patterns)
        )
        published = evolve(published, openapi=part)
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
    return Outcome(
        published.name, ours.name, definition, unlisted, count, gone, None if is_read else text
    )


def digest(published: Contract) -> str:
    """Return a digest of a document, independent of its layout."""
    raw = published.openapi.raw if published.openapi else None
    return hashlib.sha256(json.dumps(raw, sort_keys=True).encode()).hexdigest()


def counterpart(ours: Contract, published: Contract, definition: Definition | None) -> Contract:
    """Return our contract of the API that a published one describes.

    Args:
        ours: All our contracts.
        published: The published contract.
        definition: The known definition; if None, our contract with the most operations in common
            is chosen.

    Raises:
        DriftError: The definition names a contract that we do not have.
    """
    others = ours.others or {}
    if not others:
        return ours
    named: dict[str | None, Contract] = {None: ours}
    named |= {name: Contract(f"{ours.name}: {name}", openapi) for name, openapi in others.items()}
    if definition is not None:
        if definition.contract not in named:
            raise DriftError(
                f"{KNOWN.name}: {definition.name} is about {definition.contract}, which "
                f"{ours.name} does not have; leave `contract` out for the first"
            )
        return evolve(named[definition.contract], others=None)

    def common(contract: Contract) -> int:
        documents = (contract.openapi, published.openapi)
        old, new = (set(operations(each)) if each else set[str]() for each in documents)
        return len(old & new)

    return evolve(max(named.values(), key=common), others=None)


def identify(published: Contract, known: Known) -> Definition | None:
    """Return the known definition with the most operation ids, all of which the contract has."""
    if published.openapi is None:
        raise DriftError(f"{published.name} is not an OpenAPI document")
    found = {
        operation.node.get("operationId") for operation in operations(published.openapi).values()
    }
    fitting = [entry for entry in known.definitions if entry.operation_ids <= found]
    return max(fitting, key=lambda entry: len(entry.operation_ids), default=None)


def run(parser: argparse.ArgumentParser, given: Sequence[str]) -> int:
    """Compare our contracts with published definitions, and return the exit status."""
    parser.prog += " upstream"
    parser.description = "Compare spec/ with the definitions that vendors publish."
    parser.add_argument(
        "published",
        nargs="*",
        help="files or URLs; by default the known URLs",
    )
    parser.add_argument(
        "--known",
        type=Path,
        default=KNOWN,
        help="the list of known definitions and disagreements; that of spec/ by default",
    )
    parser.add_argument(
        "--ours",
        default=str(paths.SPEC),
        help="the contracts to compare with them; spec/ by default",
    )
    chosen = parser.parse_args(given)
    ours, known = load(chosen.ours), read_known(spec.load(chosen.known))
    outcomes, failures = [], []
    for place in chosen.published or [entry.url for entry in known.definitions if entry.url]:
        try:
            published = load(place)
            with explain_malformed(ours, published):
                outcomes.append(compare_published(ours, published, known))
        except GenerationError as error:
            failures.append(str(error))  # continue with the others
    if chosen.format == "json":
        report = {"version": VERSION, "ours": ours.name, "published": [_json(o) for o in outcomes]}
        print(json.dumps(report, indent=2, ensure_ascii=False))
    else:
        show = as_markdown if chosen.format == "markdown" else as_text
        print("\n\n".join(_shown(outcome, show) for outcome in outcomes))
    for failure in failures:
        print(failure, file=sys.stderr)
    if failures:
        return FAILED
    return max((outcome.status(chosen.fail_on) for outcome in outcomes), default=0)


def _shown(outcome: Outcome, show: Callable[..., str]) -> str:
    known = outcome.definition
    lines = [
        show(outcome.ours, outcome.name, outcome.unlisted, same=NOTHING_NEW),
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
        "ours": outcome.ours,
        "definition": outcome.definition.name if outcome.definition else None,
        "listed": outcome.listed,
        "gone": outcome.gone,
        "unread": outcome.unread,
        "differences": [difference.as_json() for difference in outcome.unlisted],
    }
