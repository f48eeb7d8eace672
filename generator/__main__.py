"""Rewrite `generated/` from `spec/`, or show what would change."""

import argparse
import difflib
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from . import paths
from .build import build
from .checks import problems, read
from .spec import GenerationError


def main(argv: Sequence[str] | None = None) -> int:
    """Check the spec, then generate code from it or compare, and return the exit status.

    Args:
        argv: Arguments of the command; by default those of the process.
    """
    parser = argparse.ArgumentParser(prog="python -m generator", description=__doc__)
    parser.add_argument(
        "--check",
        action="store_true",
        help="change nothing; show what would change, and exit with 1 if anything would",
    )
    parser.add_argument(
        "--output", type=Path, default=paths.GENERATED, help="folder to write or to compare with"
    )
    parser.add_argument(
        "--spec", type=Path, default=paths.SPEC, help="folder of the spec, with a contracts.yaml"
    )
    options = parser.parse_args(argv)
    if faults := _faults(options.spec):
        print(faults, file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder, "generated")
        fresh.mkdir()
        try:
            build(fresh, options.spec)
        except GenerationError as error:
            print(error, file=sys.stderr)
            return 2
        if options.check:
            changes = differences(options.output, fresh)
            print("\n".join(changes) if changes else f"{options.output.name}/ is up to date")
            return 1 if changes else 0
        if not _replaceable(options.output):
            print(
                f"{options.output} contains files that the generator did not write; "
                "choose another --output",
                file=sys.stderr,
            )
            return 2
        shutil.rmtree(options.output, ignore_errors=True)
        shutil.copytree(fresh, options.output)
    return 0


def _faults(folder: Path) -> str:
    """Return the output of `python -m generator.lint` for a spec; empty if the spec is valid."""
    try:
        return "\n".join(problems(read(folder)))
    except GenerationError as error:
        return str(error)


def _replaceable(folder: Path) -> bool:
    return not folder.exists() or not any(folder.iterdir()) or (folder / paths.LOCK).is_file()


def differences(old: Path, new: Path) -> list[str]:
    """Return a unified diff of two trees, without caches; empty if their files are identical."""
    lines: list[str] = []
    for name in sorted(_files(old) | _files(new)):
        before, after = _content(old / name), _content(new / name)
        if before != after:
            lines += _difference(name, before, after)
    return lines


def _difference(name: str, before: bytes | None, after: bytes | None) -> list[str]:
    texts = _lines(before), _lines(after)
    lines = list(difflib.unified_diff(*texts, f"a/{name}", f"b/{name}", lineterm=""))
    if lines:
        return lines
    if before is None or after is None:
        what = "missing" if before is None else "not generated"
        return [f"--- a/{name}", f"+++ b/{name}", f"an empty file that is {what}"]
    return [f"--- a/{name}", f"+++ b/{name}", "line endings, or bytes that are not UTF-8, differ"]


def _files(folder: Path) -> set[str]:
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def _lines(content: bytes | None) -> list[str]:
    return (content or b"").decode("utf-8", "replace").splitlines()


if __name__ == "__main__":
    sys.exit(main())
