"""The content of an index: which files it includes, and how it splits them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from voyageai.cli.folder_index.chunks import cut
from voyageai.cli.folder_index.files import find_files, read_text
from voyageai.error import ArgumentError
from voyageai.ratelimit.tokens import estimate_tokens


def tree(base: Path, files: dict[str, str | bytes]) -> Path:
    """A folder with some files."""
    for name, content in files.items():
        path = base / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return base


def names(base: Path, *roots: str, **options: Any) -> list[str]:
    """Return the names of the files that are included."""
    found = find_files(
        base, roots or (".",), **{"most_bytes": 1000, "skipped": Counter[str](), **options}
    )
    return [file.name for file in found]


IGNORING = {
    ".gitignore": "*.log\nbuild/\n/top.txt\n!keep.log\ndocs/*.tmp\n# a comment\n\n",
    "a.log": "a",
    "keep.log": "a",
    "top.txt": "a",
    "sub/top.txt": "a",
    "build/x.txt": "a",
    "sub/build/x.txt": "a",
    "docs/a.tmp": "a",
    "docs/deep/a.tmp": "a",
    "sub/.gitignore": "!a.log\n*.md\n",
    "sub/a.log": "a",
    "sub/b.log": "a",
    "sub/b.md": "a",
    "b.md": "a",
    "spaces in name.txt": "a",
    "ünï.txt": "a",
}


def test_what_git_ignores_is_left_out(tmp_path: Path) -> None:
    """The command asks git, whose nearer ignore files override those above."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    base = tree(tmp_path, IGNORING)
    git = ("git", "-c", "core.quotePath=off", "-c", "core.excludesFile=")
    subprocess.run([*git, "init", "-q"], cwd=base, check=True)
    (base / ".git/info/exclude").write_text("b.md\n", "utf-8")
    listed = subprocess.run(
        [*git, "ls-files", "--others", "--exclude-standard"],
        cwd=base,
        capture_output=True,
        check=True,
        encoding="utf-8",
    ).stdout.splitlines()
    visible = sorted(name for name in listed if not Path(name).name.startswith("."))

    assert visible == names(base)
    assert [name for name in visible if name.startswith("sub/")] == names(base, "sub")


def test_a_folder_that_is_no_repository_has_its_gitignore(tmp_path: Path) -> None:
    """Ignore files above the folder have no effect then."""
    base = tree(tmp_path / "above" / "here", {".gitignore": "*.log\n", "a.log": "a", "a.txt": "a"})
    (tmp_path / "above/.gitignore").write_text("*.txt\n")

    assert ["a.txt"] == names(base)


def test_hidden_files_links_and_empty_files_are_left_out(tmp_path: Path) -> None:
    """Hidden files may contain keys, and a link may lead anywhere."""
    base = tree(tmp_path, {".env": "secret", ".git/x": "a", "empty.txt": "", "a.txt": "a"})
    (base / "link.txt").symlink_to(base / "a.txt")
    (base / "loop").symlink_to(base)

    assert ["a.txt"] == names(base)


def test_large_files_are_left_out_and_counted(tmp_path: Path) -> None:
    """A data file among sources could cost more than all of them."""
    base = tree(tmp_path, {"a.txt": "a" * 1000, "b.csv": "b" * 1001})
    skipped = Counter[str]()

    assert ["a.txt"] == names(base, skipped=skipped)
    assert {"too large": 1} == skipped


def test_names_that_are_no_text_are_left_out_and_counted(tmp_path: Path) -> None:
    """An index stores file names in UTF-8."""
    if os.name == "nt" or sys.platform == "darwin":
        pytest.skip("all names are text here")
    base = tree(tmp_path, {"a.txt": "a", "名.txt": "a"})
    Path(os.fsdecode(os.fsencode(base) + b"/\xff.txt")).write_text("a")
    skipped = Counter[str]()
    assert ["a.txt", "名.txt"] == names(base, skipped=skipped)
    assert {"with a name that is not UTF-8": 1} == skipped


def test_patterns_choose_files(tmp_path: Path) -> None:
    """Patterns have the syntax of .gitignore."""
    base = tree(tmp_path, {"a.md": "a", "docs/b.md": "b", "docs/c.py": "c", "old/d.md": "d"})

    assert ["a.md", "docs/b.md", "old/d.md"] == names(base, only=["*.md"])
    assert ["a.md", "docs/b.md"] == names(base, only=["*.md"], without=["old/"])
    assert ["docs/c.py"] == names(base, "docs", without=["*.md"])


