"""The public interface of a package, as text: one line per name, with its signature."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import griffe

# Rooms that users have no reason to enter; they may change freely.
INTERNAL = (
    "voyageai.calls",
    "voyageai.inputs",
    "voyageai.limits",
    "voyageai.transport",
    "voyageai.vectors",
)


def record(package: str, folder: Path) -> str:
    """Everything a user can reach without an underscore.

    Args:
        package: Name of the package.
        folder: The folder that holds it.
    """
    loaded = griffe.load(package, search_paths=[folder], allow_inspection=False)
    assert isinstance(loaded, griffe.Module)
    return "\n".join(sorted(_lines(loaded))) + "\n"


def _lines(item: griffe.Object) -> Iterator[str]:
    for name, member in item.members.items():
        if (
            member.is_alias
            or member.path.startswith(INTERNAL)
            or (name.startswith("_") and name not in ("__init__", "__version__"))
        ):
            continue
        if isinstance(member, griffe.Module):
            if item.path != "voyageai.emulator":  # its modules are its own business
                yield f"{member.path}: module"
                yield from _lines(member)
        elif isinstance(member, griffe.Class):
            bases = ", ".join(str(base) for base in member.bases)
            yield f"{member.path}: class({bases})"
            yield from _lines(member)
        elif isinstance(member, griffe.Function):
            yield f"{member.path}{_signature(member)}"
        elif isinstance(member, griffe.Attribute) and _is_data(member):
            value = (
                "" if member.value is None or len(str(member.value)) > 80 else f" = {member.value}"
            )
            yield f"{member.path}: {member.annotation or 'constant'}{value}"


def _is_data(attribute: griffe.Attribute) -> bool:
    is_type_variable = str(attribute.value).startswith("TypeVar(")
    return not is_type_variable and (attribute.annotation is not None or attribute.name.isupper())


def _signature(function: griffe.Function) -> str:
    parts = []
    for parameter in function.parameters:
        if parameter.name in ("self", "cls"):
            continue
        default = "" if parameter.default is None else f" = {parameter.default}"
        only = "keyword " if parameter.kind is griffe.ParameterKind.keyword_only else ""
        parts.append(f"{only}{parameter.name}: {parameter.annotation}{default}")
    prefix = "async " if "async" in function.labels else ""
    return f"({', '.join(parts)}) -> {prefix}{function.returns}"
