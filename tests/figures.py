"""Print sizes of packages and import cycles: `python -m tests.figures`; `--check` checks cycles.

Prints lines and modules of each package, the median and the longest modules, and import cycles.
Imports for typing count: a reader has to understand those modules as well. `--check` prints only
the cycles and fails if there are any; import-linter shows imports that break the layers.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterable, Mapping, Set
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parent.parent
PACKAGES = {
    "voyageai": "overlay/voyageai",
    "voyageai_emulator": "overlay/voyageai_emulator",
    "voyageai_rest": "generated/voyageai_rest",
    "voyageai_admin_rest": "generated/voyageai_admin_rest",
    "generator": "generator",
    "tests": "tests",
}
IN_ROOMS = ("voyageai", "voyageai_emulator", "generator")
CHECKED = (*IN_ROOMS, "voyageai_rest", "voyageai_admin_rest")
LONGEST = 10

Graph = Mapping[str, Set[str]]
"""Modules, each with the modules that it imports."""


def shortest_cycle(graph: Graph, start: str) -> list[str]:
    """Return the shortest import cycle through a module; empty if there is none."""
    previous: dict[str, str] = {}
    queue = deque([start])
    while queue:
        module = queue.popleft()
        for imported in sorted(graph.get(module, ())):
            if imported == start:
                way = [module]
                while way[-1] != start:
                    way.append(previous[way[-1]])
                return way[::-1]
            if imported not in previous:
                previous[imported] = module
                queue.append(imported)
    return []


def cycles(graph: Graph) -> list[list[str]]:
    """Return the shortest cycle through each module that is in one, each once, shortest first."""
    found: dict[frozenset[str], list[str]] = {}
    for module in sorted(graph):
        if cycle := shortest_cycle(graph, module):
            found.setdefault(frozenset(cycle), cycle)
    return sorted(found.values(), key=lambda cycle: (len(cycle), cycle))


def imports(package: str) -> dict[str, set[str]]:
    """Return the imports between the modules of a package, in functions and for types too.

    The `__init__` of the package is left out: it imports its modules lazily, and some of these
    read the settings that users make there.
    """
    from grimp import build_graph

    graph = build_graph(package, exclude_type_checking_imports=False, cache_dir=None)
    return {
        module: graph.find_modules_directly_imported_by(module) - {package}
        for module in graph.modules - {package}
    }


def lengths(folder: Path) -> dict[str, int]:
    """Return the number of lines of each module in a folder."""
    return {
        path.relative_to(folder).as_posix(): len(path.read_text("utf-8").splitlines())
        for path in sorted(folder.rglob("*.py"))
    }


def row(name: str, lines: Iterable[int]) -> str:
    """Return a row of the table."""
    sizes = [*lines]
    return f"{name:32}{sum(sizes):8,}{len(sizes):9}{median(sizes):8.0f}{max(sizes):9}"


def table() -> str:
    """Return the table of packages and of their top-level folders, and the longest modules."""
    rows = [f"{'':32}{'lines':>8}{'modules':>9}{'median':>8}{'longest':>9}"]
    longest: list[tuple[int, str]] = []
    for package, folder in PACKAGES.items():
        modules = lengths(ROOT / folder)
        rows.append(row(package, modules.values()))
        rooms: dict[str, list[int]] = {}
        for path, lines in modules.items():
            if package in IN_ROOMS:
                longest.append((lines, f"{package}/{path}"))
                room, below, _ = path.partition("/")
                rooms.setdefault(f"  {room}/" if below else "  (modules of no room)", []).append(
                    lines
                )
        rows += [row(room, of_room) for room, of_room in sorted(rooms.items())]
    rows += ["", "longest modules"]
    rows += [f"  {lines:6,}  {path}" for lines, path in sorted(longest, reverse=True)[:LONGEST]]
    return "\n".join(rows)


def main() -> int:
    """Print the figures, or only check; return the exit status."""
    check = sys.argv[1:] == ["--check"]
    if not check:
        print(table(), end="\n\n")
    found = [cycle for package in CHECKED for cycle in cycles(imports(package))]
    print(f"{len(found)} cycles of imports, typing included")
    for cycle in found:
        print(f"  {len(cycle)}: {' -> '.join([*cycle, cycle[0]])}")
    return 1 if check and found else 0


if __name__ == "__main__":
    sys.exit(main())
