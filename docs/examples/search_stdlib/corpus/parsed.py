"""Docstrings of modules with source code, which is parsed and never imported, so nothing runs."""

import ast
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from corpus.docstring import Docstring, clean, is_public

TESTS_AND_DEMOS = {"test", "tests", "idlelib", "turtledemo"}
NOT_FOR_IMPORT = {"ensurepip", "pydoc_data", "site-packages", "dist-packages"}
SKIPPED = TESTS_AND_DEMOS | NOT_FOR_IMPORT
WARNING_CALLS = {"_deprecated": "__name__", "warn": "DeprecationWarning"}
"""Functions by which a module warns of its deprecation, and what they are then given."""
OTHER_SYSTEM = ({"posixpath", "ntpath"} - {os.path.__name__}).pop()

Definition: TypeAlias = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
Trees: TypeAlias = Mapping[str, ast.Module]


def docstrings(
    library: Path, track: Callable[[Sequence[Any]], Iterable[Any]] = iter
) -> Iterator[Docstring]:
    """Yield the public docstrings of every module in a folder of Python source files.

    A name that a module imports from a private module, or from its own submodule, has the module
    that users import it from: `asyncio.run`, not `asyncio.runners.run`. Modules that warn of
    their deprecation when imported are skipped.

    Args:
        library: Folder of the source files.
        track: Function that iterates over the modules, and may show progress.
    """
    paths = modules(library)
    every = {name: ast.parse(paths[name].read_bytes()) for name in track([*paths])}
    deprecated = {name for name, tree in every.items() if _is_deprecated(tree)}
    trees = {
        name: tree for name, tree in every.items() if deprecated.isdisjoint(_with_packages(name))
    }
    homes = {
        (source, name): module
        for module in sorted(filter(is_public, trees), reverse=True)  # the shortest name comes last
        for source, name in _handed_on(module, trees)
    }
    for module, tree in trees.items():
        file = paths[module].relative_to(library).as_posix()
        if is_public(module) and (doc := clean(ast.get_docstring(tree))):
            yield Docstring(_shown(module), "", doc, file, tree.body[0].lineno)
        for node in _definitions(tree.body):
            home = homes.get((module, node.name), module)
            if is_public(home):
                yield from _documented(node, _shown(home), file)


def modules(library: Path) -> dict[str, Path]:
    """Return the source files in a folder, by module name, sorted."""
    found: dict[str, Path] = {}
    for folder, inner, files in os.walk(library):
        inner[:] = {*inner} - SKIPPED
        for path in (Path(folder, file) for file in files if file.endswith(".py")):
            parts = path.relative_to(library).with_suffix("").parts
            module = ".".join(parts).removesuffix(".__init__")
            if path.stem not in SKIPPED and module != OTHER_SYSTEM:
                found[module] = path
    return dict(sorted(found.items(), key=lambda pair: pair[1]))


def _with_packages(module: str) -> Iterator[str]:
    while module:
        yield module
        module = module.rpartition(".")[0]


def _is_deprecated(tree: ast.Module) -> bool:
    """Return whether importing a module warns that it is deprecated."""
    for node in tree.body:
        match node:
            case ast.Expr(value=ast.Call(func=called, args=given)):
                names = {each.id for each in given if isinstance(each, ast.Name)}
                if WARNING_CALLS.get(ast.unparse(called).rpartition(".")[2]) in names:
                    return True
            case _:
                pass
    return False


def _shown(module: str) -> str:
    return "os.path" if module == os.path.__name__ else module


def _handed_on(module: str, trees: Trees) -> Iterator[tuple[str, str]]:
    """Yield (source module, name) for each name that `module` re-exports."""
    for node in _statements(trees[module].body):
        if not isinstance(node, ast.ImportFrom):
            continue
        source = ".".join(filter(None, (module if node.level else "", node.module)))
        if source in trees and (source.startswith(f"{module}.") or not is_public(source)):
            for alias in node.names:
                names = _offered(trees[source]) if alias.name == "*" else [alias.name]
                yield from ((source, name) for name in names if is_public(alias.asname or name))


def _offered(tree: ast.Module) -> Iterable[str]:
    """Return the names of `from module import *`; `__all__` if it is a literal."""
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name("__all__")], value=ast.List() | ast.Tuple() as names):
                return [str(name.value) for name in names.elts if isinstance(name, ast.Constant)]
            case _:
                pass
    return [node.name for node in _definitions(tree.body)]


def _statements(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Yield statements, including those in `if`, `try` and `with`, but not in definitions."""
    for node in body:
        yield node
        if isinstance(node, ast.If | ast.Try | ast.With | ast.ExceptHandler):
            yield from _statements(ast.iter_child_nodes(node))


def _definitions(body: Iterable[ast.AST]) -> Iterator[Definition]:
    return (node for node in _statements(body) if isinstance(node, Definition))


def _documented(
    node: Definition, prefix: str, file: str, *, method: bool = False
) -> Iterator[Docstring]:
    """Yield the docstrings of a definition and, for a class, of its methods and classes."""
    if not is_public(node.name):
        return
    name = f"{prefix}.{node.name}"
    if not isinstance(node, ast.ClassDef):
        if doc := clean(ast.get_docstring(node)):
            signature = _signature(node, method=method)
            yield Docstring(name, signature, doc, file, node.body[0].lineno)
        return
    members = list(_definitions(node.body))
    makers = [member for member in members if member.name == "__init__"]
    docs = [clean(ast.get_docstring(part)) for part in (node, *makers)]
    if any(docs):
        signature = _signature(makers[0], method=True) if makers else ""
        line = (node if docs[0] else makers[0]).body[0].lineno
        yield Docstring(name, signature, "\n\n".join(filter(None, docs)), file, line)
    for member in members:
        yield from _documented(member, name, file, method=True)


def _signature(node: Definition, *, method: bool) -> str:
    """Return the signature, such as `(a, b=1)`, without `self` or `cls`; empty for a property."""
    if isinstance(node, ast.ClassDef):
        return ""
    marks = {mark.id for mark in node.decorator_list if isinstance(mark, ast.Name)}
    if marks & {"property", "cached_property"}:
        return ""
    called = ast.unparse(node.args)
    if method and "staticmethod" not in marks:
        called = called.partition(", ")[2]
    returned = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"({called}){returned}"
