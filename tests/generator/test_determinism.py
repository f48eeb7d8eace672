"""The same spec gives the same bytes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from generator import paths, spec

Tree = Callable[[Path], dict[str, bytes]]

HOSTILE_RUFF = """
line-length = 40
indent-width = 2
exclude = ["*"]
extend-select = ["ALL"]
[format]
quote-style = "single"
indent-style = "tab"
"""


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working directory whose settings would change the output if the generator read them."""
    folder = tmp_path_factory.mktemp("hostile")
    folder.joinpath("ruff.toml").write_text(HOSTILE_RUFF, encoding="utf-8")
    folder.joinpath("pyproject.toml").write_text(
        '[tool.ruff]\nline-length = 50\n[tool.ruff.format]\nquote-style = "single"\n',
        encoding="utf-8",
    )
    return folder


@pytest.fixture(scope="module")
def trees(run_process, tree: Tree, hostile: Path) -> list[dict[str, bytes]]:
    """Generate twice in environments that differ in every relevant way; return both trees."""
    plain = run_process("--output", hostile.parent / "plain", PYTHONHASHSEED="1")
    other = run_process(
        *("--output", hostile / "generated"),
        cwd=hostile,
        PYTHONHASHSEED="2",
        RUFF_CONFIG=str(hostile / "ruff.toml"),
        RUFF_LINE_LENGTH="45",
        RUFF_NO_CACHE="false",
        RUFF_OUTPUT_FORMAT="json",
        LC_ALL="C",
        TZ="Asia/Tokyo",
        COLUMNS="20",
    )
    assert [0, 0] == [plain.returncode, other.returncode], plain.stderr + other.stderr
    return [tree(hostile.parent / "plain"), tree(hostile / "generated")]


def test_two_runs_are_byte_identical(trees: list[dict[str, bytes]]) -> None:
    """A diff of the generated code must show the effect of a spec change, and nothing else."""
    first, second = trees
    assert first == second


def test_a_run_equals_the_committed_tree(trees: list[dict[str, bytes]], tree: Tree) -> None:
    """Reviewed and published code must be exactly what the spec generates."""
    assert trees[0] == tree(paths.GENERATED)


def test_no_cache_is_left_in_the_output(trees: list[dict[str, bytes]]) -> None:
    """Caches of tools would be committed and published."""
    packages = {entry.package for entry in spec.contracts()}
    assert {"lock.json", *packages} == {name.split("/")[0] for name in trees[0]}
    assert [] == [name for name in trees[0] if "/." in name]


def test_nothing_is_left_beside_the_output(hostile: Path, trees: list[dict[str, bytes]]) -> None:
    """The generator must not leave files in the user's working directory."""
    names = sorted(path.name for path in hostile.iterdir())
    assert ["generated", "pyproject.toml", "ruff.toml"] == names


def test_the_output_names_no_path_of_the_machine(trees: list[dict[str, bytes]]) -> None:
    """The next machine would generate different code."""
    root = str(paths.ROOT).encode()
    assert [] == [name for name, content in trees[0].items() if root in content]
