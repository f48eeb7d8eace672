"""Checksums of the files that are published."""

import hashlib
from pathlib import Path

from .tools import ReleaseError

FILE = "SHA256SUMS"


def write(folder: Path) -> None:
    """Write the checksums of a folder's files into it, in the form of `sha256sum`."""
    lines = [
        f"{digest(path)}  {path.name}\n" for path in sorted(folder.iterdir()) if path.name != FILE
    ]
    folder.joinpath(FILE).write_text("".join(lines), encoding="utf-8")


def verify(folder: Path) -> None:
    """Raise unless a folder holds the files that its checksums are of, and no others."""
    path = folder / FILE
    if not path.is_file():
        raise ReleaseError(f"{path} is missing: run `nox -s release` first")
    expected = dict(line.split("  ")[::-1] for line in path.read_text("utf-8").splitlines())
    found = {path.name: digest(path) for path in folder.iterdir() if path.name != FILE}
    if wrong := sorted(name for name, _ in expected.items() ^ found.items()):
        raise ReleaseError(
            f"these files are not as {FILE} lists them: {', '.join(dict.fromkeys(wrong))}; "
            "run `nox -s release` again"
        )


def digest(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal digits."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
