"""Print the house's figures: `python -m tests.figures`; with `--check` only what must not be.

Lines and modules of each package, the median and the longest modules, and circles of imports. Typing
counts: a module that is imported for its types alone has to be understood as well. `--check` prints
the circles alone and fails if there are any; import-linter shows imports that run upwards.
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
"""Modules, and what each of them imports."""


def shortest_circle(graph: Graph, start: str) -> list[str]:
    """Return the shortest way from a module back to itself, or nothing if there is none."""
    came_from: dict[str, str] = {}
    queue = deque([start])
    while queue:
        module = queue.popleft()
        for imported in sorted(graph.get(module, ())):
            if imported == start:
                way = [module]
                while way[-1] != start:
                    way.append(came_from[way[-1]])
                return way[::-1]
            if imported not in came_from:
                came_from[imported] = module
                queue.append(imported)
    return []


def circles(graph: Graph) -> list[list[str]]:
    """Return the shortest circle through each module that is in one, each once, shortest first.

    They are all gone when there is none left; while there are, the first is the place to begin.
    """
    found: dict[frozenset[str], list[str]] = {}
    for module in sorted(graph):
        if circle := shortest_circle(graph, module):
            found.setdefault(frozenset(circle), circle)
    return sorted(found.values(), key=lambda circle: (len(circle), circle))


def imports(package: str) -> dict[str, set[str]]:
    """Return what each module of a package imports of it, in functions and for types too.

    The package's own `__init__` is left out: it binds the names of all its modules lazily, and some
    of these read the settings that users make there.
    """
    from grimp import build_graph

    graph = build_graph(package, exclude_type_checking_imports=False, cache_dir=None)
    return {
        module: graph.find_modules_directly_imported_by(module) - {package}
        for module in graph.modules - {package}
    }


def lengths(folder: Path) -> dict[str, int]:
    """Return the lines of each module below a folder."""
    return {
        path.relative_to(folder).as_posix(): len(path.read_text("utf-8").splitlines())
        for path in sorted(folder.rglob("*.py"))
    }


def row(name: str, lines: Iterable[int]) -> str:
    """Return a line of the table."""
    of_each = [*lines]
    return f"{name:32}{sum(of_each):8,}{len(of_each):9}{median(of_each):8.0f}{max(of_each):9}"


def table() -> str:
    """Return the lines and modules of each package, and of the rooms of those for users."""
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
    """Print the figures, or only check. Returns the exit status."""
    check = sys.argv[1:] == ["--check"]
    if not check:
        print(table(), end="\n\n")
    found = [circle for package in CHECKED for circle in circles(imports(package))]
    print(f"{len(found)} circles of imports, typing included")
    for circle in found:
        print(f"  {len(circle)}: {' -> '.join([*circle, circle[0]])}")
    return 1 if check and found else 0


if __name__ == "__main__":
    sys.exit(main())
