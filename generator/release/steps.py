"""The steps of a release in order; each uses the tree and the result of the previous step."""

import json
import shutil
import tempfile
from datetime import date
from pathlib import Path

from packaging.version import Version

from .. import git
from ..commands import ReleaseError
from ..semver import changelog, version
from . import build, contents, install, lock
from .audit import SBOM_SUFFIX, bill_of_materials, licence_faults, secrets, vulnerabilities


def ready(root: Path) -> str:
    """Check that the tree can be released: committed, with a changelog, and without secrets."""
    git.require_clean(root)
    released = version.final(version.read(root))
    changelog.cut(_changelog(root), released, date.min)
    known = git.tagged(root, version.tag(released))
    if known not in (None, git.run(root, "rev-parse", "HEAD")):
        raise ReleaseError(
            f"{released} is already released; start the next version with `nox -s bump -- VERSION`"
        )
    _raise_for(_source_faults(root))
    return f"{released} is ready to be released"


def cut(root: Path, day: date) -> str:
    """Make the version final and date its changelog, in a commit, unless that is done already."""
    git.require_clean(root)
    released = version.final(version.read(root))
    text = changelog.cut(_changelog(root), released, day)
    version.write(root, released)
    root.joinpath(changelog.FILE).write_text(text, encoding="utf-8")
    git.commit(root, f"Release {released}", version.FILE, changelog.FILE)
    return f"the last commit now holds version {released}"


def make(root: Path, target: Path) -> str:
    """Build twice, compare, check the contents, and write the checksums."""
    git.require_clean(root)
    built = build.build(root, target)
    contents.check_contents(root, built)
    build.write_sums(target)
    return "two builds are identical:\n" + (target / build.SUMS).read_text("utf-8").rstrip()


def verify(root: Path, target: Path) -> str:
    """Test the wheel with its oldest and newest dependencies; check licences, write the SBOM."""
    build.verify_sums(target)
    wheel = next(target.glob("*.whl"))
    needed = install.requirements(wheel)
    with tempfile.TemporaryDirectory() as folder:
        lowest = install.make_environment(Path(folder, "lowest"), needed, "lowest-direct")
        newest = install.make_environment(Path(folder, "newest"), needed)
        for interpreter in (lowest, newest):
            install.install_wheel(interpreter, wheel)
        outputs = [install.run_smoke_test(interpreter) for interpreter in (lowest, newest)]
        bill = bill_of_materials(root, newest, version.read(root), git.seconds(root))
    _raise_for(list(licence_faults(bill)))
    name = "-".join(wheel.name.split("-")[:2]) + SBOM_SUFFIX
    target.joinpath(name).write_text(json.dumps(bill, indent=1) + "\n", encoding="utf-8")
    build.write_sums(target)
    return f"with the oldest dependencies: {outputs[0]}with the newest: {outputs[1]}".rstrip()


def compare(root: Path, target: Path) -> str:
    """Build the last commit again, and compare with the files that were built elsewhere."""
    build.verify_sums(target)
    with tempfile.TemporaryDirectory() as folder:
        there, here = Path(folder, "there"), Path(folder, "here")
        there.mkdir()
        for package in (*target.glob("*.whl"), *target.glob("*.tar.gz")):
            shutil.copy(package, there)
        build.build(root, here)
        build.require_same(there, here)
    return "a build on this machine gives identical files"


def tag(root: Path, target: Path) -> str:
    """Tag the last commit as the release that was built from it. Nothing is pushed."""
    build.verify_sums(target)
    released = version.read(root)
    if released.is_devrelease or not any(target.glob(f"*-{released}-*.whl")):
        raise ReleaseError(
            f"{target} does not contain a build of {released}; run `nox -s release` again"
        )
    git.tag(root, version.tag(released), f"Release {released}")
    name = version.tag(released)
    return (
        f"the last commit is tagged {name}; publish it from the forge with "
        "`git push --follow-tags`, or from here with `nox -s publish`"
    )


def bump(root: Path, following: Version) -> str:
    """Start the next version: write it with .dev0, and an empty section of the changelog."""
    git.require_clean(root)
    if str(following) != ".".join(map(str, following.release)) or len(following.release) != 3:
        raise ReleaseError(f"{following} is not a version of three numbers, such as 0.7.0")
    if following <= version.read(root):
        raise ReleaseError(
            f"{following} is not later than {version.read(root)}, the current version"
        )
    text = changelog.begin(_changelog(root), following)
    version.write(root, Version(f"{following}.dev0"))
    root.joinpath(changelog.FILE).write_text(text, encoding="utf-8")
    return f"{following} is started; write its changes in {changelog.FILE}"


def audit(root: Path, *, required: bool) -> str:
    """Find secrets, unlocked packages, licences that are not allowed, and known vulnerabilities."""
    with tempfile.TemporaryDirectory() as folder:
        interpreter = install.make_environment(Path(folder, "newest"), lock.needed_by_users(root))
        bill = bill_of_materials(root, interpreter, version.read(root), git.seconds(root))
    _raise_for([*_source_faults(root), *licence_faults(bill)])
    looked_up = vulnerabilities(root, required=required)
    licences = f"all licences of {len(bill['components'])} packages are allowed"
    return f"no secrets; {licences}; {looked_up}"


def _source_faults(root: Path) -> list[str]:
    return [*secrets(root, git.files(root)), *lock.faults(root)]


def _changelog(root: Path) -> str:
    return root.joinpath(changelog.FILE).read_text(encoding="utf-8")


def _raise_for(faults: list[str]) -> None:
    if faults:
        raise ReleaseError("\n".join(faults))
