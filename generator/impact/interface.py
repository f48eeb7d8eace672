"""The public interface of two versions of a package, compared by griffe."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import griffe

from .. import paths, spec
from .news import Level, News
from .public import Interface, load

# A release changes their values, and nobody's code.
CHANGING = ("voyageai.VERSION", "voyageai.__version__", "voyageai.version.VERSION")
# Griffe only counts a class's bases, and leaves the rest to others.
BY_OURSELVES = ("ATTRIBUTE_CHANGED_TYPE", "ATTRIBUTE_CHANGED_VALUE", "CLASS_REMOVED_BASE")
MOST_CHARACTERS = 80  # of a value that is worth comparing: longer ones are tables


def compare_interfaces(
    package: str, old: Path, new: Path, *, constructed: bool = True
) -> list[News]:
    """What is gone, what is new and what is different, once each.

    Args:
        package: Name of the package.
        old: The folder that holds it as it was.
        new: The folder that holds it as it is.
        constructed: Whether users make objects of its attrs classes themselves.
    """
    before, after = load(package, old), load(package, new)
    found = (
        *_breakages(before, after),
        *_additions(before, after),
        *_values(before, after, constructed=constructed),
        *_bases(before, after),
    )
    return list({(item.path, item.sentence): item for item in found}.values())


def _breakages(before: Interface, after: Interface) -> Iterator[News]:
    for breakage in griffe.find_breaking_changes(before.package, after.package):
        path = _path(breakage, before, after)
        if path not in before.reachable and path not in after.reachable:
            continue
        kind, was, now = breakage.kind.name, breakage.old_value, breakage.new_value
        if kind in BY_OURSELVES:
            continue
        if kind.startswith("PARAMETER"):
            aspect = "kind" if kind.endswith("KIND") else "default"
            stood = _told(getattr(was, aspect, None)), _told(getattr(now, aspect, None))
            yield _news(kind, path, (was or now).name, *stood)
        else:
            yield _news(kind, path, "", _told(was), _told(now))


def _path(breakage: griffe.Breakage, before: Interface, after: Interface) -> str:
    item, definition = breakage.obj, breakage.obj.canonical_path
    if breakage.kind is griffe.BreakageKind.OBJECT_REMOVED:
        name = before.names.get(definition, item.path)
        return item.path if name in after.reachable else name
    return after.names.get(definition, item.path)


def _additions(before: Interface, after: Interface) -> Iterator[News]:
    known = (before.package.path, *before.reachable)
    for path, item in after.reachable.items():
        # What is within something new is not told as well.
        if path not in before.reachable and path.rpartition(".")[0] in known:
            name = after.names[item.path]
            if name not in before.reachable:
                yield _news("added", name)


def _values(before: Interface, after: Interface, *, constructed: bool) -> Iterator[News]:
    """What griffe leaves to others: parameters that are new, and types and values."""
    for name in after.names.values():
        was, now = before.reachable.get(name), after.reachable[name]
        if isinstance(was, griffe.Function) and isinstance(now, griffe.Function):
            yield from _parameters(name, was, now)
            yield from _if_other("type-changed", name, was.returns, now.returns)
        elif isinstance(was, griffe.Attribute) and isinstance(now, griffe.Attribute):
            yield from _if_other("type-changed", name, was.annotation, now.annotation)
            defaults = list(_default(name, was, now)) if constructed else []
            yield from defaults
            if defaults:
                continue
            longest = max(len(str(was.value)), len(str(now.value)))
            if longest <= MOST_CHARACTERS and name not in CHANGING:
                yield from _if_other("value-changed", name, was.value, now.value)


def _default(name: str, was: griffe.Attribute, now: griffe.Attribute) -> Iterator[News]:
    """What an argument of an attrs class's constructor is if it is left out."""
    stood = [_default_of(attribute) for attribute in (was, now)]
    if stood[0] != stood[1] and stood[0] is not None:
        kind = "PARAMETER_CHANGED_REQUIRED" if stood[1] is None else "PARAMETER_CHANGED_DEFAULT"
        path, _, parameter = name.rpartition(".")
        yield _news(kind, path, parameter, *map(str, stood))


def _default_of(attribute: griffe.Attribute) -> str | None:
    """The default, or how it is made; None if there is none, or if it is no argument."""
    holder, value = attribute.parent, attribute.value
    if not (isinstance(holder, griffe.Class) and attribute.annotation is not None):
        return None
    if not any(str(each.callable_path).startswith("attrs.") for each in holder.decorators):
        return None
    if not (isinstance(value, griffe.ExprCall) and value.canonical_path == "attrs.field"):
        return None if value is None else str(value)
    said = {
        argument.name: str(argument.value)
        for argument in value.arguments
        if isinstance(argument, griffe.ExprKeyword)
    }
    return None if said.get("init") == "False" else said.get("default", said.get("factory"))


def _bases(before: Interface, after: Interface) -> Iterator[News]:
    """Classes that are caught, or passed, as another one no more."""
    for name in after.names.values():
        was, now = before.reachable.get(name), after.reachable[name]
        if isinstance(was, griffe.Class) and isinstance(now, griffe.Class):
            lost = _ancestors(was, before) - _ancestors(now, after)
            for parent in now.resolved_bases:  # what these have lost is told of them
                known = before.reachable.get(after.names.get(parent.path, ""))
                lost -= _ancestors(known, before) if isinstance(known, griffe.Class) else set()
            for base in sorted(lost):
                yield _news("base-lost", name, "", base)


def _ancestors(item: griffe.Class, interface: Interface) -> set[str]:
    """All that it is, but for what only this package knows by name."""
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


def _parameters(name: str, was: griffe.Function, now: griffe.Function) -> Iterator[News]:
    known = {parameter.name: parameter for parameter in was.parameters}
    for parameter in now.parameters:
        if parameter.name in known:
            types = known[parameter.name].annotation, parameter.annotation
            yield from _if_other("parameter-type-changed", name, *types, parameter.name)
        elif not parameter.required:
            yield _news("parameter-added", name, parameter.name)


def _if_other(kind: str, name: str, was: Any, now: Any, parameter: str = "") -> Iterator[News]:
    if str(was) != str(now):
        yield _news(kind, name, parameter, str(was), str(now))


def _told(value: Any) -> str:
    return str(getattr(value, "value", value))


def _news(kind: str, path: str, parameter: str = "", before: str = "", after: str = "") -> News:
    level, heading, sentence = rules()[kind]
    path = path.removesuffix(".__init__")
    said = sentence.format(path=path, parameter=parameter, before=before, after=after)
    subject = parameter or path.rpartition(".")[2]
    return News(path, level, heading, said, subject if level >= Level.MINOR else None)


@cache
def rules() -> dict[str, tuple[Level, str | None, str]]:
    """The table: kind to level, heading and sentence."""
    table = spec.load(paths.GENERATOR / "impact" / "interface.yaml")
    return {
        kind: (Level[level.upper()], heading, sentence)
        for kind, (level, heading, sentence) in table.items()
    }
