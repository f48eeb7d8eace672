"""Compare the tree with its last release, and check its version and its changelog."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from attrs import frozen
from packaging.version import Version

from .. import spec
from ..drift.contracts import compare
from ..drift.loading import explain_malformed, load
from . import changelog, last_release, version
from .changelog_draft import draft, mentions_breaking, missing
from .changes import Change, Level, contract_change
from .interface import compare_interfaces
from .project import CHECKERS, check_usage, compare_projects
from .version import minimum

# Packages, and the folders that contain them.
WRITTEN = {"voyageai": "overlay", "voyageai_emulator": "overlay"}
GENERATED = {entry.package: "generated" for entry in spec.contracts()}


@frozen
class Verdict:
    """Changes since a release, and the problems of version and changelog.

    Attributes:
        base: Revision that the tree was compared with.
        released: Version of that revision.
        now: Version of the tree.
        level: Highest level of the changes.
        minimum: Lowest version for that level.
        changes: Changes that users may notice, most severe first.
        problems: Changes that version or changelog do not cover, as sentences.
        draft: Draft of a section for the changelog.
    """

    base: str
    released: Version
    now: Version
    level: Level
    minimum: Version
    changes: list[Change]
    problems: list[str]
    draft: str


def verdict(root: Path, revision: str, checkers: Sequence[tuple[str, ...]] = CHECKERS) -> Verdict:
    """Compare a tree with a revision of it.

    Args:
        root: Working tree.
        revision: Revision to compare with, usually the tag of the last release.
        checkers: Type checkers that must still accept typical user code of the last release.

    Raises:
        DriftError: A contract can't be read.
        ReleaseError: A version can't be read.
    """
    with last_release.checked_out(root, revision) as old:
        changes = _changes(root, old, checkers)
        level = max((item.level for item in changes), default=Level.NONE)
        if last_release.is_changed(root, revision, old):
            level = max(level, Level.PATCH)
        released = version.read(old)
    now = version.read(root)
    lowest = minimum(released, level)
    written = Version(now.base_version)
    section = changelog.section(root.joinpath(changelog.FILE).read_text(encoding="utf-8"), written)
    problems = [] if written >= lowest else [_too_low(now, lowest, changes, level)]
    if level is Level.MAJOR and not mentions_breaking(section):
        problems.append(
            f"{changelog.FILE}: the section of {written} must say what breaks, "
            "under another heading than `Added`"
        )
    problems += [
        f"{changelog.FILE}: the section of {written} must name `{item.subject}`: {item.sentence}"
        for item in _first_of_each_subject(missing(section, changes))
    ]
    drafted = draft(max(written, lowest), changes)
    return Verdict(revision, released, now, level, lowest, changes, problems, drafted)


def _changes(root: Path, old: Path, checkers: Sequence[tuple[str, ...]]) -> list[Change]:
    contracts = load(str(old / "spec")), load(str(root / "spec"))
    with explain_malformed(*contracts):
        of_contract = [contract_change(difference) for difference in compare(*contracts)]
    known = {item.subject for item in of_contract}
    found = [
        *of_contract,
        *_interfaces(WRITTEN, old, root),
        # Their objects are created by their own parsers.
        *(
            _of_generated(item, known)
            for item in _interfaces(GENERATED, old, root, constructed=False)
        ),
        *compare_projects(old, root),
        *check_usage(root, old, checkers),
    ]
    return sorted(found, key=lambda item: -item.level)


def _interfaces(
    packages: dict[str, str], old: Path, new: Path, *, constructed: bool = True
) -> Iterator[Change]:
    for name, folder in packages.items():
        yield from compare_interfaces(name, old / folder, new / folder, constructed=constructed)


def _of_generated(item: Change, known: set[str | None]) -> Change:
    """Return a change of generated code, without a heading if the contract covers it."""
    if item.level is Level.MAJOR and item.subject not in known:
        return item
    return Change(item.path, item.level, None, item.sentence)


def _too_low(now: Version, lowest: Version, changes: list[Change], level: Level) -> str:
    of_level = (item.sentence for item in changes if item.level is level)
    because = next(of_level, "the code has changed").partition("\n")[0].rstrip(":")
    return f"{version.FILE}: the version is {now}, but must be at least {lowest}: {because}"


def _first_of_each_subject(changes: Iterable[Change]) -> Iterable[Change]:
    first: dict[str | None, Change] = {}
    for item in changes:
        first.setdefault(item.subject, item)
    return first.values()
