"""`--check` says what would change, and changes nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from generator import paths

Tree = Callable[[Path], dict[str, bytes]]
MODEL = "voyageai_rest/models/embedding.py"


@pytest.fixture(scope="module")
def fresh(run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree that is up to date."""
    folder = tmp_path_factory.mktemp("fresh") / "generated"
    assert 0 == run("--output", folder).returncode
    return folder


@pytest.fixture
def copy(fresh: Path, tmp_path: Path) -> Path:
    """A copy of it, to spoil."""
    return Path(shutil.copytree(fresh, tmp_path / "generated"))


def edit(copy: Path) -> list[str]:
    path = copy / MODEL
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("    index: int\n", "    place: int\n"), encoding="utf-8")
    return [f"--- a/{MODEL}", f"+++ b/{MODEL}", "-    place: int", "+    index: int"]


def delete(copy: Path) -> list[str]:
    (copy / MODEL).unlink()
    return [f"--- a/{MODEL}", f"+++ b/{MODEL}", "+class Embedding(Model):"]


def add(copy: Path) -> list[str]:
    copy.joinpath("voyageai_rest/extra.py").write_text("EXTRA = 1\n", encoding="utf-8")
    return ["--- a/voyageai_rest/extra.py", "+++ b/voyageai_rest/extra.py", "-EXTRA = 1"]


def delete_empty(copy: Path) -> list[str]:
    (copy / "voyageai_rest/py.typed").unlink()
    return ["--- a/voyageai_rest/py.typed", "an empty file that is missing"]


def add_empty(copy: Path) -> list[str]:
    (copy / "voyageai_rest/empty.py").touch()
    return ["--- a/voyageai_rest/empty.py", "an empty file that is not generated"]


def add_binary(copy: Path) -> list[str]:
    (copy / "voyageai_rest/data.bin").write_bytes(b"\xff\xfe\x00")
    return ["--- a/voyageai_rest/data.bin"]


def change_ends_of_lines(copy: Path) -> list[str]:
    path = copy / MODEL
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    return [f"--- a/{MODEL}", "ends of lines, or bytes that are no text, differ"]


def much(copy: Path) -> list[str]:
    """Spoil all that can be spoilt in one tree."""
    shown = (spoil(copy) for spoil in (edit, add, delete_empty, add_binary))
    return [line for lines in shown for line in lines]


@pytest.mark.parametrize(
    "spoil", [delete, add_empty, change_ends_of_lines, much], ids=lambda spoil: spoil.__name__
)
def test_any_difference_fails_the_check_and_is_shown(
    spoil: Callable[[Path], list[str]], run, copy: Path, tree: Tree
) -> None:
    """Edits of generated code by hand are shown before they are overwritten."""
    shown = spoil(copy)
    before = tree(copy)
    done = run("--check", "--output", copy)
    assert (1, "") == (done.returncode, done.stderr)
    assert [] == [line for line in shown if line not in done.stdout.splitlines()]
    assert before == tree(copy), "--check wrote something"


def test_the_committed_tree_passes_the_check(run) -> None:
    """CI runs just this."""
    done = run("--check")
    assert (0, "generated/ is up to date\n") == (done.returncode, done.stdout)


def test_a_check_of_nothing_shows_all_files(run, tmp_path: Path, tree: Tree) -> None:
    """A forgotten folder is no success."""
    done = run("--check", "--output", tmp_path / "missing")
    assert 1 == done.returncode
    shown = {line[6:] for line in done.stdout.splitlines() if line.startswith("+++ b/")}
    assert set(tree(paths.GENERATED)) == shown
    assert not (tmp_path / "missing").exists()


def test_stale_files_are_removed(run, copy: Path, tree: Tree, fresh: Path) -> None:
    """An operation that leaves the spec leaves the client."""
    add(copy)
    assert 0 == run("--output", copy).returncode
    assert tree(fresh) == tree(copy)


def test_a_folder_of_something_else_is_not_overwritten(run, tmp_path: Path) -> None:
    """A slip in `--output` must not delete anyone's work."""
    tmp_path.joinpath("thesis.txt").write_text("years of work", encoding="utf-8")
    done = run("--output", tmp_path)
    assert (2, "") == (done.returncode, done.stdout)
    assert f"{tmp_path} holds something that is not generated\n" == done.stderr
    assert ["thesis.txt"] == [path.name for path in tmp_path.iterdir()]
