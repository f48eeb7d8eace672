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
MOST_CHARACTERS = 80  # of a value that is worth comparing: longer ones are tables


def compare_interfaces(package: str, old: Path, new: Path) -> list[News]:
    """What is gone, what is new and what is different, once each.

    Args:
        package: Name of the package.
        old: The folder that holds it as it was.
        new: The folder that holds it as it is.
    """
    before, after = load(package, old), load(package, new)
    found = (*_breakages(before, after), *_additions(before, after), *_values(before, after))
    return list({(item.path, item.sentence): item for item in found}.values())


def _breakages(before: Interface, after: Interface) -> Iterator[News]:
    for breakage in griffe.find_breaking_changes(before.package, after.package):
        path = _path(breakage, before, after)
        if path not in before.reachable and path not in after.reachable:
            continue
        kind, was, now = breakage.kind.name, breakage.old_value, breakage.new_value
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


def _values(before: Interface, after: Interface) -> Iterator[News]:
    """What griffe leaves to others: parameters that are new, and types and values."""
    for name in after.names.values():
        was, now = before.reachable.get(name), after.reachable[name]
        if isinstance(was, griffe.Function) and isinstance(now, griffe.Function):
            yield from _parameters(name, was, now)
            yield from _if_other("type-changed", name, was.returns, now.returns)
        elif isinstance(was, griffe.Attribute) and isinstance(now, griffe.Attribute):
            yield from _if_other("type-changed", name, was.annotation, now.annotation)
            longest = max(len(str(was.value)), len(str(now.value)))
            if longest <= MOST_CHARACTERS and name not in CHANGING:
                yield from _if_other("value-changed", name, was.value, now.value)


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
