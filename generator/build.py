"""Build `generated/` from the spec, the templates and openapi-python-client."""

import hashlib
import json
import os
import subprocess
from importlib.metadata import version
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from ruff import find_ruff_bin  # type: ignore[import-untyped]  # it ships no types

from . import catalogue, contract, paths, spec
from .rest import write_client

# The only configuration of the formatter, so that no file of a caller's can change the output.
RUFF_OPTIONS = (
    "--isolated",
    "--no-cache",
    "--quiet",
    "--line-length=100",
    "--target-version=py311",
    "--config=lint.isort.split-on-trailing-comma=false",
    "--config=format.skip-magic-trailing-comma=true",
    "--config=format.docstring-code-format=true",
)
# They write nothing into `generated/`, so lock.json does not name them.
WRITES_NOTHING = (
    *("checks", "drift", "release", "semver"),
    *("commands.py", "git.py", "lint.py", "tokenizer.py"),
)
TOOLS = ("openapi-python-client", "ruff", "jinja2")


def build(target: Path, openapi_file: Path, catalogue_file: Path, schema_file: Path) -> None:
    """Write all that `generated/` holds into an empty folder.

    Raises:
        GenerationError: Something of the spec would be missing or wrong in it.
    """
    openapi = spec.load(openapi_file)
    package = target / paths.PACKAGE
    write_client(openapi, package)
    models = catalogue.emit(
        spec.load(catalogue_file), json.loads(schema_file.read_text(encoding="utf-8")), openapi
    )
    _render("catalogue.py", package, models)
    _render("constraints.py", package, {"constraints": contract.constraints(openapi)})
    tables = {"operations": contract.operations(openapi), "servers": contract.servers(openapi)}
    _render("operations.py", package, tables)
    _render("status.py", package, {})
    _render("dtypes.py", package, {"dtypes": contract.dtypes(openapi)})
    _render("spec.py", package, {})
    (package / "openapi.json").write_text(_json(openapi), encoding="utf-8")
    _format(package)
    inputs = [openapi_file, catalogue_file, schema_file]
    (target / paths.LOCK).write_text(_json(_lock(inputs)), encoding="utf-8")


def _render(name: str, package: Path, context: spec.Document) -> None:
    environment = Environment(  # noqa: S701  # it writes Python, not HTML
        loader=FileSystemLoader(paths.TEMPLATES / "contract"),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
    )
    text = environment.get_template(f"{name}.jinja").render(context)
    (package / name).write_text(text, encoding="utf-8")


def _format(package: Path) -> None:
    ruff = find_ruff_bin()
    fix = ("check", "--select=F,I,TC", "--fix", "--unsafe-fixes")
    for command in (fix, ("format",)):
        arguments = [ruff, *command, *RUFF_OPTIONS, str(package)]
        done = subprocess.run(
            arguments, env=_clean_environment(), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise spec.GenerationError(
                f"the generated code is not valid Python:\n{done.stdout}{done.stderr}"
            )


def _clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("RUFF_")}


def _lock(inputs: list[Path]) -> spec.Document:
    sources = [
        path
        for path in paths.GENERATOR.rglob("*")
        if path.suffix in (".py", ".jinja", ".yaml")
        and path.relative_to(paths.GENERATOR).parts[0] not in WRITES_NOTHING
    ]
    return {
        "note": "Written by the generator: what the code beside this file was made from.",
        "spec": {path.name: _digest(path) for path in inputs},
        "generator": {
            path.relative_to(paths.GENERATOR).as_posix(): _digest(path) for path in sorted(sources)
        },
        "tools": {tool: version(tool) for tool in TOOLS},
    }


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _json(value: object) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"
