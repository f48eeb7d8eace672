"""What users reach of a package, by the paths by which they do."""

from collections.abc import Iterator
from pathlib import Path

import griffe
from attrs import frozen

# Public by name, yet only other rooms have a reason to enter; what they bind elsewhere is public.
INTERNAL = (
    *("voyageai.calls", "voyageai.inputs", "voyageai.limits", "voyageai.media"),
    *("voyageai.transport", "voyageai.vectors", "voyageai_emulator."),
)

Item = griffe.Object | griffe.Alias


@frozen
class Interface:
    """A package as users see it.

    Attributes:
        package: All of it.
        reachable: What is reached, by every path that leads there.
        names: The path that reports use, by the path of the definition.
    """

    package: griffe.Module
    reachable: dict[str, griffe.Object]
    names: dict[str, str]


def load(package: str, folder: Path) -> Interface:
    """Read a package without running it.

    Args:
        package: Its name.
        folder: The folder that holds it.
    """
    loaded = griffe.load(package, search_paths=[folder], allow_inspection=False)
    if not isinstance(loaded, griffe.Module):
        raise TypeError(f"{package} is not a package")
    ways = [*_ways(loaded, package)]
    reachable = {path: item for path, item, _ in ways}
    # The shortest path wins, and one that does not lead through a subclass.
    worst_first = sorted(ways, key=lambda way: (way[2], len(way[0]), way[0]), reverse=True)
    return Interface(loaded, reachable, {item.path: path for path, item, _ in worst_first})


def _ways(item: Item, path: str) -> Iterator[tuple[str, griffe.Object, bool]]:
    """Path, definition, and whether it is inherited, of everything public below an item."""
    for name, member in item.all_members.items():
        way = f"{path}.{name}"
        if not member.is_public or _is_everywhere(name):
            continue
        found = _definition(member, path.partition(".")[0])
        if found is None or _is_type_variable(found):
            continue
        if found.is_module and (member.is_alias or way.startswith(INTERNAL)):
            continue
        yield way, found, member.inherited
        if found.is_module or (found.is_class and found is not item):
            yield from _ways(found, way)


def _definition(member: Item, package: str) -> griffe.Object | None:
    """What a name stands for, if this package defines it."""
    if isinstance(member, griffe.Object):
        return member
    if not member.target_path.startswith(f"{package}."):
        return None
    try:
        return member.final_target
    except griffe.AliasResolutionError:
        return None  # it only leads on to another package


def _is_type_variable(item: griffe.Object) -> bool:
    return isinstance(item, griffe.Attribute) and str(item.value).startswith("TypeVar(")


def _is_everywhere(name: str) -> bool:
    """Whether every object has it, or only attrs calls it."""
    return (name != "__init__" and hasattr(object, name)) or name.startswith("__attrs_")
