"""The bars: what the client must reach, and what each one means."""

from __future__ import annotations

from dataclasses import dataclass

# Sections, one table each.
WEIGHT = "Install weight"
IMPORT = "Import, in a fresh process"
IMPORT_ALONE = "Import alone, less bare python"
FIRST = "First vector in hand, in a fresh process"
SYNC = "1000 x 1024 answer, sync"
ASYNC = "1000 x 1024 answer, async"
SMALL = "1 x 1024 answer, sync"
SMALL_ASYNC = "1 x 1024 answer, async"
MEMORY = "Memory of a 1000 x 1024 answer"

# Rows that bars are about, and the one that ratios refer to.
OURS = "this"
OURS_NUMPY = "this + numpy"
OFFICIAL = "official"
BARE = "bare python"
MATRIX = "this, embed().numpy()"
LISTS = "this, embed().embeddings"
OFFICIAL_EMBED = "official, embed()"

# Quantities, one or two columns each.
DISTRIBUTIONS = "distributions"
MEGABYTES = "MB"
WALL = "wall ms"
CPU = "CPU ms"
KEPT = "kept / own bytes"
PEAK = "peak / own bytes"


@dataclass(frozen=True)
class Bar:
    """The most that a figure may be.

    Attributes:
        section, row, quantity: Which figure.
        limit: The most it may be.
        meaning: Why it matters, in a line.
        ratio: Whether the figure's ratio to its section's base is what counts.
    """

    section: str
    row: str
    quantity: str
    limit: float
    meaning: str
    ratio: bool = True


BARS = (
    Bar(WEIGHT, OURS, DISTRIBUTIONS, 10, "few packages to trust and to keep updated", ratio=False),
    Bar(WEIGHT, OURS, MEGABYTES, 15, "fits small containers and functions", ratio=False),
    Bar(IMPORT, OURS, CPU, 0.08, "programs that import it and do not call it hardly notice"),
    Bar(FIRST, OURS, CPU, 0.40, "short-lived processes are not all start-up"),
    Bar(SYNC, MATRIX, WALL, 0.30, "vectors reach numpy without becoming Python objects"),
    Bar(SYNC, LISTS, WALL, 0.75, "lists cost little more than making their floats"),
    Bar(MEMORY, MATRIX, KEPT, 1.1, "only the vectors stay in memory, once", ratio=False),
)
