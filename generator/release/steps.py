"""The steps of a release, in their order; each starts from the tree and what the last one left."""

import json
import tempfile
from datetime import date
from pathlib import Path

from packaging.version import Version

from . import (
    build,
    changelog,
    contents,
    install,
    leaks,
    licences,
    lock,
    sbom,
    sums,
    tree,
    version,
    weaknesses,
)
from .tools import ReleaseError


def ready(root: Path) -> str:
    """Raise unless the tree may become a release: committed, described, and without secrets."""
    tree.insist_on_clean(root)
    released = version.final(version.read(root))
    changelog.cut(_changelog(root), released, date.min)
    known = tree.tagged(root, version.tag(released))
    if known not in (None, tree.git(root, "rev-parse", "HEAD")):
        raise ReleaseError(
            f"{released} is already released; start the next version with `nox -s begin -- VERSION`"
        )
    _insist_on_none(_slips(root))
    return f"{released} is ready to be released"


def cut(root: Path, day: date) -> str:
    """Make the version final and date its changelog, in a commit; nothing if both are so."""
    tree.insist_on_clean(root)
    released = version.final(version.read(root))
    text = changelog.cut(_changelog(root), released, day)
    version.write(root, released)
    root.joinpath(changelog.FILE).write_text(text, encoding="utf-8")
    tree.commit(root, f"Release {released}", version.FILE, changelog.FILE)
    return f"the last commit now holds version {released}"


def make(root: Path, target: Path) -> str:
    """Build twice, look into what was built, and write its checksums."""
    tree.insist_on_clean(root)
    built = build.build(root, target)
    contents.insist_on_good(root, built)
    sums.write(target)
    return (
        "two builds are the same to the byte:\n" + (target / sums.FILE).read_text("utf-8").rstrip()
    )


def prove(root: Path, target: Path) -> str:
    """Use the wheel with its oldest and newest dependencies; describe and check the newest."""
    sums.verify(target)
    wheel = next(target.glob("*.whl"))
    needed = install.requirements(wheel)
    with tempfile.TemporaryDirectory() as folder:
        lowest = install.make(Path(folder, "lowest"), needed, "lowest-direct")
        newest = install.make(Path(folder, "newest"), needed)
        for interpreter in (lowest, newest):
            install.add(interpreter, wheel)
        said = [install.use(interpreter) for interpreter in (lowest, newest)]
        bill = sbom.describe(root, newest, version.read(root), tree.seconds(root))
    _insist_on_none(list(licences.faults(bill)))
    name = "-".join(wheel.name.split("-")[:2]) + sbom.SUFFIX
    target.joinpath(name).write_text(json.dumps(bill, indent=1) + "\n", encoding="utf-8")
    sums.write(target)
    return f"with the oldest dependencies: {said[0]}with the newest: {said[1]}".rstrip()


def tag(root: Path, target: Path) -> str:
    """Tag the last commit as the release that was built from it. Nothing is pushed."""
    sums.verify(target)
    released = version.read(root)
    if released.is_devrelease or not any(target.glob(f"*-{released}-*.whl")):
        raise ReleaseError(
            f"{target} does not hold a build of {released}; run `nox -s release` again"
        )
    tree.tag(root, version.tag(released), f"Release {released}")
    name = version.tag(released)
    return (
        f"the last commit is tagged {name}; publish it from the forge with "
        "`git push --follow-tags`, or from here with `nox -s publish`"
    )


def begin(root: Path, following: Version) -> str:
    """Start on the next version: its name with .dev0, and an empty section for it."""
    tree.insist_on_clean(root)
    if str(following) != ".".join(map(str, following.release)) or len(following.release) != 3:
        raise ReleaseError(f"{following} is not a version of three numbers, such as 0.7.0")
    if following <= version.read(root):
        raise ReleaseError(
            f"{following} is not later than {version.read(root)}, the current version"
        )
    text = changelog.begin(_changelog(root), following)
    version.write(root, Version(f"{following}.dev0"))
    root.joinpath(changelog.FILE).write_text(text, encoding="utf-8")
    return f"{following} is started; write what is new in {changelog.FILE}"


def audit(root: Path, *, required: bool) -> str:
    """Look for secrets, open versions, licences that don't fit, and known weaknesses."""
    with tempfile.TemporaryDirectory() as folder:
        interpreter = install.make(Path(folder, "newest"), lock.needed_by_users(root))
        bill = sbom.describe(root, interpreter, version.read(root), tree.seconds(root))
    _insist_on_none([*_slips(root), *licences.faults(bill)])
    said = weaknesses.ask(root, required=required)
    return f"no secrets; all licences of {len(bill['components'])} packages are allowed; {said}"


def _slips(root: Path) -> list[str]:
    return [*leaks.leaks(root, tree.files(root)), *lock.faults(root)]


def _changelog(root: Path) -> str:
    return root.joinpath(changelog.FILE).read_text(encoding="utf-8")


def _insist_on_none(faults: list[str]) -> None:
    if faults:
        raise ReleaseError("\n".join(faults))
