"""Run the generator on copies of the spec."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from copy import deepcopy
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from generator import paths, spec
from generator.__main__ import main
from generator.build import build

Document = dict[str, Any]
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def run() -> Run:
    """Run `python -m generator` with arguments, in this process."""

    def start(*arguments: object) -> subprocess.CompletedProcess[str]:
        out, err = StringIO(), StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            status = main([*map(str, arguments)])
        return subprocess.CompletedProcess(arguments, status, out.getvalue(), err.getvalue())

    return start


@pytest.fixture(scope="session")
def run_process(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run `python -m generator` in a new process, by default from a temporary folder."""

    def start(
        *arguments: object,
        cwd: Path | None = None,
        root: Path = paths.ROOT,
        **environment: str,
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "generator", *map(str, arguments)],
            cwd=cwd or tmp_path_factory.mktemp("caller"),
            env={**os.environ, "PYTHONPATH": str(root), **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    return start


@pytest.fixture(scope="session")
def mypy_cache(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of mypy's cache, shared by all tests."""
    if kept := getattr(pytestconfig, "cache", None):  # kept between runs
        return str(kept.mkdir("mypy"))
    return str(tmp_path_factory.mktemp("mypy"))


@pytest.fixture(scope="session")
def openapi() -> Document:
    """The committed OpenAPI document; a test must copy it before changing it."""
    return spec.load(paths.SPEC / "openapi.yaml")


@pytest.fixture(scope="session")
def catalogue() -> Document:
    """The committed catalogue; a test must copy it before changing it."""
    return spec.load(paths.SPEC / "catalogue.yaml")


@pytest.fixture
def spec_folder(tmp_path: Path) -> Path:
    """A copy of the spec that a test may change."""
    return Path(shutil.copytree(paths.SPEC, tmp_path / "spec"))


@pytest.fixture(scope="session")
def generate(
    openapi: Document,
    catalogue: Document,
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[Callable[[Document, Document], None]], Path]:
    """Return a function that changes copies of both documents and generates without checks."""

    def start(change: Callable[[Document, Document], None]) -> Path:
        folder = tmp_path_factory.mktemp("changed")
        changed = deepcopy(openapi), deepcopy(catalogue)
        change(*changed)
        shutil.copytree(paths.SPEC, folder / "spec")
        # JSON is valid YAML.
        for name, document in zip(("openapi.yaml", "catalogue.yaml"), changed, strict=True):
            (folder / "spec" / name).write_text(json.dumps(document), encoding="utf-8")
        target = folder / "generated"
        target.mkdir()
        build(target, folder / "spec")
        return target

    return start


@pytest.fixture(scope="session")
def tree() -> Callable[[Path], dict[str, bytes]]:
    """A function that returns the contents of a folder by path, without caches."""

    def files(folder: Path) -> Iterator[Path]:
        for path in folder.rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path

    return lambda folder: {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in files(folder)
    }
