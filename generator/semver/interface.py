"""Compare the public interfaces of two versions of a package, with griffe."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import griffe
from attrs import frozen

from .. import paths, spec
from .changes import Change, Level

# Private modules without an underscore; their names are public only where other modules export
# them.
INTERNAL = (
    *("voyageai.argument_checks", "voyageai.calls", "voyageai.cli.", "voyageai.html"),
    *("voyageai.inputs", "voyageai.media", "voyageai.prices", "voyageai.transport"),
    *("voyageai.vectors", "voyageai_emulator."),
)

Item = griffe.Object | griffe.Alias


@frozen
class Interface:
    """The public interface of a package.

    Attributes:
        package: The package as loaded by griffe.
        reachable: Definitions by each of their public paths.
        names: Public paths for reports, by the paths of definitions.
    """

    package: griffe.Module
    reachable: dict[str, griffe.Object]
    names: dict[str, str]


def load(package: str, folder: Path) -> Interface | None:
    """Read a package without running it.

    Args:
        package: Name of the package.
        folder: Folder that contains the package.

    Returns:
        The interface; None if the folder does not contain the package.
    """
    if not folder.joinpath(package).is_dir():
        return None
    loaded = griffe.load(package, search_paths=[folder], allow_inspection=False)
    if not isinstance(loaded, griffe.Module):
        raise TypeError(f"{package} is not a package")
    ways = [*_paths(loaded, package)]
    reachable = {path: item for path, item, _ in ways}
    # The shortest path wins, and of these one that is not inherited.
    worst_first = sorted(ways, key=lambda way: (way[2], len(way[0]), way[0]), reverse=True)
    return Interface(loaded, reachable, {item.path: path for path, item, _ in worst_first})


def _paths(item: Item, path: str) -> Iterator[tuple[str, griffe.Object, bool]]:
    """Yield path, definition, and whether it is inherited, for each public name below an item."""
    for name, member in item.all_members.items():
        way = f"{path}.{name}"
        if not member.is_public or _is_common(name):
            continue
        found = _definition(member, path.partition(".")[0])
        if found is None or _is_type_variable(found):
            continue
        if found.is_module and (member.is_alias or way.startswith(INTERNAL)):
            continue
        yield way, found, member.inherited
        if found.is_module or (found.is_class and found is not item):
            yield from _paths(found, way)


def _definition(member: Item, package: str) -> griffe.Object | None:
    """Return the definition of a name; None if it is in another package."""
    if isinstance(member, griffe.Object):
        return member
    if not member.target_path.startswith(f"{package}."):
        return None
    try:
        return member.final_target
    except griffe.AliasResolutionError:
        return None  # defined in another package


def _is_type_variable(item: griffe.Object) -> bool:
    return isinstance(item, griffe.Attribute) and str(item.value).startswith("TypeVar(")


def _is_common(name: str) -> bool:
    """Return whether every object has this name, or it is internal to attrs."""
    return (name != "__init__" and hasattr(object, name)) or name.startswith("__attrs_")


# Values that change with each release.
VERSION_NAMES = ("voyageai.VERSION", "voyageai.__version__", "voyageai.version.VERSION")
# Compared here instead: griffe only compares the number of base classes, and reports every change
# of a type or value as breaking.
HANDLED_HERE = ("ATTRIBUTE_CHANGED_TYPE", "ATTRIBUTE_CHANGED_VALUE", "CLASS_REMOVED_BASE")
MAX_CHARACTERS = 80  # of values to compare, as longer ones are tables


def compare_interfaces(
    package: str, old: Path, new: Path, *, constructed: bool = True
) -> list[Change]:
    """Return the removed, new and changed names, each once.

    Args:
        package: Name of the package.
        old: Folder that contains the old version.
        new: Folder that contains the new version.
        constructed: Compare defaults of attrs classes, because users create their objects.
    """
    before, after = load(package, old), load(package, new)
    if before is None or after is None:
        kind = "added" if before is None else "OBJECT_REMOVED"
        return [_change(kind, package)] if before is not after else []
    found = (
        *_breakages(before, after),
        *_additions(before, after),
        *_values(before, after, constructed=constructed),
        *_bases(before, after),
    )
    return list({(item.path, item.sentence): item for item in found}.values())


def _breakages(before: Interface, after: Interface) -> Iterator[Change]:
    for breakage in griffe.find_breaking_changes(before.package, after.package):
        path = _path(breakage, before, after)
        if path not in before.reachable and path not in after.reachable:
            continue
        kind, was, now = breakage.kind.name, breakage.old_value, breakage.new_value
        if kind in HANDLED_HERE:
            continue
        if kind.startswith("PARAMETER"):
            aspect = "kind" if kind.endswith("KIND") else "default"
            values = _text(getattr(was, aspect, None)), _text(getattr(now, aspect, None))
            yield _change(kind, path, (was or now).name, *values)
        else:
            yield _change(kind, path, "", _text(was), _text(now))


def _path(breakage: griffe.Breakage, before: Interface, after: Interface) -> str:
    item, definition = breakage.obj, breakage.obj.canonical_path
    if breakage.kind is griffe.BreakageKind.OBJECT_REMOVED:
        name = before.names.get(definition, item.path)
        return item.path if name in after.reachable else name
    return after.names.get(definition, item.path)


def _additions(before: Interface, after: Interface) -> Iterator[Change]:
    known = (before.package.path, *before.reachable)
    for path, item in after.reachable.items():
        # Only the outermost new name is reported.
        if path not in before.reachable and path.rpartition(".")[0] in known:
            name = after.names[item.path]
            if name not in before.reachable:
                yield _change("added", name)


def _values(before: Interface, after: Interface, *, constructed: bool) -> Iterator[Change]:
    """Yield new optional parameters, and changed types and values, which griffe does not report."""
    for name in after.names.values():
        was, now = before.reachable.get(name), after.reachable[name]
        if isinstance(was, griffe.Function) and isinstance(now, griffe.Function):
            yield from _parameters(name, was, now)
            yield from _if_changed("type-changed", name, was.returns, now.returns)
        elif isinstance(was, griffe.Attribute) and isinstance(now, griffe.Attribute):
            yield from _if_changed("type-changed", name, was.annotation, now.annotation)
            defaults = list(_default(name, was, now)) if constructed else []
            yield from defaults
            if defaults:
                continue
            longest = max(len(str(was.value)), len(str(now.value)))
            if longest <= MAX_CHARACTERS and name not in VERSION_NAMES:
                yield from _if_changed("value-changed", name, was.value, now.value)


def _default(name: str, was: griffe.Attribute, now: griffe.Attribute) -> Iterator[Change]:
    """Compare the default of an argument of an attrs class's constructor."""
    defaults = [_default_of(attribute) for attribute in (was, now)]
    if defaults[0] != defaults[1] and defaults[0] is not None:
        kind = "PARAMETER_CHANGED_REQUIRED" if defaults[1] is None else "PARAMETER_CHANGED_DEFAULT"
        path, _, parameter = name.rpartition(".")
        yield _change(kind, path, parameter, *map(str, defaults))


