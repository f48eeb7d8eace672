"""What published definitions are known to say otherwise, and why: spec/known-disagreements.yaml."""

import re
from collections.abc import Sequence
from typing import Any

from attrs import frozen
from jsonschema import Draft202012Validator

from .. import paths, spec
from .differences import Difference
from .documents import DriftError

KNOWN = paths.SPEC / "known-disagreements.yaml"
KNOWN_SCHEMA = paths.SPEC / "known-disagreements.schema.json"


@frozen
class Definition:
    """A published definition that is known.

    Attributes:
        name: Its key.
        title: What it is.
        url: Where it is to be had; None if it never changes or has no address.
        operation_ids: What it is recognized by.
        read: Digest of the text that somebody has read; None if no text was read to its end.
    """

    name: str
    title: str
    url: str | None
    operation_ids: frozenset[str]
    read: str | None


@frozen
class Disagreement:
    """Something that published definitions say otherwise, for a reason.

    Attributes:
        about: What it is about.
        reason: Why our contract stays as it is.
        definitions: Names of those that say so.
        kinds: Kinds of the differences.
        paths: Patterns of their paths.
        values: What stands there, in either; None if that can be anything.
        lasting: Whether it may be there or not.
    """

    about: str
    reason: str
    definitions: frozenset[str]
    kinds: tuple[str, ...]
    paths: tuple[str, ...]
    values: tuple[Any, ...] | None
    lasting: bool

    def covers(self, difference: Difference) -> bool:
        """Whether a difference is this one."""
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
        """Kinds, paths and values of it for which there is no difference any more."""
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
    """What spec/known-disagreements.yaml holds."""

    definitions: tuple[Definition, ...]
    disagreements: tuple[Disagreement, ...]


def matches(pattern: str, path: str) -> bool:
    """Whether a path is of a pattern, in which `*` is any run of characters."""
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), path) is not None


def read(known: Any = None) -> Known:
    """What is known to differ.

    Args:
        known: The content of the file; read from spec/ by default.

    Raises:
        DriftError: It has not the form that it should; says where.
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
