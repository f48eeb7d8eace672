"""The tree against its last release: what has changed, and whether that is told."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from attrs import frozen
from packaging.version import Version

from ..drift.contracts import compare
from ..drift.form import well_formed
from ..drift.loading import load
from ..release import changelog, version
from . import base
from .interface import compare_interfaces
from .news import Level, News, of_the_contract
from .numbers import least
from .project import compare_projects
from .telling import draft, left_out, tells_what_breaks
from .usage import CHECKERS, check_usage

WRITTEN = ("voyageai", "overlay")
GENERATED = ("voyageai_rest", "generated")


@frozen
class Verdict:
    """What came of it.

    Attributes:
        base: The revision that the tree was compared with.
        released: The version there.
        now: The version of the tree.
        level: How much has changed.
        least: The lowest version that tells it.
        news: Everything that users may notice, the gravest first.
        problems: What version and changelog do not tell.
        draft: A section for the changelog.
    """

    base: str
    released: Version
    now: Version
    level: Level
    least: Version
    news: list[News]
    problems: list[str]
    draft: str


def judge(root: Path, revision: str, checkers: Sequence[tuple[str, ...]] = CHECKERS) -> Verdict:
    """Compare a tree with a revision of it.

    Args:
        root: The tree, as it is on the disk.
        revision: What to compare it with, as a rule the tag of the last release.
        checkers: Type checkers for the code of before.

    Raises:
        DriftError: One of the two can't be read.
        ReleaseError: A version can't be read.
    """
    with base.checked_out(root, revision) as old:
        news = _news(root, old, checkers)
        level = max((item.level for item in news), default=Level.NONE)
        if base.is_changed(root, revision, old):
            level = max(level, Level.PATCH)
        released = version.read(old)
    now = version.read(root)
    lowest = least(released, level)
    written = Version(now.base_version)
    told = changelog.section(root.joinpath(changelog.FILE).read_text(encoding="utf-8"), written)
    problems = [] if written >= lowest else [_too_low(now, lowest, news, level)]
    if level is Level.MAJOR and not tells_what_breaks(told):
        problems.append(
            f"{changelog.FILE}: the section of {written} must say what breaks, "
            "under another heading than `Added`"
        )
    problems += [
        f"{changelog.FILE}: the section of {written} must name `{item.subject}`: {item.sentence}"
        for item in _once(left_out(told, news))
    ]
    return Verdict(
        revision, released, now, level, lowest, news, problems, draft(max(written, lowest), news)
    )


def _news(root: Path, old: Path, checkers: Sequence[tuple[str, ...]]) -> list[News]:
    contracts = load(str(old / "spec")), load(str(root / "spec"))
    with well_formed(*contracts):
        contract = [of_the_contract(difference) for difference in compare(*contracts)]
    said = {item.subject for item in contract}
    found = [
        *contract,
        *_interface(WRITTEN, old, root),
        # Its objects are made by its own parsers, of what the contract says.
        *(
            _of_generated(item, said)
            for item in _interface(GENERATED, old, root, constructed=False)
        ),
        *compare_projects(old, root),
        *check_usage(root, old, checkers),
    ]
    return sorted(found, key=lambda item: -item.level)


def _interface(
    package: tuple[str, str], old: Path, new: Path, *, constructed: bool = True
) -> Iterable[News]:
    name, folder = package
    return compare_interfaces(name, old / folder, new / folder, constructed=constructed)


def _of_generated(item: News, said: set[str | None]) -> News:
    """What follows from the contract counts, but is not told twice."""
    if item.level is Level.MAJOR and item.subject not in said:
        return item
    return News(item.path, item.level, None, item.sentence)


def _too_low(now: Version, lowest: Version, news: list[News], level: Level) -> str:
    because = next((item.sentence for item in news if item.level is level), "the code has changed")
    because = because.partition("\n")[0].rstrip(":")
    return f"{version.FILE}: the version is {now}, but must be at least {lowest}: {because}"


def _once(news: Iterable[News]) -> Iterable[News]:
    """The first of each subject: who names it has told of all."""
    first: dict[str | None, News] = {}
    for item in news:
        first.setdefault(item.subject, item)
    return first.values()
