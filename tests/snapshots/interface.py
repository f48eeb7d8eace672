"""The public interface of a package, as text: one line per name, with its signature."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import griffe

# Internal packages, which may change freely.
INTERNAL = (
    "voyageai.calls",
    "voyageai.cli.",  # its commands are what users call; tests/snapshots records their help
    "voyageai.flow",
    "voyageai.html",
    "voyageai.inputs",
    "voyageai.argument_checks",
    "voyageai.prices",
    "voyageai.transport",
    "voyageai.vectors",
)
# Packages whose exports are public, but not their modules.
EXPORTING = (
    *("voyageai.batches", "voyageai.files", "voyageai.tables", "voyageai_emulator"),
    *("voyageai.integrations.daft", "voyageai.integrations.ray"),
)
# Each release changes this value.
CHANGING = ("voyageai.version.VERSION",)


def record(package: str, folder: Path) -> str:
    """Return every public name of a package with its signature, one per line.

    Args:
        package: Name of the package.
        folder: The folder that holds it.
    """
    loaded = griffe.load(package, search_paths=[folder], allow_inspection=False)
    assert isinstance(loaded, griffe.Module)
    return "\n".join(sorted(_lines(loaded))) + "\n"


def _lines(item: griffe.Object | griffe.Alias) -> Iterator[str]:
    for member in _members(item):
        if member.is_module:
            if item.path != "voyageai_emulator":  # its modules are internal
                yield f"{member.path}: module"
                yield from _lines(member)
        elif member.is_class:
            bases = ", ".join(str(base) for base in member.bases)
            yield f"{member.path}: class({bases})"
            yield from _lines(member)
        elif member.is_function:
            yield f"{member.path}{_signature(member)}"
        elif member.is_attribute and _is_data(member):
            told = member.value is not None and len(str(member.value)) <= 80
            value = f" = {member.value}" if told and member.path not in CHANGING else ""
            yield f"{member.path}: {member.annotation or 'constant'}{value}"


def _members(item: griffe.Object | griffe.Alias) -> Iterator[Any]:
    """Return the public members of a class, under the names by which users reach them."""
    if item.path in EXPORTING:
        yield from (item.members[str(name)] for name in item.exports or ())
        return
    # An exported class may inherit from a class of an internal module.
    found = item.all_members if item.is_alias and item.is_class else item.members
    for name, member in found.items():
        hidden = name.startswith("_") and name not in ("__init__", "__version__")
        elsewhere = member.is_alias and not item.is_alias
        if not (hidden or elsewhere or member.path.startswith(INTERNAL)):
            yield member


def _is_data(attribute: Any) -> bool:
    is_type_variable = str(attribute.value).startswith("TypeVar(")
    return not is_type_variable and (attribute.annotation is not None or attribute.name.isupper())


def _signature(function: Any) -> str:
    parts = []
    for parameter in function.parameters:
        if parameter.name in ("self", "cls"):
            continue
        default = "" if parameter.default is None else f" = {parameter.default}"
        only = "keyword " if parameter.kind is griffe.ParameterKind.keyword_only else ""
        parts.append(f"{only}{parameter.name}: {parameter.annotation}{default}")
    prefix = "async " if "async" in function.labels else ""
    return f"({', '.join(parts)}) -> {prefix}{function.returns}"