def test_a_file_is_found_once_and_wherever_it_is(tmp_path: Path) -> None:
    """Roots may overlap, be files, or be outside of the current folder."""
    base = tree(tmp_path / "here", {"a.md": "a", "docs/b.md": "b"})
    other = tree(tmp_path / "there", {"c.md": "c"}) / "c.md"

    assert [str(other), "a.md", "docs/b.md"] == names(base, ".", "docs", "a.md", str(other))


@pytest.mark.parametrize(
    ("options", "argument"),
    [({"roots": ["missing"]}, "paths"), ({"only": ["!"]}, "only"), ({"without": ["!"]}, "without")],
)
def test_an_error_says_what_is_wrong(
    tmp_path: Path, options: dict[str, Any], argument: str
) -> None:
    """The error comes before any file is read."""
    with pytest.raises(ArgumentError) as failure:
        list(
            find_files(
                tmp_path,
                options.pop("roots", ["."]),
                most_bytes=1,
                skipped=Counter(),
                **options,
            )
        )

    assert argument == failure.value.argument


def test_a_gitignore_with_a_line_that_is_no_pattern_is_read(tmp_path: Path) -> None:
    """Git ignores such lines as well."""
    assert ["a.md"] == names(
        tree(tmp_path, {".gitignore": "!\n*.log\n", "a.log": "a", "a.md": "a"})
    )


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"plain\r\n", "plain\r\n"),
        ("ü\n".encode(), "ü\n"),
        ("ü".encode("utf-8-sig"), "ü"),
        ("ü".encode("utf-16"), "ü"),
        (b"\x00\x01\x02", None),
        (b"caf\xe9", None),
    ],
)
def test_text_is_told_from_other_files(tmp_path: Path, content: bytes, text: str | None) -> None:
    """Text in an unknown encoding would be embedded as nonsense."""
    path = tmp_path / "file"
    path.write_bytes(content)

    assert text == read_text(path)


LINES = st.lists(st.sampled_from(["", "  ", "a", "word " * 5, "ünï" * 9, "x" * 120, "\r"]))


@given(LINES, st.integers(2, 30), st.integers(0, 20))
def test_chunks_have_all_of_a_text_and_say_where(
    lines: list[str], tokens: int, overlap: int
) -> None:
    """Nothing is lost, no chunk is too long, and an editor can open the right line."""
    text = "\n".join(lines)
    chunks = cut(text, tokens, min(overlap, tokens - 1))
    covered = bytearray(len(text))
    for chunk in chunks:
        part = text[chunk.start : chunk.stop]
        assert part.strip()
        assert estimate_tokens([part]) <= tokens + 1  # a cut token counts as one more
        assert 1 + text.count("\n", 0, chunk.start) == chunk.line
        assert 1 + text.count("\n", 0, chunk.stop - 1) == chunk.last_line
        covered[chunk.start : chunk.stop] = bytes([1]) * len(part)

    missing = [char for char, is_covered in zip(text, covered, strict=True) if not is_covered]
    assert not "".join(missing).strip()
    assert sorted(chunk.start for chunk in chunks) == [chunk.start for chunk in chunks]


def test_chunks_end_between_paragraphs() -> None:
    """A search would find neither half of a function."""
    text = "".join(f"def f{n}():\n    return {n}\n\n" for n in range(9))
    ends = [text[: chunk.stop].rsplit("\n", 2)[-2] for chunk in cut(text, 15, 0)]

    assert {"return"} == {end.split()[0] for end in ends}


def test_chunks_overlap_by_whole_lines() -> None:
    """A sentence across a boundary is complete in one of the chunks."""
    text = "".join(f"line {n:04}\n" for n in range(100))
    chunks = cut(text, 20, 6)

    assert {3} == {a.last_line - b.line + 1 for a, b in pairwise(chunks)}


def test_chunks_after_a_change_are_soon_the_same() -> None:
    """After an edit, only the chunks around it are sent again."""
    text = "".join(f"def f{n}():\n    return {n}\n\n" for n in range(400))
    changed = text.replace("return 3\n", "return 3 + 3 + 3 + 3\n")
    before = {text[chunk.start : chunk.stop] for chunk in cut(text, 60, 10)}
    after = {changed[chunk.start : chunk.stop] for chunk in cut(changed, 60, 10)}

    assert len(after) > 40
    assert len(after - before) <= 5
