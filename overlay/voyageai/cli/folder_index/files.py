"""Find the files of a folder to index: not ignored, not hidden, not binary, not too large."""

from __future__ import annotations

import codecs
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple

from ...error import ArgumentError
from ...extras import require

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

__all__ = ["File", "find_files", "read_text"]

IGNORE = ".gitignore"
SNIFFED_BYTES = 8192
"""Bytes at the beginning of a file in which a zero byte means that it is binary, as for git."""
BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class File(NamedTuple):
    """A file that was found.

    Attributes:
        name: Path relative to the base, with slashes.
        path: Path of the file.
        size: Size in bytes.
        modified: Modification time in nanoseconds.
    """

    name: str
    path: Path
    size: int
    modified: int


def find_files(
    base: Path,
    roots: Sequence[str],
    *,
    only: Sequence[str] = (),
    without: Sequence[str] = (),
    most_bytes: int,
    skipped: Counter[str],
) -> Iterator[File]:
    """Find the files of some folders, in the order of their names.

    Left out are paths that a `.gitignore` names, in these folders or above them up to the root of
    their repository; names that begin with a dot; links; empty files; and files that are too large.
    A root itself is never ignored.

    Args:
        base: The folder that names are relative to.
        roots: Folders or files, relative to the base.
        only: Patterns as in a .gitignore; files that match none are left out.
        without: Patterns as in a .gitignore; files and folders that match are left out.
        most_bytes: Maximum size of a file in bytes.
        skipped: Counts by reason the files that are left out although no pattern names them.

    Raises:
        ArgumentError: A root does not exist, or a pattern is invalid.
    """
    included, excluded = _patterns(only, "only"), _patterns(without, "without")
    found: dict[str, File] = {}
    for root in roots:
        start = base / root
        if not start.exists():
            raise ArgumentError(f"there is no {start}; name a folder or a file", "paths")
        entries = _walk(start, _ignored_above(start)) if start.is_dir() else [start]
        for path in entries:
            name = _name(path, base)
            if not name.isascii() and not _is_unicode(name):
                skipped["with a name that is not UTF-8"] += 1
                continue
            if included is not None and not included.match_file(name):
                continue
            if excluded is not None and excluded.match_file(name):
                continue
            try:
                about = path.stat()
            except OSError:
                skipped["unreadable"] += 1
                continue
            if about.st_size > most_bytes:
                skipped["too large"] += 1
            elif about.st_size:
                found[name] = File(name, path, about.st_size, about.st_mtime_ns)
    for name in sorted(found):
        yield found[name]


def read_text(path: Path) -> str | None:
    """Read a text file: UTF-8, or the encoding of its byte order mark.

    Returns:
        The text with its line ends unchanged; None if the file is binary or has another encoding.

    Raises:
        OSError: The file can't be read.
    """
    data = path.read_bytes()
    encoding = next((name for bom, name in BOMS if data.startswith(bom)), "utf-8")
    if encoding != "utf-16" and b"\0" in data[:SNIFFED_BYTES]:
        return None
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def _walk(folder: Path, above: list[tuple[Path, GitIgnoreSpec]]) -> Iterator[Path]:
    """Yield the files below a folder, skipping folders that can't be read."""
    ignored = [*_ignored_here(folder), *above]
    try:
        with os.scandir(folder) as entries:
            listed = sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return
    for entry in listed:
        if entry.name.startswith(".") or entry.is_symlink():
            continue
        path = folder / entry.name
        is_folder = entry.is_dir()
        if (is_folder or entry.is_file()) and not _is_ignored(path, ignored, is_folder=is_folder):
            if is_folder:
                yield from _walk(path, ignored)
            else:
                yield path


def _ignored_above(start: Path) -> list[tuple[Path, GitIgnoreSpec]]:
    """Read the ignore files of the folders above, the nearest first, up to the repository."""
    found: list[tuple[Path, GitIgnoreSpec]] = []
    folder = start.absolute()
    if (folder / ".git").exists():
        return found
    for above in folder.parents:
        found += _ignored_here(above)
        if (above / ".git").exists():
            return found
    return []  # not in a repository


def _ignored_here(folder: Path) -> list[tuple[Path, GitIgnoreSpec]]:
    paths = [folder / IGNORE, folder / ".git" / "info" / "exclude"]
    found: list[tuple[Path, GitIgnoreSpec]] = []
    for path in paths:
        try:
            lines = path.read_text("utf-8", "replace").splitlines()
        except OSError:
            continue
        found.append((folder, _spec(lines)))
    return found


def _is_ignored(
    path: Path, ignored: Iterable[tuple[Path, GitIgnoreSpec]], *, is_folder: bool
) -> bool:
    """Return True if the nearest ignore file that matches a path excludes it."""
    for folder, spec in ignored:
        match = spec.check_file(_name(path.absolute(), folder.absolute()) + "/" * is_folder)
        if match.include is not None:
            return match.include
    return False


def _spec(lines: Iterable[str]) -> GitIgnoreSpec:
    """Parse the patterns of an ignore file; like git, skip invalid lines."""
    kind: Any = require("pathspec", "cli").GitIgnoreSpec
    good: list[str] = []
    for line in lines:
        try:
            kind.from_lines([line])
        except ValueError:
            continue
        good.append(line)
    spec: GitIgnoreSpec = kind.from_lines(good)
    return spec


def _patterns(patterns: Sequence[str], argument: str) -> GitIgnoreSpec | None:
    if not patterns:
        return None
    kind: Any = require("pathspec", "cli").GitIgnoreSpec
    try:
        spec: GitIgnoreSpec = kind.from_lines(patterns)
    except ValueError as error:
        raise ArgumentError(
            f"{list(patterns)} must be patterns as in a .gitignore, such as *.md: {error}", argument
        ) from None
    return spec


def _is_unicode(name: str) -> bool:
    """Return True if a name is valid Unicode, which an index needs; others have undecoded bytes."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _name(path: Path, base: Path) -> str:
    """Return a path relative to a folder, with slashes; a path elsewhere stays as it is."""
    try:
        return str(PurePosixPath(path.relative_to(base)))
    except ValueError:
        return path.as_posix()
