"""Build `generated/` from the spec, the templates and openapi-python-client."""

import hashlib
import json
import os
import subprocess
from importlib.metadata import version
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from openapi_python_client.strings import snake_case
from ruff import find_ruff_bin  # type: ignore[import-untyped]  # it ships no types

from . import catalogue, contract, paths, spec
from .typed_client import write_client

# The formatter's whole configuration, so that no configuration file can change the output.
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
# These do not affect `generated/`, so lock.json does not list them.
NOT_LOCKED = (
    *("checks", "drift", "release", "semver", "tokenizer"),
    *("commands.py", "git.py", "lint.py"),
)
TOOLS = ("openapi-python-client", "ruff", "jinja2")


def build(target: Path, folder: Path = paths.SPEC) -> None:
    """Write the content of `generated/` into an empty folder.

    Args:
        target: The folder to write to.
        folder: The folder of the spec, with contracts.yaml and the documents that it names.

    Raises:
        GenerationError: The generated code would lack a part of the spec, or be wrong.
    """
    inputs = [folder / paths.CONTRACTS, paths.CONTRACTS_SCHEMA]
    for entry in spec.contracts(folder):
        _build_package(entry, target / entry.package)
        inputs += entry.files
    (target / paths.LOCK).write_text(_json(_lock(inputs)), encoding="utf-8")


def _build_package(entry: spec.Contract, package: Path) -> None:
    openapi = spec.load(entry.document)
    write_client(entry, openapi, package)
    modules: dict[str, spec.Document] = {
        "constraints.py": {"constraints": contract.constraints(openapi)},
        "operations.py": {
            "operations": list(contract.operations(openapi)),
            "servers": list(contract.servers(openapi)),
        },
        "status.py": {},
        "spec.py": {},
    }
    if entry.catalogue is not None and entry.catalogue_schema is not None:
        schema = json.loads(entry.catalogue_schema.read_text(encoding="utf-8"))
        modules["catalogue.py"] = catalogue.emit(spec.load(entry.catalogue), schema, openapi)
    if entry.deployments is not None:
        modules["deployments.py"] = {"deployments": spec.load(entry.deployments)["deployments"]}
    if dtypes := contract.dtypes(openapi):
        modules["dtypes.py"] = {"dtypes": dtypes}
    for name, context in modules.items():
        _render(name, package, {**context, "contract": entry})
    (package / "openapi.json").write_text(_json(openapi), encoding="utf-8")
    _format(package)


def _render(name: str, package: Path, context: spec.Document) -> None:
    environment = Environment(  # noqa: S701  # it writes Python, not HTML
        loader=FileSystemLoader(paths.TEMPLATES / "contract"),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
    )
    environment.filters["snakecase"] = snake_case
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
        and path.relative_to(paths.GENERATOR).parts[0] not in NOT_LOCKED
    ]
    return {
        "note": "Written by the generator: the inputs of the generated code in this folder.",
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
