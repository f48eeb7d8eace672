"""Docstrings of modules that have source. They are parsed, never imported, so nothing runs."""

import ast
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from corpus.docstring import Docstring, clean, is_public

TESTS_AND_DEMOS = {"test", "tests", "idlelib", "turtledemo"}
NOT_FOR_IMPORT = {"ensurepip", "pydoc_data", "site-packages", "dist-packages"}
GONE_FROM_LATER_PYTHONS = {"distutils", "lib2to3"}
SKIPPED = TESTS_AND_DEMOS | NOT_FOR_IMPORT | GONE_FROM_LATER_PYTHONS
OTHER_SYSTEM = ({"posixpath", "ntpath"} - {os.path.__name__}).pop()

Definition: TypeAlias = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
Trees: TypeAlias = Mapping[str, ast.Module]


def docstrings(library: Path) -> Iterator[Docstring]:
    """Yield the public docstrings of every module in a folder of Python source files.

    A name that a module takes from a private module, or from its own submodule, is shown where
    it is meant to be imported from: `asyncio.run`, not `asyncio.runners.run`.
    """
    trees = {name: ast.parse(path.read_bytes()) for name, path in _modules(library)}
    homes = {
        (source, name): module
        for module in sorted(filter(is_public, trees), reverse=True)  # the shortest comes last
        for source, name in _handed_on(module, trees)
    }
    for module, tree in trees.items():
        if is_public(module) and (doc := clean(ast.get_docstring(tree))):
            yield Docstring(_shown(module), "", doc)
        for node in _definitions(tree.body):
            home = homes.get((module, node.name), module)
            if is_public(home):
                yield from _documented(node, _shown(home))


def _modules(library: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(library.rglob("*.py")):
        parts = path.relative_to(library).with_suffix("").parts
        module = ".".join(parts).removesuffix(".__init__")
        if SKIPPED.isdisjoint(parts) and module != OTHER_SYSTEM:
            yield module, path


def _shown(module: str) -> str:
    return "os.path" if module == os.path.__name__ else module


def _handed_on(module: str, trees: Trees) -> Iterator[tuple[str, str]]:
    """Yield (source module, name) for what `module` imports to offer as its own."""
    for node in _statements(trees[module].body):
        if not isinstance(node, ast.ImportFrom):
            continue
        source = ".".join(filter(None, (module if node.level else "", node.module)))
        if source in trees and (source.startswith(f"{module}.") or not is_public(source)):
            for alias in node.names:
                names = _offered(trees[source]) if alias.name == "*" else [alias.name]
                yield from ((source, name) for name in names if is_public(alias.asname or name))


def _offered(tree: ast.Module) -> Iterable[str]:
    """Return what `from module import *` brings: `__all__` where it is spelled out."""
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name("__all__")], value=ast.List() | ast.Tuple() as names):
                return [str(name.value) for name in names.elts if isinstance(name, ast.Constant)]
            case _:
                pass
    return [node.name for node in _definitions(tree.body)]


def _statements(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Yield statements, going into `if`, `try` and `with` but into no definition."""
    for node in body:
        yield node
        if isinstance(node, ast.If | ast.Try | ast.With | ast.ExceptHandler):
            yield from _statements(ast.iter_child_nodes(node))


def _definitions(body: Iterable[ast.AST]) -> Iterator[Definition]:
    return (node for node in _statements(body) if isinstance(node, Definition))


def _documented(node: Definition, prefix: str, *, method: bool = False) -> Iterator[Docstring]:
    """Yield what a definition and, if it is a class, its methods and classes have to say."""
    if not is_public(node.name):
        return
    name = f"{prefix}.{node.name}"
    if not isinstance(node, ast.ClassDef):
        if doc := clean(ast.get_docstring(node)):
            yield Docstring(name, _signature(node, method=method), doc)
        return
    members = list(_definitions(node.body))
    makers = [member for member in members if member.name == "__init__"]
    docs = [clean(ast.get_docstring(part)) for part in (node, *makers)]
    if any(docs):
        signature = _signature(makers[0], method=True) if makers else ""
        yield Docstring(name, signature, "\n\n".join(filter(None, docs)))
    for member in members:
        yield from _documented(member, name, method=True)


def _signature(node: Definition, *, method: bool) -> str:
    """Return `(a, b=1)` as it is called: without `self` or `cls`; nothing for a property."""
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
