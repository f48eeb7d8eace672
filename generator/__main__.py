"""`python -m generator [--check] [--output FOLDER]`"""

import argparse
import difflib
import shutil
import sys
import tempfile
from pathlib import Path

from . import paths
from .build import build
from .rest import GenerationError


def main() -> int:
    """Rewrite `generated/`, or say what would change. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m generator", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="change nothing, show what would, exit 1 on any"
    )
    parser.add_argument(
        "--output", type=Path, default=paths.GENERATED, help="folder to write or to check"
    )
    parser.add_argument(
        "--openapi", type=Path, default=paths.OPENAPI, help="another OpenAPI document"
    )
    parser.add_argument("--catalogue", type=Path, default=paths.CATALOGUE, help="another catalogue")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder, "generated")
        fresh.mkdir()
        try:
            build(fresh, options.openapi, options.catalogue, paths.CATALOGUE_SCHEMA)
        except GenerationError as error:
            print(error, file=sys.stderr)
            return 2
        if options.check:
            changes = differences(options.output, fresh)
            print("\n".join(changes) if changes else f"{options.output.name}/ is up to date")
            return 1 if changes else 0
        shutil.rmtree(options.output, ignore_errors=True)
        shutil.copytree(fresh, options.output)
    return 0


def differences(old: Path, new: Path) -> list[str]:
    """A unified diff of two trees, without caches."""
    lines: list[str] = []
    for name in sorted(_files(old) | _files(new)):
        before, after = _lines(old / name), _lines(new / name)
        lines += difflib.unified_diff(before, after, f"a/{name}", f"b/{name}", lineterm="")
    return lines


def _files(folder: Path) -> set[str]:
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


if __name__ == "__main__":
    sys.exit(main())
