"""Release a version step by step; `nox -s release` and `nox -s publish` run all steps."""

import argparse
import sys
from datetime import UTC, date, datetime
from pathlib import Path

from .. import paths
from ..commands import ReleaseError
from ..semver import version
from . import lock, steps
from .publish import Index, first_call, publish


def main(arguments: list[str] | None = None) -> int:
    """Run one step, and return the exit status."""
    options = _parser().parse_args(arguments)
    try:
        print(_step(options))
    except ReleaseError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _step(options: argparse.Namespace) -> str:
    root: Path = options.root
    match options.step:
        case "ready":
            return steps.ready(root)
        case "cut":
            return steps.cut(root, options.day)
        case "build":
            return steps.make(root, root / "dist")
        case "verify":
            return steps.verify(root, root / "dist")
        case "tag":
            return steps.tag(root, root / "dist")
        case "compare":
            return steps.compare(root, root / "dist")
        case "first-call":
            return first_call(root / "dist", Index(simple=options.index_url))
        case "publish":
            return publish(root, root / "dist", Index(options.upload_url, options.index_url))
        case "bump":
            return steps.bump(root, version.parse(options.version))
        case "lock":
            lock.write(root)
            return f"{lock.FILE} is written; review its diff"
        case _:
            return steps.audit(root, required=options.required)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m generator.release", description=__doc__)
    parser.add_argument(
        "--root", type=Path, default=paths.ROOT, help="the checkout; by default this one"
    )
    add = parser.add_subparsers(dest="step", required=True).add_parser
    add("ready", help="check that the tree is committed, has a changelog and no secrets")
    cut = add("cut", help="make the version final and date the changelog, in a commit")
    today = datetime.now(UTC).date()
    cut.add_argument(
        "--day",
        type=date.fromisoformat,
        default=today,
        help="the date of the release; by default today",
    )
    add("build", help="build twice into dist/, compare, and check the contents")
    add(
        "verify",
        help="test with the oldest and newest dependencies; write the SBOM, check licences",
    )
    add("tag", help="tag the last commit, without pushing it")
    add("compare", help="build the last commit again, and compare with dist/")
    back = add("first-call", help="install the release from the index, and run the smoke test")
    back.add_argument("--index-url", help="the URL of another index, for pip")
    to = add("publish", help="upload dist/, then install it from the index")
    to.add_argument("--upload-url", help="the URL of another index, for uploads")
    to.add_argument("--index-url", help="the URL of another index, for pip")
    add("bump", help="start the next version").add_argument("version", help="such as 0.7.0")
    add("lock", help="lock the packages of development and release to their newest versions")
    audit = add(
        "audit", help="find secrets, licences that are not allowed, and known vulnerabilities"
    )
    audit.add_argument(
        "--required", action="store_true", help="fail if known vulnerabilities can't be looked up"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
