"""`--check` reports what a run would change, and changes nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from generator import paths

Tree = Callable[[Path], dict[str, bytes]]
MODEL = "voyageai_rest/models/embedding.py"
ERROR = "voyageai_rest/models/error.py"
TYPES = "voyageai_rest/types.py"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the committed tree for the test to damage."""
    ignored = shutil.ignore_patterns("__pycache__")
    return Path(shutil.copytree(paths.GENERATED, tmp_path / "generated", ignore=ignored))


def spoil(copy: Path) -> list[str]:
    """Damage a tree in each way that the check must find; return the lines that it must print."""
    model, types = copy / MODEL, copy / TYPES
    text = model.read_text(encoding="utf-8")
    model.write_text(text.replace("    index: int\n", "    place: int\n"), encoding="utf-8")
    types.write_bytes(types.read_bytes().replace(b"\n", b"\r\n"))
    copy.joinpath(ERROR).unlink()
    copy.joinpath("voyageai_rest/extra.py").write_text("EXTRA = 1\n", encoding="utf-8")
    copy.joinpath("voyageai_rest/py.typed").unlink()
    copy.joinpath("voyageai_rest/empty.py").touch()
    copy.joinpath("voyageai_rest/data.bin").write_bytes(b"\xff\xfe\x00")
    return [
        *(f"--- a/{MODEL}", f"+++ b/{MODEL}", "-    place: int", "+    index: int"),
        *(f"--- a/{TYPES}", "line endings, or bytes that are not UTF-8, differ"),
        *(f"--- a/{ERROR}", f"+++ b/{ERROR}", "+class Error(JsonModel):"),
        *("--- a/voyageai_rest/extra.py", "+++ b/voyageai_rest/extra.py", "-EXTRA = 1"),
        *("--- a/voyageai_rest/py.typed", "an empty file that is missing"),
        *("--- a/voyageai_rest/empty.py", "an empty file that is not generated"),
        "--- a/voyageai_rest/data.bin",
    ]


def test_any_difference_fails_the_check_and_is_shown(run, copy: Path, tree: Tree) -> None:
    """The check shows edits made by hand before a run overwrites them."""
    shown = spoil(copy)
    before = tree(copy)
    done = run("--check", "--output", copy)
    assert (1, "") == (done.returncode, done.stderr)
    assert [] == [line for line in shown if line not in done.stdout.splitlines()]
    assert before == tree(copy), "--check wrote something"


def test_the_committed_tree_passes_the_check(run_process) -> None:
    """CI runs exactly this check."""
    done = run_process("--check")
    assert (0, "generated/ is up to date\n") == (done.returncode, done.stdout)


def test_a_check_of_nothing_shows_all_files(run, tmp_path: Path, tree: Tree) -> None:
    """A mistyped output folder must not pass as up to date."""
    done = run("--check", "--output", tmp_path / "missing")
    assert 1 == done.returncode
    shown = {line[6:] for line in done.stdout.splitlines() if line.startswith("+++ b/")}
    assert set(tree(paths.GENERATED)) == shown
    assert not (tmp_path / "missing").exists()


def test_stale_files_are_removed(run, copy: Path, tree: Tree) -> None:
    """An operation removed from the spec must also disappear from the client."""
    copy.joinpath("voyageai_rest/extra.py").touch()
    assert 0 == run("--output", copy).returncode
    assert tree(paths.GENERATED) == tree(copy)


def test_a_folder_of_something_else_is_not_overwritten(run, tmp_path: Path) -> None:
    """A mistyped `--output` must not delete somebody's files."""
    tmp_path.joinpath("thesis.txt").write_text("years of work", encoding="utf-8")
    done = run("--output", tmp_path)
    assert (2, "") == (done.returncode, done.stdout)
    assert (
        f"{tmp_path} contains files that the generator did not write; choose another --output\n"
        == done.stderr
    )
    assert ["thesis.txt"] == [path.name for path in tmp_path.iterdir()]