def _default_of(attribute: griffe.Attribute) -> str | None:
    """Return the default or factory of a field; None if it has none, or is not an argument."""
    holder, value = attribute.parent, attribute.value
    if not (isinstance(holder, griffe.Class) and attribute.annotation is not None):
        return None
    if not any(str(each.callable_path).startswith("attrs.") for each in holder.decorators):
        return None
    if not (isinstance(value, griffe.ExprCall) and value.canonical_path == "attrs.field"):
        return None if value is None else str(value)
    options = {
        argument.name: str(argument.value)
        for argument in value.arguments
        if isinstance(argument, griffe.ExprKeyword)
    }
    if options.get("init") == "False":
        return None
    return options.get("default", options.get("factory"))


def _bases(before: Interface, after: Interface) -> Iterator[Change]:
    """Yield lost base classes, for which `except` and `isinstance` no longer match."""
    for name in after.names.values():
        was, now = before.reachable.get(name), after.reachable[name]
        if isinstance(was, griffe.Class) and isinstance(now, griffe.Class):
            lost = _ancestors(was, before) - _ancestors(now, after)
            for parent in now.resolved_bases:  # their own losses are reported for them
                known = before.reachable.get(after.names.get(parent.path, ""))
                lost -= _ancestors(known, before) if isinstance(known, griffe.Class) else set()
            for base in sorted(lost):
                yield _change("base-lost", name, "", base)


def _ancestors(item: griffe.Class, interface: Interface) -> set[str]:
    """Return the names of all base classes, except those that are private to the package."""
    package = interface.package.path
    found = {base if isinstance(base, str) else base.canonical_path for base in item.bases}
    for base in item.resolved_bases:
        if isinstance(base, griffe.Class):
            found |= _ancestors(base, interface)
    return {
        interface.names.get(base, base)
        for base in found
        if base in interface.names
        or base in interface.reachable
        or base.partition(".")[0] != package
    }


def _parameters(name: str, was: griffe.Function, now: griffe.Function) -> Iterator[Change]:
    known = {parameter.name: parameter for parameter in was.parameters}
    for parameter in now.parameters:
        if parameter.name in known:
            types = known[parameter.name].annotation, parameter.annotation
            yield from _if_changed("parameter-type-changed", name, *types, parameter.name)
        elif not parameter.required:
            yield _change("parameter-added", name, parameter.name)


def _if_changed(kind: str, name: str, was: Any, now: Any, parameter: str = "") -> Iterator[Change]:
    if str(was) != str(now):
        yield _change(kind, name, parameter, str(was), str(now))


def _text(value: Any) -> str:
    return str(getattr(value, "value", value))


def _change(kind: str, path: str, parameter: str = "", before: str = "", after: str = "") -> Change:
    level, heading, sentence = rules()[kind]
    path = path.removesuffix(".__init__")
    text = sentence.format(path=path, parameter=parameter, before=before, after=after)
    subject = parameter or path.rpartition(".")[2]
    return Change(path, level, heading, text, subject if level >= Level.MINOR else None)


@cache
def rules() -> dict[str, tuple[Level, str | None, str]]:
    """Read interface.yaml: level, heading and sentence by kind."""
    table = spec.load(paths.GENERATOR / "semver" / "interface.yaml")
    return {
        kind: (Level[level.upper()], heading, sentence)
        for kind, (level, heading, sentence) in table.items()
    }
