"""The files of a folder that are worth an index: not ignored, not hidden, not binary, not huge."""

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
SNIFFED = 8192
"""Bytes at the beginning of a file in which a zero byte says that it is no text, as git has it."""
BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class File(NamedTuple):
    """A file that was found.

    Attributes:
        name: Its path below the base, with slashes.
        path: Where it is.
        size: Its bytes.
        modified: When it was changed last, in nanoseconds.
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

    Left out are what a `.gitignore` names, in these folders or above them up to the root of their
    repository; names that begin with a dot; links; empty files; and files that are too large. A
    root itself is always taken.

    Args:
        base: The folder that names are relative to.
        roots: Folders or files, relative to the base.
        only: Patterns as of a .gitignore: files that match none are left out.
        without: Patterns as of a .gitignore: files and folders that match are left out.
        most_bytes: Bytes of a file, at most.
        skipped: Is counted up by reason, for files that are left out for what they are.

    Raises:
        ArgumentError: A root is not there, or a pattern is wrong.
    """
    wanted, unwanted = _patterns(only, "only"), _patterns(without, "without")
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
            if wanted is not None and not wanted.match_file(name):
                continue
            if unwanted is not None and unwanted.match_file(name):
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
    """Read a text file: UTF-8, or what a byte order mark says.

    Returns:
        The text, its line ends as they are; None if the file is no text.

    Raises:
        OSError: It can't be read.
    """
    data = path.read_bytes()
    encoding = next((name for bom, name in BOMS if data.startswith(bom)), "utf-8")
    if encoding != "utf-16" and b"\0" in data[:SNIFFED]:
        return None
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def _walk(folder: Path, above: list[tuple[Path, GitIgnoreSpec]]) -> Iterator[Path]:
    """Yield the files below a folder; folders that can't be read are passed over."""
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
    """Read what the folders above ignore, the nearest first, up to the root of a repository."""
    found: list[tuple[Path, GitIgnoreSpec]] = []
    folder = start.absolute()
    if (folder / ".git").exists():
        return found
    for above in folder.parents:
        found += _ignored_here(above)
        if (above / ".git").exists():
            return found
    return []  # it is in no repository


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
    """Ask the nearest file that says something of a path."""
    for folder, spec in ignored:
        said = spec.check_file(_name(path.absolute(), folder.absolute()) + "/" * is_folder).include
        if said is not None:
            return said
    return False


def _spec(lines: Iterable[str]) -> GitIgnoreSpec:
    """Read patterns as git does, which passes over lines that are none."""
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
            f"{list(patterns)} must be patterns as of a .gitignore, such as *.md: {error}", argument
        ) from None
    return spec


def _is_unicode(name: str) -> bool:
    """Return whether a name can be written into an index: others hold bytes that are no text."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _name(path: Path, base: Path) -> str:
    """Return a path below a folder, with slashes; one elsewhere as it is."""
    try:
        return str(PurePosixPath(path.relative_to(base)))
    except ValueError:
        return path.as_posix()
